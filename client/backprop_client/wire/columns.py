"""What is known of a dataset's columns: their types and summaries, as stored with the dataset and shown to clients."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr

ColumnType = Literal["integer", "number", "boolean", "category", "text", "datetime"]

Period = Literal["year", "week", "day"]
"""What comes back in time: the calendar year, the week from Monday on, the day from midnight on. All are in UTC."""

RowNames = Literal["nameless", "counts", "pandas_index"]
"""Why a column is taken for names of rows: it is the first one and its name in the header is empty; it holds whole
numbers that count the rows from 0 or from 1; or Parquet's pandas metadata calls it an index."""

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
    which neither an input nor a target can use. A column of floats that are all whole, within ±2⁵³, is an `integer`.

    Attributes:
        name: as in the file's header, or ``column_1``, ``column_2``, … where there is none.
        type: what every present value of the column is.
        missing: how many rows have no value here.
        minimum, maximum, mean, standard_deviation: of the present values (population form, divisor m);
            None unless the type is integer or number and at least one value is present.
        categories: the distinct present values, sorted, of an integer, boolean or category column that has at
            most `CATEGORY_LIMIT` of them; None otherwise.
        earliest, latest: of the present values of a datetime column, in ISO 8601: a date where all are midnights, a
            time where all are times of day, else a date and time in UTC; None for other types, and without a value.
        times_of_day: whether a datetime column holds times without a date.
        periods: which periods a datetime column spans; None for other types. A period counts if the latest value
            is at least so much later than the earliest, and the values are not all at the same point of it. For times
            of day that is the day, unless all are the same.
        row_names: why the column is taken for names of rows; None where it is not.
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
    earliest: str | None = None
    latest: str | None = None
    times_of_day: bool = False
    periods: tuple[Period, ...] | None = None
    row_names: RowNames | None = None
