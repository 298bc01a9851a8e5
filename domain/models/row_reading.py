"""Rows as people send them in, read as a batch of the model's input columns.

A row is an object from column name to value, or an array. An object must have every input column, may have the other
columns of the dataset (people send rows of their own file; these values are not looked at), and may have nothing else.
An array has the values of the input columns in their order, or those of all columns of the dataset but the targets.

How a value is read: `value_reading`. What cannot be read is refused, with row and column named. Messages count rows
from 0, as paths do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple

from numpy.typing import NDArray

from backprop.coding.columns import Batch, Floats, NumberTable
from backprop.coding.inputs import CodedColumn, InputCoding
from backprop_client.wire.models import UnknownCategories, UnknownCategory
from backprop_client.wire.resolved_jobs import CellRules
from domain.datasets.names import composed
from domain.models.value_reading import REPORTED_PROBLEMS, ColumnReading, plain_numbers, shown
from infra.errors import FieldError, InvalidRequest

Array = NDArray[Any]
Row = Mapping[str, Any] | Sequence[Any]


class ReadRows(NamedTuple):
    """Rows that have been read.

    Attributes:
        columns: the batch.
        unknown: the values that no training row had, and that count as missing; in the order of rows and columns.
    """

    columns: Batch
    unknown: list[UnknownCategory]


class _Problem(NamedTuple):
    """What is wrong with a value: its row, the place of its column, and what to say."""

    row: int
    position: int
    told: FieldError


@dataclass(frozen=True)
class RowReader:
    """Reads rows for one model.

    Attributes:
        inputs: how the model's input columns are coded.
        targets: the columns that the model predicts.
        table: the other columns of the dataset, in the order of its file.
        cells: how the cells of the dataset's file were read; None where it had no text.
    """

    inputs: InputCoding
    targets: tuple[str, ...]
    table: tuple[str, ...]
    cells: CellRules | None

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The input columns, in the order an array must have."""
        return tuple(column.name for column in self.inputs.coded_columns)

    def read(self, rows: Sequence[Row], unknown_categories: UnknownCategories) -> ReadRows:
        """The rows as a batch.

        Raises:
            InvalidRequest: rows that cannot be read (``invalid_rows``), each problem with its place, in the order of
                rows and columns and up to `REPORTED_PROBLEMS`.
        """
        if not self._are_well_formed(rows):
            problems = list(_first(self._problems_of_form(rows)))
            if problems:
                raise _refusal(problems)
            rows = [self._composed(row) for row in rows]
        values = list(map(self._inputs, rows))
        numbers = self._all_numbers(values)
        if numbers is None:
            return self._read_by_column(rows, values, unknown_categories)
        return ReadRows(NumberTable(self.columns, numbers), [])

    def read_numbers(self, rows: Floats) -> ReadRows | None:
        """The same of arrays of finite numbers, (m, n); None if they are not all that the model wants to see."""
        inputs = self.inputs_of(rows) if self._only_numbers else None
        return None if inputs is None else ReadRows(NumberTable(self.columns, inputs, has_all=True), [])

    def inputs_of(self, rows: Array) -> Array | None:
        """The input columns, in their order, of rows that are as an array may be, (m, n); None if they are not."""
        if rows.shape[1] == len(self.columns):
            return rows
        return rows[:, self._places] if rows.shape[1] in self.widths else None

    @cached_property
    def _only_numbers(self) -> bool:
        """Whether each input column holds numbers, and no moments."""
        return all(column.categories is None and column.moments is None for column in self.inputs.coded_columns)

    def _all_numbers(self, values: Sequence[Sequence[Any]]) -> Floats | None:
        """The values of all rows, (m, inputs), NaN where one is missing; None where a closer look is needed."""
        if not self._only_numbers:
            return None
        one_after_another = list(chain.from_iterable(values))
        numbers = plain_numbers(one_after_another, self._may_miss)
        return None if numbers is None else numbers.reshape(len(values), len(self.columns))

    @property
    def _may_miss(self) -> bool:
        return self.inputs.missing == "impute"

    def _read_by_column(
        self, rows: Sequence[Row], values: Sequence[Sequence[Any]], unknown_categories: UnknownCategories
    ) -> ReadRows:
        """Read the columns one by one, and gather what is wrong.

        Args:
            rows: as they came.
            values: of their inputs, in the inputs' order.
            unknown_categories: as in the request.
        """
        batch: dict[str, Array] = {}
        wrong: list[_Problem] = []
        unknown: list[tuple[int, int]] = []
        by_column = zip(*values, strict=True) if values else iter([()] * len(self.columns))
        for position, (column, of_column) in enumerate(zip(self.inputs.coded_columns, by_column, strict=True)):
            reading = self.reading_of(column, unknown_categories)
            batch[column.name] = reading.read(of_column)
            unknown += [(row, position) for row in reading.unknown]
            wrong += [
                _Problem(row, position, _told(row, self._place(rows[row], position), column, reason))
                for row, reason in reading.objections
            ]
        if wrong:
            raise _refusal([problem.told for problem in sorted(wrong)[:REPORTED_PROBLEMS]])
        return ReadRows(
            batch, [UnknownCategory(row=row, column=self.columns[position]) for row, position in sorted(unknown)]
        )

    def reading_of(self, column: CodedColumn, unknown_categories: UnknownCategories) -> ColumnReading:
        """What reads the values of one of the input columns."""
        return ColumnReading(column, self._may_miss, self.cells, unknown_categories)

    @cached_property
    def known(self) -> frozenset[str]:
        """The columns that a row may have."""
        return frozenset((*self.table, *self.targets, *self.columns))

    def _composed(self, row: Row) -> Row:
        """The row with its names as the model spells them: an é is the same however it was typed."""
        if not isinstance(row, dict) or row.keys() <= self.known:
            return row
        return {self.spelled(name): value for name, value in row.items()}

    def spelled(self, name: str) -> str:
        """A column's name as the model spells it; itself if it is none."""
        return self._spelling.get(composed(name), name)

    @cached_property
    def _spelling(self) -> dict[str, str]:
        return {composed(name): name for name in self.known}

    @property
    def widths(self) -> tuple[int, int]:
        """How many values an array may have."""
        return len(self.columns), len(self.table) or len(self.columns)

    def _are_well_formed(self, rows: Sequence[Row]) -> bool:
        """Whether the rows are all objects or all arrays, with the right names. If not they may still be right."""
        kinds = set(map(type, rows))
        if kinds == {list}:
            return set(map(len, rows)) <= set(self.widths)
        return kinds == {dict} and all(self._needed <= set(names) <= self.known for names in set(map(tuple, rows)))

    def _problems_of_form(self, rows: Sequence[Row]) -> Iterator[FieldError]:
        """What is wrong with the rows before any value is looked at."""
        widths = self.widths
        for index, row in enumerate(rows):
            if isinstance(row, dict):
                if not self._needed <= row.keys() <= self.known:
                    yield from self._problems_of_names(index, row)
            elif not isinstance(row, list):
                yield FieldError(f"/rows/{index}", f"Row {index} is neither an object nor an array.")
            elif len(row) not in widths:
                yield FieldError(
                    f"/rows/{index}",
                    f"Row {index} has {len(row)} values, and this model has {widths[0]} input columns"
                    + ("." if widths[0] == widths[1] else f", of {widths[1]} that its dataset has."),
                )

    def _problems_of_names(self, index: int, row: Mapping[str, Any]) -> Iterator[FieldError]:
        spelled = self._composed(row)
        assert isinstance(spelled, dict)  # noqa: S101  # as the row is
        for name in self.columns:
            if name not in spelled:
                yield FieldError(
                    f"/rows/{index}/{_pointer_token(name)}", f"Row {index} has no value for column {name!r}."
                )
        if len(spelled) < len(row):
            [(name, _)] = Counter(map(self.spelled, row)).most_common(1)
            yield FieldError(
                f"/rows/{index}/{_pointer_token(name)}",
                f"Row {index} has two values for column {name!r}, whose name is written in two ways.",
            )
        for name in spelled:
            if name not in self.known:
                yield FieldError(
                    f"/rows/{index}/{_pointer_token(name)}",
                    f"Row {index} has {shown(name)}, which is no column of this model.",
                )

    def _place(self, row: Row, position: int) -> str:
        """The key or position of an input column's value in a row."""
        if isinstance(row, dict):
            return _pointer_token(self.columns[position])
        return str(position if len(row) == len(self.columns) else self._places[position])

    def _inputs(self, row: Row) -> Sequence[Any]:
        """The values of the input columns, in their order."""
        if isinstance(row, dict):
            return self._by_name(row)
        return list(row) if len(row) == len(self.columns) else self._by_place(row)

    @cached_property
    def _needed(self) -> frozenset[str]:
        return frozenset(self.columns)

    @cached_property
    def _by_name(self) -> Callable[[Row], Sequence[Any]]:
        return _picking(self.columns)

    @cached_property
    def _by_place(self) -> Callable[[Row], Sequence[Any]]:
        return _picking(self._places)

    @cached_property
    def _places(self) -> list[int]:
        """Where the input columns are in the table."""
        place = {name: position for position, name in enumerate(self.table)}
        return [place[name] for name in self.columns]


def _picking(keys: Sequence[str] | Sequence[int]) -> Callable[[Row], Sequence[Any]]:
    """What takes the values under these keys out of a row."""
    if len(keys) == 1:
        (key,) = keys
        return lambda row: (row[key],)  # type: ignore[index]  # the keys are those of such a row
    return itemgetter(*keys)


def _first(problems: Iterator[FieldError]) -> Iterator[FieldError]:
    for problem, _ in zip(problems, range(REPORTED_PROBLEMS), strict=False):
        yield problem


def _refusal(problems: list[FieldError]) -> InvalidRequest:
    return InvalidRequest("invalid_rows", problems[0].message, tuple(problems))


def _told(row: int, place: str, column: CodedColumn, reason: str) -> FieldError:
    return FieldError(f"/rows/{row}/{place}", f"Row {row}, column {column.name!r}: {reason}.")


def _pointer_token(name: str) -> str:
    """A key within a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1").encode(errors="backslashreplace").decode()
