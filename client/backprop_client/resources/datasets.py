"""`client.datasets`: tables to learn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backprop_client.pages import AsyncList, Listing, Page
from backprop_client.resources.parts import quoted
from backprop_client.resources.uploads import uploaded
from backprop_client.transport.calls import NOT_GIVEN, Call, Content, NotGiven, as_type, given, json_body, nothing
from backprop_client.transport.sending import AsyncSender, Sender
from backprop_client.wire.columns import ColumnType
from backprop_client.wire.datasets import DatasetOut, DatasetPage, DatasetSummary, Decimal, Delimiter, Format, Preview


@dataclass(frozen=True)
class Datasets:
    """Tables to learn from."""

    _sender: Sender

    def create(
        self,
        content: Content,
        *,
        file_name: str | None = None,
        name: str | None = None,
        tags: Sequence[str] | None = None,
        note: str | None = None,
        format: Format | None = None,  # noqa: A002  # as the service calls it
        header: bool | None = None,
        delimiter: Delimiter | None = None,
        decimal: Decimal | None = None,
        encoding: str | None = None,
        missing_values: Sequence[str | float] | None = None,
        types: Mapping[str, ColumnType] | None = None,
    ) -> DatasetOut:
        """Upload a file with a table: CSV, Parquet, JSON, NPZ or a stream of Arrow's.

        Its format and layout are found out where they are not said.
        """
        return self._sender.send(
            uploaded(
                content,
                file_name,
                name=name,
                tags=tags,
                note=note,
                format=format,
                header=header,
                delimiter=delimiter,
                decimal=decimal,
                encoding=encoding,
                missing_values=missing_values,
                types=types,
            )
        )

    def list(
        self,
        *,
        tag: Sequence[str] | None = None,
        name: str | None = None,
        q: str | None = None,
        after: str | None = None,
        limit: int | None = None,
    ) -> Page[DatasetSummary]:
        """The datasets, newest first."""
        return Page.asked_for(self._sender, _list(tag, name, q, after, limit))

    def get(self, dataset_id: str) -> DatasetOut:
        """A dataset, with its columns."""
        return self._sender.send(_get(dataset_id))

    def update(
        self,
        dataset_id: str,
        *,
        name: str | NotGiven | None = NOT_GIVEN,
        tags: Sequence[str] | NotGiven | None = NOT_GIVEN,
        note: str | NotGiven | None = NOT_GIVEN,
    ) -> DatasetOut:
        """Change its name, tags or note. None clears."""
        return self._sender.send(_update(dataset_id, name, tags, note))

    def delete(self, dataset_id: str) -> None:
        """Delete a dataset that no job needs."""
        self._sender.send(_delete(dataset_id))

    def preview(self, dataset_id: str, *, rows: int | None = None) -> Preview:
        """Its first rows."""
        return self._sender.send(_preview(dataset_id, rows))


@dataclass(frozen=True)
class AsyncDatasets:
    """Tables to learn from."""

    _sender: AsyncSender

    async def create(
        self,
        content: Content,
        *,
        file_name: str | None = None,
        name: str | None = None,
        tags: Sequence[str] | None = None,
        note: str | None = None,
        format: Format | None = None,  # noqa: A002  # as the service calls it
        header: bool | None = None,
        delimiter: Delimiter | None = None,
        decimal: Decimal | None = None,
        encoding: str | None = None,
        missing_values: Sequence[str | float] | None = None,
        types: Mapping[str, ColumnType] | None = None,
    ) -> DatasetOut:
        """Upload a file with a table: CSV, Parquet, JSON, NPZ or a stream of Arrow's.

        Its format and layout are found out where they are not said.
        """
        return await self._sender.send(
            uploaded(
                content,
                file_name,
                name=name,
                tags=tags,
                note=note,
                format=format,
                header=header,
                delimiter=delimiter,
                decimal=decimal,
                encoding=encoding,
                missing_values=missing_values,
                types=types,
            )
        )

    def list(
        self,
        *,
        tag: Sequence[str] | None = None,
        name: str | None = None,
        q: str | None = None,
        after: str | None = None,
        limit: int | None = None,
    ) -> AsyncList[DatasetSummary]:
        """The datasets, newest first."""
        return AsyncList(_list(tag, name, q, after, limit), self._sender)

    async def get(self, dataset_id: str) -> DatasetOut:
        """A dataset, with its columns."""
        return await self._sender.send(_get(dataset_id))

    async def update(
        self,
        dataset_id: str,
        *,
        name: str | NotGiven | None = NOT_GIVEN,
        tags: Sequence[str] | NotGiven | None = NOT_GIVEN,
        note: str | NotGiven | None = NOT_GIVEN,
    ) -> DatasetOut:
        """Change its name, tags or note. None clears."""
        return await self._sender.send(_update(dataset_id, name, tags, note))

    async def delete(self, dataset_id: str) -> None:
        """Delete a dataset that no job needs."""
        await self._sender.send(_delete(dataset_id))

    async def preview(self, dataset_id: str, *, rows: int | None = None) -> Preview:
        """Its first rows."""
        return await self._sender.send(_preview(dataset_id, rows))


def _list(
    tag: Sequence[str] | None, name: str | None, q: str | None, after: str | None, limit: int | None
) -> Listing[DatasetSummary]:
    return Listing(
        Call(
            "GET",
            "/v1/datasets",
            as_type(DatasetPage),
            query={"tag": tag, "name": name, "q": q, "after": after, "limit": limit},
        ),
        lambda item: item.id,
    )


def _get(dataset_id: str) -> Call[DatasetOut]:
    return Call("GET", f"/v1/datasets/{quoted(dataset_id)}", as_type(DatasetOut))


def _update(
    dataset_id: str, name: str | NotGiven | None, tags: Sequence[str] | NotGiven | None, note: str | NotGiven | None
) -> Call[DatasetOut]:
    return Call(
        "PATCH",
        f"/v1/datasets/{quoted(dataset_id)}",
        as_type(DatasetOut),
        body=json_body(given(name=name, tags=tags, note=note)),
    )


def _delete(dataset_id: str) -> Call[None]:
    return Call("DELETE", f"/v1/datasets/{quoted(dataset_id)}", nothing)


def _preview(dataset_id: str, rows: int | None) -> Call[Preview]:
    return Call("GET", f"/v1/datasets/{quoted(dataset_id)}/preview", as_type(Preview), query={"rows": rows})
