"""The tutorial's four steps for one example, as tables of a small layer and as pictures of a large one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from app.pages.pictures.grid import outer_product_grid, unit_grid
from app.pages.wording import number
from domain.models.example import Example

Floats = NDArray[np.floating[Any]]

SMALL = 12
"""Units. A table of so many rows and columns can be read; of larger layers a picture is drawn."""

LISTED = 8
"""Numbers. So many of the largest stand beside a picture."""

WORKED = 6
"""Units. The sum over so many can be written out in one line."""


class Row(NamedTuple):
    """A row of a table.

    Attributes:
        label: of which unit, or of which weight.
        values: one for each heading.
    """

    label: Markup
    values: Sequence[float]


class Picture(NamedTuple):
    """Many numbers as a picture.

    Attributes:
        caption: what they are.
        svg: the picture.
    """

    caption: Markup
    svg: Markup


@dataclass(frozen=True)
class Numbers:
    """Numbers of a layer.

    Attributes:
        caption: what the table is of.
        label: what its rows are.
        headings: of its columns.
        rows: all units of a small layer, of a large one those with the largest last number.
        pictures: of all units; none where the table has them.
        count: how many rows there would be.
    """

    caption: str
    label: str
    headings: Sequence[Markup]
    rows: Sequence[Row]
    pictures: Sequence[Picture]
    count: int


@dataclass(frozen=True)
class ForwardStep:
    """Step 1 of a layer.

    Attributes:
        layer: its number, from 2.
        units: how many it has.
        activation: f.
        numbers: z and a of its units, and what they come from where that is little.
        worked: the first unit's computation, written out; None where it is too long for a line.
    """

    layer: int
    units: int
    activation: str
    numbers: Numbers
    worked: Markup | None


@dataclass(frozen=True)
class BackwardStep:
    """Step 2 of the output layer, or step 3 of a hidden one.

    Attributes:
        layer: its number.
        units: how many it has.
        activation: f.
        numbers: δ of its units, and what it comes from.
    """

    layer: int
    units: int
    activation: str
    numbers: Numbers


@dataclass(frozen=True)
class GradientStep:
    """Step 4 of a layer.

    Attributes:
        layer: l of ∇W(l), from 1.
        units: rows of W(l), s_{l+1}.
        inputs: its columns, s_l.
        numbers: the derivatives.
    """

    layer: int
    units: int
    inputs: int
    numbers: Numbers


class Steps(NamedTuple):
    """All four.

    Attributes:
        inputs: x, and what its values stand for.
        forward: of layers 2, …, n_l.
        backward: of layers n_l, …, 2.
        gradients: of W(1) and b(1), …
    """

    inputs: Numbers
    forward: Sequence[ForwardStep]
    backward: Sequence[BackwardStep]
    gradients: Sequence[GradientStep]


def steps_of(example: Example) -> Steps:
    """The steps of an example."""
    last = len(example.trace.a)
    return Steps(
        _of_units(
            "Layer 1, the coded inputs", _named(example.input_units), {_indexed("a", 1, "i"): example.trace.a[0]}
        ),
        [_forward(example, layer) for layer in range(2, last + 1)],
        [_output(example), *(_hidden(example, layer) for layer in range(last - 1, 1, -1))],
        [_gradient(example, layer) for layer in range(1, last)],
    )


def _forward(example: Example, layer: int) -> ForwardStep:
    traced = example.trace
    network, parameters = traced.network, example.model.parameters
    W, b, inputs = parameters.W[layer - 2], parameters.b[layer - 2], traced.a[layer - 2]
    z, a = traced.z[layer - 2], traced.a[layer - 1]
    units, activation = network.sizes[layer - 1], network.layers[layer - 2].activation
    labels = _unit_labels(example, layer)
    caption = f"Layer {layer}, forward"
    if max(W.shape) <= SMALL:
        headings = [
            *(
                _with_value(_indexed("W", layer - 1, f"i{j}"), _indexed("a", layer - 1, j), a_j)
                for j, a_j in _counted(inputs)
            ),
            _indexed("b", layer - 1, "i"),
            _indexed("z", layer, "i"),
            _indexed("a", layer, "i"),
        ]
        rows = [Row(labels[i], [*map(float, W[i]), float(b[i]), float(z[i]), float(a[i])]) for i in range(units)]
        numbers = Numbers(caption, "Unit i", headings, rows, [], units)
    else:
        numbers = _of_units(caption, labels, {_indexed("z", layer, "i"): z, _indexed("a", layer, "i"): a})
    return ForwardStep(layer, units, activation, numbers, _worked(W[0], b[0], inputs, z[0], layer))


def _worked(W: Floats, b: float, a: Floats, z: float, layer: int) -> Markup | None:
    """The z of a layer's first unit as a sum that is written out."""
    if len(a) > WORKED:
        return None
    products = " + ".join(f"{_factor(w)} · {_factor(a_j)}" for w, a_j in zip(W, a, strict=True))
    return Markup("{} = {} + {} = {}").format(_indexed("z", layer, 1), products, _factor(b), number(float(z)))


def _factor(value: float) -> str:
    """A number in a sum, in brackets if it is negative."""
    text = f"{float(value):.3g}".replace("-", "−")
    return f"({text})" if value < 0 else text


