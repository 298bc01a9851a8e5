"""Whatever people have as a dataset of the service: uploaded, or there already."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from backprop_client.handles.files import content_of, is_file
from backprop_client.handles.naming import is_dataset_id
from backprop_client.tables.files import table_file
from backprop_client.tables.table import Table, table_of
from backprop_client.wire.datasets import DatasetSummary

if TYPE_CHECKING:
    from backprop_client.handles.working import AsyncWorking, Working


def stored(data: Any) -> str | None:  # noqa: ANN401
    """The id of a dataset that is there already; None if it is to be uploaded."""
    if isinstance(data, DatasetSummary):
        return data.id
    return data if is_dataset_id(data) else None


def to_upload(data: Any, columns: Sequence[str] | None) -> Any:  # noqa: ANN401
    """A file as it is, or anything else as a table.

    Raises:
        TypeError, ValueError: it is neither; see `table_of`.
    """
    if not is_file(data):
        return table_of(data, columns)
    if columns is not None:
        raise TypeError("columns names those of an array or of a list of rows; a file has names of its own.")
    return data


def uploaded(client: Working, what: Any, name: str | None, reading: Mapping[str, Any]) -> str:  # noqa: ANN401
    """Upload what `to_upload` gives; the id of the dataset that it becomes.

    Args:
        client: uploads it.
        what: a table, or a file.
        name: what the dataset is called.
        reading: how the file is to be read.
    """
    if not isinstance(what, Table):
        return client.datasets.create(content_of(what), name=name, **reading).id
    with table_file(what) as file:
        fields = _together(file.fields, reading)
        return client.datasets.create(file.content, file_name=file.name, name=name, **fields).id


async def uploaded_async(
    client: AsyncWorking,
    what: Any,  # noqa: ANN401
    name: str | None,
    reading: Mapping[str, Any],
) -> str:
    """As `uploaded`. Tables are written by a thread, since that takes its time."""
    if not isinstance(what, Table):
        return (await client.datasets.create(content_of(what), name=name, **reading)).id
    with ExitStack() as stack:
        file = await asyncio.to_thread(stack.enter_context, table_file(what))
        fields = _together(file.fields, reading)
        return (await client.datasets.create(file.content, file_name=file.name, name=name, **fields)).id


def _together(fields: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that a table's file has of its own, and on top of them what a person has said."""
    types = {**fields.get("types", {}), **(said.get("types") or {})}
    return {**fields, **said, **({"types": types} if types else {})}
