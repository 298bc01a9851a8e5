"""What a model's stored metrics show: how good it is beside the trivial model, and where it errs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from app.pages.pictures.chart import STYLES, Axis, Chart, Line
from backprop_client.wire.registration import Split

SHADES = 5
"""Shades of a cell that counts something, ``shade-1`` to ``shade-5``; a cell of none has ``shade-0``."""

MOST_LINES = STYLES
"""Lines of a chart: so many can be told apart."""

PERCENTAGES = frozenset({"accuracy", "balanced_accuracy"})
"""Metrics that people read as percentages."""

_UNIT = (0.0, 1.0)


@dataclass(frozen=True)
class Worth:
    """How good a model is, in one number beside that of the trivial model.

    Attributes:
        metric: which number it is, as people call it; None where none is measured.
        value: the model's.
        trivial: that of the trivial model; None where it is not known.
        is_percentage: whether both are shares of rows.
        on: on which rows they are measured.
        rows: how many these are.
    """

    metric: str | None
    value: float | None
    trivial: float | None
    is_percentage: bool
    on: Split
    rows: int


@dataclass(frozen=True)
class MetricRow:
    """One metric, on all rows that it was measured on.

    Attributes:
        name: as people call it.
        training: of the model on the rows that it was trained on.
        trivial_training: of the trivial model there.
        held_out: of the model on the rows held out.
        trivial_held_out: of the trivial model there.
    """

    name: str
    training: float | None
    trivial_training: float | None
    held_out: float | None
    trivial_held_out: float | None


@dataclass(frozen=True)
class ClassRow:
    """How well one class is told from the others.

    Attributes:
        label: the class.
        precision: of the rows for which it was predicted, the share that has it.
        recall: of the rows that have it, the share for which it was predicted.
        f1: both in one.
        roc_auc: the area under its ROC curve.
    """

    label: str
    precision: float | None
    recall: float | None
    f1: float | None
    roc_auc: float | None


@dataclass(frozen=True)
class Cell:
    """A cell of the confusion matrix.

    Attributes:
        count: how many rows, or their weight.
        shade: how many of its row's they are, from 0 for none to `SHADES` for all.
        is_right: whether the predicted class is the actual one.
    """

    count: float
    shade: int
    is_right: bool


@dataclass(frozen=True)
class Matrix:
    """The confusion matrix.

    Attributes:
        labels: the classes, as the columns have them.
        rows: each actual class and its cells.
    """

    labels: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]


@dataclass(frozen=True)
class CurvePoint:
    """A point of a curve, in the table beside its picture.

    Attributes:
        label: the class.
        x: along the picture.
        y: upwards.
        count: rows that it tells of; None where that is not known.
    """

    label: str
    x: float
    y: float
    count: float | None


@dataclass(frozen=True)
class Curve:
    """A curve of each class, or of those that are told apart worst.

    Attributes:
        picture: the chart.
        legend: the style of each line and its class.
        points: what the picture shows, as a table.
    """

    picture: Markup
    legend: Sequence[tuple[int, str]]
    points: Sequence[CurvePoint]


@dataclass(frozen=True)
class Measured:
    """All that is shown of a model's metrics.

    Attributes:
        worth: in one number.
        trivial_says: what the trivial model says of every row; None where that is not known or too much to say.
        held_out_rows: how many rows were held out.
        training_rows: how many it was trained on.
        rows: the metrics that are one number.
        classes: what there is to say of each class; nothing where the targets are none.
        matrix: None where there is none.
        roc: None where there is none.
        reliability: None where there is none.
        left_out: how many classes the curves leave out.
    """

    worth: Worth
    trivial_says: str | None
    held_out_rows: int
    training_rows: int
    rows: Sequence[MetricRow]
    classes: Sequence[ClassRow]
    matrix: Matrix | None
    roc: Curve | None
    reliability: Curve | None
    left_out: int


def worth(metrics: Mapping[str, Any]) -> Worth:
    """How good a model is by its metrics, on the rows held out or, if there are none, on those it was trained on."""
    on, measured = _split(metrics)
    trivial = (metrics.get("trivial") or {}).get(on) or {}
    rows = int(measured.get("rows", 0))
    accuracy = measured.get("accuracy")
    if isinstance(accuracy, float | int):
        return Worth("accuracy", accuracy, trivial.get("accuracy"), True, on, rows)
    if measured.get("r2_mean") is not None:
        return Worth("r²", measured["r2_mean"], trivial.get("r2_mean"), False, on, rows)
    return Worth(None, None, None, False, on, rows)


def measured(metrics: Mapping[str, Any]) -> Measured:
    """All that is shown of these metrics. Curves and matrix are those of the same rows as `worth`."""
    _, shown = _split(metrics)
    labels = [label_text(label) for label in shown.get("classes") or ()]
    chosen = _worst(shown, len(labels))
    says = (metrics.get("trivial") or {}).get("prediction")
    return Measured(
        worth=worth(metrics),
        trivial_says=None if says is None or isinstance(says, dict) else label_text(says),
        held_out_rows=int((metrics.get("held_out") or {}).get("rows", 0)),
        training_rows=int(metrics["training"].get("rows", 0)),
        rows=_metric_rows(metrics),
        classes=_class_rows(shown, labels),
        matrix=_matrix(shown),
        roc=_roc(shown, labels, chosen),
        reliability=_reliability(shown, labels, chosen),
        left_out=0 if len(labels) == 2 else len(labels) - len(chosen),
    )


def label_text(label: object) -> str:
    """A class as people read it."""
    return str(label).lower() if isinstance(label, bool) else str(label)


def _split(metrics: Mapping[str, Any]) -> tuple[Split, Mapping[str, Any]]:
    held_out = metrics.get("held_out")
    return ("held_out", held_out) if held_out else ("training", metrics.get("training") or {})


def _metric_rows(metrics: Mapping[str, Any]) -> list[MetricRow]:
    trivial: Mapping[str, Any] = metrics.get("trivial") or {}
    parts = (metrics["training"], trivial.get("training"), metrics.get("held_out"), trivial.get("held_out"))
    columns = [dict(_single_numbers(part or {})) for part in parts]
    names = dict.fromkeys(name for column in columns for name in column)
    return [MetricRow(name, *(column.get(name) for column in columns)) for name in names]


def _single_numbers(part: Mapping[str, Any]) -> Iterator[tuple[str, float | None]]:
    """Each number among the metrics of some rows: one alone, the mean over the classes, one of a column."""
    for name, value in part.items():
        shown = name.replace("_", " ")
        if name == "rows":
            continue
        if isinstance(value, dict):
            if "mean" in value and "by_class" in value:
                yield f"{shown}, mean of the classes", value["mean"]
            elif "counts" not in value and "by_class" not in value:
                yield from ((f"{shown} of {column}", each) for column, each in value.items())
        elif value is None or isinstance(value, int | float):
            yield shown, value


def _class_rows(part: Mapping[str, Any], labels: Sequence[str]) -> list[ClassRow]:
    def of_class(metric: str, position: int) -> float | None:
        values = (part.get(metric) or {}).get("by_class")
        return values[position] if values else None

    names = ("precision", "recall", "f1", "roc_auc")
    return [ClassRow(label, *(of_class(name, place) for name in names)) for place, label in enumerate(labels)]


def _matrix(part: Mapping[str, Any]) -> Matrix | None:
    stored = part.get("confusion_matrix")
    if not stored or stored.get("counts") is None:
        return None
    labels = [label_text(label) for label in stored["classes"]]
    return Matrix(
        labels,
        [
            (label, [Cell(count, _shade(count, sum(counts)), place == row) for place, count in enumerate(counts)])
            for row, (label, counts) in enumerate(zip(labels, stored["counts"], strict=True))
        ],
    )


def _shade(count: float, of_row: float) -> int:
    return math.ceil(SHADES * count / of_row - 1e-9) if count > 0 else 0


def _worst(part: Mapping[str, Any], classes: int) -> list[int]:
    """The classes whose curves are drawn: the second of two, since the first one's are the same turned round.

    Of many it is those with the smallest area under their ROC curve, in the order of the classes.
    """
    if classes == 2:
        return [1]
    areas = (part.get("roc_auc") or {}).get("by_class") or [None] * classes
    by_area = sorted(range(classes), key=lambda place: math.inf if areas[place] is None else areas[place])
    return sorted(by_area[:MOST_LINES])


def _by_class(part: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any] | None]:
    return (part.get(name) or {}).get("by_class") or ()


def _roc(part: Mapping[str, Any], labels: Sequence[str], chosen: Sequence[int]) -> Curve | None:
    stored = _by_class(part, "roc_curve")
    curves = [
        (labels[place], curve["false_positive_rate"], curve["true_positive_rate"], None)
        for place in chosen
        if place < len(stored) and (curve := stored[place]) is not None
    ]
    return _curve(
        curves,
        "ROC curve",
        "How many of a class are found, over how many others are taken for it. The diagonal is guessing.",
        ("others taken for the class", "found of the class"),
    )


def _reliability(part: Mapping[str, Any], labels: Sequence[str], chosen: Sequence[int]) -> Curve | None:
    stored = _by_class(part, "reliability_curve")
    curves = [
        (labels[place], curve["score"], curve["share"], curve["count"])
        for place in chosen
        if place < len(stored) and (curve := stored[place]) is not None
    ]
    return _curve(
        curves,
        "Reliability",
        "How many rows with about this score have the class. On the diagonal scores can be taken for probabilities.",
        ("score", "share that has the class"),
    )


def _curve(
    curves: Sequence[tuple[str, Sequence[float], Sequence[float], Sequence[float] | None]],
    title: str,
    description: str,
    axes: tuple[str, str],
) -> Curve | None:
    if not curves:
        return None
    lines = [
        Line(label, x, y, style, has_dots=counts is not None) for style, (label, x, y, counts) in enumerate(curves, 1)
    ]
    chart = Chart(
        title,
        description,
        Axis(axes[0], *_UNIT),
        Axis(axes[1], *_UNIT),
        lines,
        guides=[Line("diagonal", _UNIT, _UNIT)],
    )
    points = [
        CurvePoint(label, x, y, None if counts is None else counts[place])
        for label, xs, ys, counts in curves
        for place, (x, y) in enumerate(zip(xs, ys, strict=True))
    ]
    return Curve(chart.svg(), [(line.style, line.name) for line in lines], points)
