"""A model's answers in the form in which the rows came: one column as a series or array, several as a table.

An answer comes as a list of Python's values, or as an array of Arrow's where pyarrow has read it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from backprop_client.tables.libraries import needed

Label = bool | int | str

Answers = Any
"""The values of one column of answers: a list, or an array of Arrow's."""


class AnswerForm(Protocol):
    """What answers are made into."""

    def one(self, name: str, answers: Answers) -> Any:  # noqa: ANN401
        """One column of answers."""

    def several(self, columns: Mapping[Label, Answers]) -> Any:  # noqa: ANN401
        """Several columns of answers, by name or, of scores, by class."""


def text_of(label: Label) -> str:
    """A class as the name of a column: as the service writes it."""
    return str(label).lower() if isinstance(label, bool) else str(label)


@dataclass(frozen=True)
class PandasForm:
    """A series, or a frame, with the index that the rows had."""

    index: Any

    def one(self, name: str, answers: Answers) -> Any:  # noqa: ANN401
        """A series of that name."""
        pandas = needed("pandas", "A series")
        return pandas.Series(_as_numpy_or_list(answers), index=self.index, name=name)

    def several(self, columns: Mapping[Label, Answers]) -> Any:  # noqa: ANN401
        """A frame. Of scores, the classes themselves name its columns."""
        pandas = needed("pandas", "A frame")
        frame = pandas.DataFrame({place: _as_numpy_or_list(each) for place, each in enumerate(columns.values())})
        frame.columns = pandas.Index(list(columns))
        return frame.set_axis(self.index, axis=0)


class PolarsForm:
    """A series or frame of Polars's."""

    def one(self, name: str, answers: Answers) -> Any:  # noqa: ANN401
        """A series of that name."""
        return needed("polars", "A series").Series(name, _as_numpy_or_list(answers))

    def several(self, columns: Mapping[Label, Answers]) -> Any:  # noqa: ANN401
        """A frame."""
        polars = needed("polars", "A frame")
        return polars.DataFrame({text_of(name): _as_numpy_or_list(each) for name, each in columns.items()})


class ArrowForm:
    """An array or table of Arrow's."""

    def one(self, name: str, answers: Answers) -> Any:  # noqa: ANN401, ARG002  # an array has no name
        """An array."""
        pa = needed("pyarrow", "An array of Arrow's")
        return answers.combine_chunks() if isinstance(answers, pa.ChunkedArray) else pa.array(answers)

    def several(self, columns: Mapping[Label, Answers]) -> Any:  # noqa: ANN401
        """A table."""
        return needed("pyarrow", "A table of Arrow's").table({text_of(name): each for name, each in columns.items()})


class NumpyForm:
    """An array of one or two dimensions; a structured one where columns are of different types."""

    def one(self, name: str, answers: Answers) -> Any:  # noqa: ANN401, ARG002  # an array has no name
        """An array of one dimension."""
        return _as_numpy(answers)

    def several(self, columns: Mapping[Label, Answers]) -> Any:  # noqa: ANN401
        """An array with a column for each."""
        arrays = [_as_numpy(each) for each in columns.values()]
        if len({array.dtype.kind for array in arrays}) > 1:
            return StructuredForm().several(columns)
        return needed("numpy", "An array").stack(arrays, axis=1)


class StructuredForm:
    """An array of one dimension, or a structured one."""

    def one(self, name: str, answers: Answers) -> Any:  # noqa: ANN401, ARG002  # an array has no name
        """An array of one dimension."""
        return _as_numpy(answers)

    def several(self, columns: Mapping[Label, Answers]) -> Any:  # noqa: ANN401
        """A structured array, with a field for each."""
        numpy = needed("numpy", "An array")
        arrays = {text_of(name): _as_numpy(each) for name, each in columns.items()}
        rows = len(next(iter(arrays.values())))
        filled = numpy.empty(rows, dtype=[(name, array.dtype) for name, array in arrays.items()])
        for name, array in arrays.items():
            filled[name] = array
        return filled


class ColumnsForm:
    """A list, or a dict of lists."""

    def one(self, name: str, answers: Answers) -> Any:  # noqa: ANN401, ARG002  # a list has no name
        """A list."""
        return _as_list(answers)

    def several(self, columns: Mapping[Label, Answers]) -> Any:  # noqa: ANN401
        """From name, or class, to list."""
        return {name: _as_list(each) for name, each in columns.items()}


class RowsForm:
    """A list of values, or of dicts."""

    def one(self, name: str, answers: Answers) -> Any:  # noqa: ANN401, ARG002  # a list has no name
        """A list."""
        return _as_list(answers)

    def several(self, columns: Mapping[Label, Answers]) -> Any:  # noqa: ANN401
        """A dict for each row, from name or class to value."""
        names = list(columns)
        rows = zip(*(_as_list(each) for each in columns.values()), strict=True)
        return [dict(zip(names, row, strict=True)) for row in rows]


def joined(parts: Sequence[Answers]) -> Answers:
    """The answers of parts of the rows, in order."""
    if len(parts) == 1:
        return parts[0]
    if all(isinstance(part, list) for part in parts):
        return [answer for part in parts for answer in part]
    pa = needed("pyarrow", "An array of Arrow's")
    return pa.chunked_array([chunk for part in parts for chunk in part.chunks])


def _as_list(answers: Answers) -> list[Any]:
    return answers if isinstance(answers, list) else list(answers.to_pylist())


def _as_numpy_or_list(answers: Answers) -> Any:  # noqa: ANN401
    """Numbers as an array; labels that are strings as a list, of which each library makes its own strings."""
    if isinstance(answers, list) or not _is_numeric(answers):
        return _as_list(answers)
    return answers.to_numpy()


def _as_numpy(answers: Answers) -> Any:  # noqa: ANN401
    numpy = needed("numpy", "An array")
    return numpy.asarray(_as_numpy_or_list(answers))


def _is_numeric(answers: Any) -> bool:  # noqa: ANN401
    types = needed("pyarrow", "An array of Arrow's").types
    return bool(types.is_integer(answers.type) or types.is_floating(answers.type))