def _output(example: Example) -> BackwardStep:
    traced = example.trace
    layer = len(traced.a)
    a, delta = traced.a[-1], traced.deltas[-1]
    columns = {_indexed("y", None, "i"): traced.y, _indexed("a", layer, "i"): a}
    activation = traced.network.layers[-1].activation
    if (example.job.training.cost or "squared_error") == "squared_error" and activation != "softmax":
        columns[_slope(layer)] = traced.slopes[-1]
    columns[_indexed("δ", layer, "i")] = delta
    numbers = _of_units(f"Layer {layer}, backward", _unit_labels(example, layer), columns)
    return BackwardStep(layer, len(a), activation, numbers)


def _hidden(example: Example, layer: int) -> BackwardStep:
    traced = example.trace
    columns = {
        Markup("Σ<sub>j</sub> {} {}").format(_indexed("W", layer, "ji"), _indexed("δ", layer + 1, "j")): traced.errors[
            layer - 2
        ],
        _slope(layer): traced.slopes[layer - 2],
        _indexed("δ", layer, "i"): traced.deltas[layer - 2],
    }
    numbers = _of_units(f"Layer {layer}, backward", _unit_labels(example, layer), columns)
    return BackwardStep(layer, len(traced.z[layer - 2]), traced.network.layers[layer - 2].activation, numbers)


def _gradient(example: Example, layer: int) -> GradientStep:
    traced = example.trace
    a, delta = traced.a[layer - 1], traced.deltas[layer - 1]
    caption = f"Gradient of layer {layer}’s weights and biases"
    if max(len(a), len(delta)) <= SMALL:
        headings = [
            *(_with_value(_derivative(layer, f"i{j}"), _indexed("a", layer, j), a_j) for j, a_j in _counted(a)),
            Markup("∂J/∂{}").format(_indexed("b", layer, "i")),
        ]
        rows = [
            Row(
                _with_value(_indexed("δ", layer + 1, i), None, delta_i),
                [*(float(a_j * delta_i) for a_j in a), float(delta_i)],
            )
            for i, delta_i in _counted(delta)
        ]
        numbers = Numbers(caption, "δ of unit i", headings, rows, [], len(delta))
    else:
        numbers = _large_gradient(caption, layer, a, delta)
    return GradientStep(layer, len(delta), len(a), numbers)


def _large_gradient(caption: str, layer: int, a: Floats, delta: Floats) -> Numbers:
    """The picture of ∇W, and its largest values, which come from the largest δ and a."""
    rows, columns = _largest(delta), _largest(a)
    products = np.outer(delta[rows], a[columns])
    listed = [divmod(int(place), len(columns)) for place in _largest(products.ravel())]
    pictures = [
        Picture(_nabla("W", layer), outer_product_grid(delta, a, f"Derivatives by W({layer})")),
        Picture(_nabla("b", layer), unit_grid(delta, f"Derivatives by b({layer})")),
    ]
    return Numbers(
        caption,
        "Weight",
        [Markup("∂J/∂{}").format(_indexed("W", layer, "ij"))],
        [Row(_indexed("W", layer, f"{rows[i] + 1},{columns[j] + 1}"), [float(products[i, j])]) for i, j in listed],
        pictures,
        len(a) * len(delta),
    )


def _of_units(caption: str, labels: Sequence[Markup], columns: Mapping[Markup, Floats]) -> Numbers:
    """Some numbers of each unit of a layer; those with the largest last number if they are many."""
    values = list(columns.values())
    units = len(values[-1])
    chosen = range(units) if units <= SMALL else map(int, _largest(values[-1]))
    pictures = (
        []
        if units <= SMALL
        else [Picture(name, unit_grid(each, f"{caption}: {name.striptags()}")) for name, each in columns.items()]
    )
    rows = [Row(labels[i], [float(each[i]) for each in values]) for i in chosen]
    return Numbers(caption, "Unit i", list(columns), rows, pictures, units)


def _largest(values: Floats) -> NDArray[np.intp]:
    """The places of the largest values by magnitude, the largest first."""
    count = min(LISTED, len(values))
    found = np.argpartition(-np.abs(values), count - 1)[:count]
    ordered: NDArray[np.intp] = found[np.argsort(-np.abs(values[found]), kind="stable")]
    return ordered


def _unit_labels(example: Example, layer: int) -> Sequence[Markup]:
    """What the units of a layer are called: by their numbers, and in the last layer by what they stand for."""
    if layer < len(example.trace.a):
        return [Markup("{}").format(i) for i in range(1, example.trace.network.sizes[layer - 1] + 1)]
    return _named(example.output_units)


def _named(units: Sequence[str]) -> Sequence[Markup]:
    return [Markup("{}: {}").format(i, name) for i, name in enumerate(units, start=1)]


def _counted(values: Floats) -> Sequence[tuple[int, float]]:
    return [(index, float(value)) for index, value in enumerate(values, start=1)]


def _indexed(symbol: str, layer: int | None, index: int | str) -> Markup:
    """A symbol with its layer above and its index below, such as z(2)_i."""
    above = Markup("") if layer is None else Markup("<sup>({})</sup>").format(layer)
    return Markup("<i>{}</i><sub>{}</sub>{}").format(symbol, index, above)


def _nabla(symbol: str, layer: int) -> Markup:
    return Markup("∇<i>{}</i><sup>({})</sup>").format(symbol, layer)


def _derivative(layer: int, index: str) -> Markup:
    return Markup("∂J/∂{}").format(_indexed("W", layer, index))


def _slope(layer: int) -> Markup:
    return Markup("<i>f</i>′({})").format(_indexed("z", layer, "i"))


def _with_value(name: Markup, of: Markup | None, value: float) -> Markup:
    """A heading with a number below it: its own, or that of something else."""
    below = number(value) if of is None else Markup("{} = {}").format(of, number(value))
    return Markup("{}<br><small>{}</small>").format(name, below)
