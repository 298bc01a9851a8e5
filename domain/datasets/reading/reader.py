"""Reads one uploaded file from end to end.

The task comes from another process, and the answer goes back to it. Both are JSON, so nothing in them can be executed.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Self, cast

import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from backprop_client.wire.datasets import Format
from backprop_client.wire.error_codes import AnswerCode, InvalidRequestCode, Kind, TooLargeCode, UnavailableCode
from domain.datasets.reading.files import find_format, read_file
from domain.datasets.reading.options import ReadingOptions
from domain.datasets.reading.tables import StoredTable, TableLimits, store
from infra.errors import FieldError, InvalidRequest, ServiceError, TooLarge, Unavailable
from infra.full_disks import UPLOAD_NOT_KEPT, is_full_disk

MOST_ANSWER_BYTES = 64 * 2**20
"""Bytes. The summary of all columns has no more, since the API holds it in memory several times over."""


class ReadingTask(BaseModel):
    """What is to be read, and within which bounds.

    Attributes:
        file: the uploaded file.
        table: an empty file, where its content goes in canonical form.
        format: of `file`; None if it is to be found.
        options: what the client says about it.
        limits: how large a table it may be.
        most_bytes: of memory that reading it may take.
        most_seconds: that reading it may take.
    """

    model_config = ConfigDict(frozen=True)

    file: Path
    table: Path
    format: Format | None
    options: ReadingOptions
    limits: TableLimits
    most_bytes: int
    most_seconds: float


class Refusal(BaseModel):
    """A `ServiceError`, taken apart for the way between two processes."""

    kind: Kind
    code: AnswerCode
    message: str
    fields: tuple[FieldError, ...]

    @classmethod
    def of(cls, error: ServiceError) -> Self:
        """That error, of one of the kinds that reading can end with."""
        return cls(kind=error.kind, code=cast("AnswerCode", error.code), message=error.message, fields=error.fields)

    def error(self) -> ServiceError:
        """The error again."""
        if self.kind == Unavailable.kind:
            return Unavailable(cast("UnavailableCode", self.code), self.message)
        if self.kind == TooLarge.kind:
            return TooLarge(cast("TooLargeCode", self.code), self.message, self.fields)
        return InvalidRequest(cast("InvalidRequestCode", self.code), self.message, self.fields)


class ReadingFailed(Exception):
    """A fault of ours: a reader ended in an error that nobody has foreseen. The text is its traceback."""


class Answer(BaseModel):
    """What became of a task: exactly one of these.

    Attributes:
        stored: `ReadingTask.table` is complete.
        refusal: the file cannot be a dataset.
        failure: traceback of an error that nobody has foreseen.
    """

    stored: StoredTable | None = None
    refusal: Refusal | None = None
    failure: str | None = None

    def result(self) -> StoredTable:
        """What is known of the stored table.

        Raises:
            InvalidRequest: the file cannot be read as a table; the code says why.
            TooLarge: the table or the work is larger than the task allows.
            Unavailable: the disk is full.
            ReadingFailed: a fault of ours.
        """
        if self.stored is not None:
            return self.stored
        raise self.refusal.error() if self.refusal is not None else ReadingFailed(self.failure)


def answer_to(task: ReadingTask) -> bytes:
    """Carry a task out; gives the `Answer` as JSON of a single line."""
    answer = _answer(task).model_dump_json().encode()
    if len(answer) <= MOST_ANSWER_BYTES:
        return answer
    refusal = Refusal.of(
        TooLarge(
            "too_many_categories",
            "The columns of integers and strings have together more different values than can be listed: these would "
            f"take {len(answer):,} bytes, and this server takes {MOST_ANSWER_BYTES:,}. Use fewer such columns.",
        )
    )
    return Answer(refusal=refusal).model_dump_json().encode()


def out_of_memory(task: ReadingTask) -> TooLarge:
    """The refusal of a file that takes more memory than it may."""
    return TooLarge(
        "file_needs_too_much_memory",
        f"Reading the file takes more than {task.most_bytes:,} bytes of memory (BACKPROP_MAX_READING_BYTES). Use fewer "
        "columns, or smaller row groups where the format has them.",
        (FieldError("/file", "needs too much memory"),),
    )


def _answer(task: ReadingTask) -> Answer:
    try:
        return Answer(stored=_stored(task))
    except Exception as error:  # whatever it is, it ends this reading and nothing else
        refusal = _refusal(task, error)
        if refusal is None:
            return Answer(failure="".join(traceback.format_exception(error)))
        return Answer(refusal=Refusal.of(refusal))


def _stored(task: ReadingTask) -> StoredTable:
    file_format = task.format or find_format(task.file, task.options.filename)
    table = read_file(task.file, file_format, task.options, task.limits)
    with pa.OSFile(str(task.table), "wb") as sink:
        return store(table, task.limits, sink)


def _refusal(task: ReadingTask, error: Exception) -> ServiceError | None:
    """What a client is told of an error; None if nobody has foreseen it.

    A reader takes whatever is raised while it reads for the file's fault, so what came before is looked at first.
    """
    causes = list(_with_what_came_before(error))
    if any(isinstance(cause, MemoryError) for cause in causes):
        return out_of_memory(task)
    if any(is_full_disk(cause) for cause in causes):
        return Unavailable("storage_full", UPLOAD_NOT_KEPT)
    return error if isinstance(error, ServiceError) else None


def _with_what_came_before(error: BaseException | None) -> Iterator[BaseException]:
    """An error, the one that was being handled when it came up, and so on."""
    while error is not None:
        yield error
        error = error.__context__
