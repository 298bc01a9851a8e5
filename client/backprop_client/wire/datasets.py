"""What a client sends and gets about datasets."""

from __future__ import annotations

import codecs
import json
from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from backprop_client.wire.captions import NAME, NOTE, TAGS, Captioned, Note
from backprop_client.wire.columns import Column, ColumnType
from backprop_client.wire.names import Name, Tags

Format = Literal["csv", "parquet", "json", "npz", "arrow"]

Delimiter = Literal[",", ";", "\t", "|", " "]
Decimal = Literal[".", ","]

MISSING = ("", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "-NaN", "-nan", "null", "NULL", "Null")
"""These cells of a CSV file stand for a missing value in any column."""

SPACES = " \t\u00a0\u202f"
"""These do not count around a cell of a CSV file. The last two are the no-break space and its narrow sister."""

Scalar: TypeAlias = int | float | bool | str | None
"""One value of a table. None stands for a missing one."""


def _known_encoding(name: str) -> str:
    """The encoding's own name, of those that turn text into bytes."""
    try:
        "".encode(name)
    except LookupError as error:
        raise ValueError(f"there is no text encoding {name!r}") from error
    return codecs.lookup(name).name


def _parsed(text: object) -> object:
    """The value of a field that is written as JSON, since a form knows only text."""
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"must be JSON: {error}") from error


def _words(text: object) -> object:
    """A JSON array of words and numbers, or else the text as the only word."""
    if not isinstance(text, str) or not text.lstrip().startswith("["):
        return (text,) if isinstance(text, str) else text
    words = _parsed(text)
    assert isinstance(words, list)  # noqa: S101  # it begins with a bracket
    return [json.dumps(word) if type(word) in (int, float) else word for word in words]


Encoding = Annotated[str, AfterValidator(_known_encoding)]
MissingWords = Annotated[tuple[str, ...], BeforeValidator(_words), Field(min_length=1, max_length=1_000)]
ColumnTypes = Annotated[dict[str, ColumnType], BeforeValidator(_parsed), Field(min_length=1, max_length=10_000)]


def _tags(text: object) -> object:
    """A JSON array, or words with commas between them."""
    if not isinstance(text, str):
        return text
    return _parsed(text) if text.lstrip().startswith("[") else [word.strip() for word in text.split(",")]


FormTags = Annotated[Tags, BeforeValidator(_tags)]


class UploadFields(BaseModel):
    """The fields that may come with an uploaded file."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = Field(None, description=f"{NAME} Default: the file's name.")
    tags: FormTags | None = Field(
        None,
        description=f"{TAGS} A JSON array, or with commas between them.",
        examples=["digits,baseline", '["digits", "baseline"]'],
    )
    note: Note | None = Field(None, description=NOTE)
    format: Format | None = Field(
        None, description="The file's format. Default: by the suffix of the file's name, else by its first bytes."
    )
    header: bool | None = Field(
        None,
        description="Whether the first row names the columns. CSV: by default that is found out from what is in it and "
        "below it. JSON rows that are arrays: by default it does not. Other formats have names of their own.",
    )
    delimiter: Delimiter | None = Field(
        None,
        description="What is between the cells of a CSV file; a space stands for any number of spaces and tabs. "
        "Default: found out from the file's name and its first rows.",
    )
    decimal: Decimal | None = Field(
        None,
        description="What is before the decimals of a number in a CSV file. Default: found out, and a point where "
        "the delimiter is a comma.",
    )
    encoding: Encoding | None = Field(
        None,
        description="Of a CSV or JSON file: utf-8, utf-16, windows-1252 or any other that Python knows. Default: "
        "found out from its bytes.",
    )
    missing_values: MissingWords | None = Field(
        None,
        description="Further words or numbers that stand for a missing value in any column: a JSON array, or a single "
        "word.",
        examples=['["-999", "unknown"]'],
    )
    types: ColumnTypes | None = Field(
        None,
        description="Types of columns that are to be read otherwise than they would be: a JSON object from column to "
        "type. A cell that is none of its column's type is refused.",
        examples=['{"zip": "category", "year": "number"}'],
    )


class ReadAs(BaseModel):
    """How a file was read. What does not apply to its format is null."""

    model_config = ConfigDict(frozen=True)

    format: Format
    encoding: str | None = Field(None, description="Of its text: utf-8, utf-16, windows-1252, ….")
    delimiter: Delimiter | None = Field(None, description="Between the cells; a space stands for any number of them.")
    decimal: Decimal | None = Field(None, description="Before the decimals of numbers.")
    header: bool | None = Field(None, description="Whether the first row was taken for the names of the columns.")
    missing_values: tuple[str, ...] = Field((), description="The words that were given as further missing values.")


class Remark(BaseModel):
    """Something about a file that a person should look at."""

    model_config = ConfigDict(frozen=True)

    column: str | None = Field(None, description="The column it is about; null for the whole file.")
    message: str


class DatasetSummary(Captioned):
    """An uploaded table, without its columns."""

    id: str
    name: str = Field(description="What people call it, or the file's name; need not be unique.")
    format: str = Field(description="What the file was: csv, parquet, json, npz or arrow.")
    filename: str
    bytes: int = Field(description="Length of the uploaded file.")
    sha256: str = Field(description="Of the uploaded file, in hexadecimal.")
    rows: int
    created_at: datetime


class DatasetOut(DatasetSummary):
    """An uploaded table."""

    model_config = ConfigDict(title="Dataset")

    columns: tuple[Column, ...]
    read_as: ReadAs | None = Field(description="How the file was read; null for files read before this was kept.")
    remarks: tuple[Remark, ...] = Field(description="What may have been read otherwise than it was meant.")


class DatasetPage(BaseModel):
    """Datasets, newest first. The columns of each are at its own address."""

    data: list[DatasetSummary]
    has_more: bool


class Preview(BaseModel):
    """First rows of a dataset; null is a missing value."""

    columns: list[str]
    rows: list[list[Scalar]]
