"""A request that is to be sent, and how its answer is read: what the two clients have in common."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Generic, TypeVar

import httpx2
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from backprop_client.errors import UnreadableAnswer

Answer = TypeVar("Answer")
Type = TypeVar("Type")

JSON = "application/json"

Content = bytes | str | os.PathLike[str] | IO[bytes]
"""Something with bytes: these, the path of a file, or an open file."""


class NotGiven:
    """The default of parameters for which None means something else than nothing."""

    def __repr__(self) -> str:
        return "NOT_GIVEN"

    def __bool__(self) -> bool:
        return False


NOT_GIVEN = NotGiven()


@dataclass(frozen=True)
class Body:
    """What a request carries.

    Attributes:
        content: the bytes.
        media_type: of them.
        form: the fields that go with a file; None if the content is the whole body.
        file_name: of the file in a form.
    """

    content: Content
    media_type: str
    form: Mapping[str, str] | None = None
    file_name: str = "file"


@dataclass(frozen=True)
class Call(Generic[Answer]):
    """A request, and how its answer is read.

    Attributes:
        method: HTTP's.
        path: of the address, parameters filled in and quoted.
        read: gives what an answer of success says.
        query: parameters. None stands for one that is not given.
        headers: of its own.
        body: what it carries; None for nothing.
        creates: whether it must not be carried out twice: it is sent with a key by which the service knows it again.
        accepts: statuses that are no refusals although they are no success.
    """

    method: str
    path: str
    read: Callable[[httpx2.Response], Answer]
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body | None = None
    creates: bool = False
    accepts: frozenset[int] = frozenset()

    @property
    def parameters(self) -> dict[str, Any]:
        """Those of the query that are given, as they are written in an address."""
        return {name: _written(value) for name, value in self.query.items() if value is not None}


def _written(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return [_written(each) for each in value] if isinstance(value, (list, tuple)) else value


def given(**fields: object) -> dict[str, Any]:
    """Those fields that are given."""
    return {name: value for name, value in fields.items() if not isinstance(value, NotGiven)}


def json_body(value: object) -> Body:
    """The body that says this. Pydantic's models are written by their aliases, and without what was not given."""
    return Body(_ANYTHING.dump_json(value, by_alias=True, exclude_unset=True), JSON)


_ANYTHING: TypeAdapter[Any] = TypeAdapter(Any, config=ConfigDict(ser_json_inf_nan="constants"))
"""Numbers that are not finite are written as such, for the service to judge: null would make infinity a gap."""


def as_type(kind: type[Type]) -> Callable[[httpx2.Response], Type]:
    """Reads an answer in JSON. Fields that this client does not know are let be: a newer service may have more."""
    adapter = TypeAdapter(kind)

    def read(response: httpx2.Response) -> Type:
        try:
            return adapter.validate_json(response.content, extra="ignore")
        except ValidationError as error:
            raise UnreadableAnswer(f"{response.request.url} answered what is no {_name(kind)}: {error}") from error

    return read


def _name(kind: object) -> str:
    return kind.__name__ if isinstance(kind, type) and issubclass(kind, BaseModel) else str(kind)


def nothing(response: httpx2.Response) -> None:  # as all that read
    """Reads an answer that says no more than its status."""


def text(response: httpx2.Response) -> str:
    """Reads an answer that is text."""
    return response.text


def opened(content: Content) -> bytes | IO[bytes]:
    """Content that can be sent. A path's file is opened, and whoever asked closes it.

    Raises:
        TypeError: an open file gives texts.
    """
    if isinstance(content, io.TextIOBase):
        raise TypeError('The file gives texts and not bytes: open it with "rb".')
    return Path(content).open("rb") if isinstance(content, (str, os.PathLike)) else content
