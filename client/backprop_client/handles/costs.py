"""The costs of a job as columns, and as what other libraries have for a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from backprop_client.tables.libraries import needed
from backprop_client.wire.jobs import CostOut

_COLUMNS = tuple(CostOut.model_fields)


class Costs:
    """J(W,b) of iterations, in order, and its terms: a column for each field of `CostOut`.

    An attribute gives a column as a list: ``costs.cost``, ``costs.held_out_cost``. `held_out_cost` has None where the
    held-out rows were not measured; NumPy, pandas and Polars have NaN or null there.
    """

    iteration: list[int]
    cost: list[float]
    data_cost: list[float]
    decay_cost: list[float]
    sparsity_cost: list[float]
    held_out_cost: list[float | None]
    evaluations: list[int]

    def __init__(self, rows: Iterable[CostOut]) -> None:
        found = list(rows)
        for name in _COLUMNS:
            setattr(self, name, [getattr(row, name) for row in found])

    def __len__(self) -> int:
        return len(self.iteration)

    def __repr__(self) -> str:
        if not len(self):
            return "Costs(none yet)"
        return f"Costs(iterations {self.iteration[0]:,} to {self.iteration[-1]:,}, J = {self.cost[-1]:.6g})"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:  # noqa: ANN401  # always a new one
        """As `to_numpy`, for functions of NumPy's."""
        array = self.to_numpy()
        return array if dtype is None else array.astype(dtype)

    def to_numpy(self) -> Any:  # noqa: ANN401
        """A structured array with a field for each column; NaN where the held-out rows were not measured."""
        numpy = needed("numpy", "An array of costs")
        array = numpy.empty(len(self), dtype=[(name, "i8" if name in _INTEGERS else "f8") for name in _COLUMNS])
        for name in _COLUMNS:
            array[name] = numpy.array(getattr(self, name), dtype=array.dtype[name])
        return array

    def to_pandas(self) -> Any:  # noqa: ANN401
        """A frame whose index is the iteration."""
        return needed("pandas", "A frame of costs").DataFrame(self.to_numpy()).set_index("iteration")

    def to_polars(self) -> Any:  # noqa: ANN401
        """A frame; null where the held-out rows were not measured."""
        polars = needed("polars", "A frame of costs")
        types = {name: polars.Int64 if name in _INTEGERS else polars.Float64 for name in _COLUMNS}
        return polars.DataFrame({name: getattr(self, name) for name in _COLUMNS}, schema=types)


_INTEGERS = ("iteration", "evaluations")


def plotted(costs: Costs, title: str, axes: Any) -> Any:  # noqa: ANN401
    """A drawing of costs by matplotlib: J, and J of the held-out rows where it was measured.

    Args:
        costs: to draw.
        title: above them.
        axes: where to draw; None: in a new figure.

    Raises:
        ImportError: matplotlib is not installed.
    """
    if axes is None:
        _, axes = needed("matplotlib.pyplot", "A drawing of costs").subplots()
    axes.plot(costs.iteration, costs.cost, label="J(W,b)")
    measured = measured_held_out(costs.iteration, costs.held_out_cost)
    if measured:
        axes.plot(*zip(*measured, strict=True), label="held out")
        axes.legend()
    if costs.cost and min(costs.cost) > 0:
        axes.set_yscale("log")
    axes.set(xlabel="iteration", ylabel="cost", title=title)
    return axes


def measured_held_out(iterations: Sequence[int], costs: Sequence[float | None]) -> list[tuple[int, float]]:
    """The iterations at which the held-out rows were measured, with their cost."""
    return [(iteration, cost) for iteration, cost in zip(iterations, costs, strict=True) if cost is not None]
