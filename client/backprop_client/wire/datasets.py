"""What a client sends and gets about datasets."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from backprop_client.wire.columns import Column
from backprop_client.wire.names import Name

Format = Literal["csv", "parquet", "json", "npz"]

Scalar: TypeAlias = int | float | bool | str | None
"""One value of a table. None stands for a missing one."""


class UploadFields(BaseModel):
    """The fields that may come with an uploaded file."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = Field(None, description="For people; need not be unique. Default: the file's name.")
    format: Format | None = Field(
        None, description="The file's format. Default: by the suffix of the file's name, else by its first bytes."
    )
    header: bool | None = Field(
        None,
        description="Whether the first row names the columns. CSV: by default it does unless one of its cells is a "
        "number. JSON rows that are arrays: by default it does not. Other formats have names of their own.",
    )
    delimiter: Literal[",", ";", "\t", "|"] | None = Field(
        None, description="What is between the cells of a CSV file. Default: found out from its first rows."
    )


class DatasetSummary(BaseModel):
    """An uploaded table, without its columns."""

    id: str
    name: str
    format: str = Field(description="What the file was: csv, parquet, json or npz.")
    filename: str
    bytes: int = Field(description="Length of the uploaded file.")
    sha256: str = Field(description="Of the uploaded file, in hexadecimal.")
    rows: int
    created_at: datetime


class DatasetOut(DatasetSummary):
    """An uploaded table."""

    model_config = ConfigDict(title="Dataset")

    columns: tuple[Column, ...]


class DatasetPage(BaseModel):
    """Datasets, newest first. The columns of each are at its own address."""

    data: list[DatasetSummary]
    has_more: bool


class Preview(BaseModel):
    """First rows of a dataset; null is a missing value."""

    columns: list[str]
    rows: list[list[Scalar]]
