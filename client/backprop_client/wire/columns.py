"""What is known of a dataset's columns: their types and summaries, as stored with the dataset and shown to clients."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr

ColumnType = Literal["integer", "number", "boolean", "category", "text"]

Labels = Annotated[
    tuple[StrictInt, ...] | tuple[StrictBool, ...] | tuple[StrictStr, ...], Field(union_mode="left_to_right")
]
"""Distinct values of one type. They are read strictly, since otherwise the integers 0 and 1 would come back as
booleans. No value has two of these types, so the first that fits will do; trying the others too takes six times as
long."""

CATEGORY_LIMIT = 1_000
"""Distinct values. The categories of a column with more are neither counted nor coded; a column of strings becomes
`text`."""


class Column(BaseModel):
    """One typed column and its summary over all rows of the dataset.

    A `category` is a column of strings with at most `CATEGORY_LIMIT` distinct values; beyond that it is `text`,
    which neither an input nor a target can use.

    Attributes:
        name: as in the file's header, or ``column_1``, ``column_2``, … where there is none.
        type: what every present value of the column is.
        missing: how many rows have no value here.
        minimum, maximum, mean, standard_deviation: of the present values (population form, divisor m);
            None unless the type is integer or number and at least one value is present.
        categories: the distinct present values, sorted, of an integer, boolean or category column that has at
            most `CATEGORY_LIMIT` of them; None otherwise.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    type: ColumnType
    missing: int
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    standard_deviation: float | None = None
    categories: Labels | None = None
