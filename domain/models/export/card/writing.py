"""What a model card says of a stored model, section by section."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from backprop_client.wire.columns import Column
from backprop_client.wire.jobs import JobNote, RowCounts
from backprop_client.wire.models import EffectOut, ImportanceOut
from backprop_client.wire.resolved_jobs import InputColumn
from domain.models.export.card.contents import Card, Code, Section, Table
from domain.models.export.card.curve import Curve
from domain.models.export.facts import Origin

MOST_SHOWN = 20
"""Categories or classes. Of more the first ones are named."""

MOST_ROWS = 200
"""Rows of a table. Whoever wants all has the interface."""

_WORTH = (
    "The trivial model says the same of every row: the most frequent class, or the mean. This model is worth what it "
    "does better."
)
_OF_CLASSES = "by_class"
_NO_VALUE = "–"


@dataclass(frozen=True)
class CardWriter:
    """Writes the card of one model.

    Attributes:
        origin: the model, its job and its dataset.
        importance: how much it needs each column; None if that was not measured.
        curve: the course of J; None if its costs are gone.
    """

    origin: Origin
    importance: ImportanceOut | None
    curve: Curve | None

    def card(self) -> Card:
        """The card."""
        model, job = self.origin.model, self.origin.job
        of = ", ".join(target.name for target in job.targets) or "its own inputs"
        return Card(
            f"Model card: {model.task} of {of}",
            f"A feed-forward network of {job.parameters:,} weights and biases, trained by Backprop. Model {model.id}, "
            f"made on {model.created_at:%Y-%m-%d %H:%M} UTC by job {model.job_id}.",
            (
                self._data(),
                self._inputs(),
                self._network(),
                self._training(),
                *([Section("Cost", curve=self.curve)] if self.curve is not None else []),
                self._metrics(),
                *([self._importance(self.importance)] if self.importance is not None else []),
                self._limits(),
                self._loading(),
            ),
        )

    def _data(self) -> Section:
        origin = self.origin
        rows = [("dataset", origin.model.dataset_id)]
        if origin.dataset is not None:
            rows += [
                ("name", origin.dataset.name),
                ("SHA-256 of its file", origin.dataset.sha256),
                ("rows", f"{origin.dataset.rows:,}"),
                ("columns", f"{len(origin.dataset.columns):,}"),
            ]
        counts = self._counts()
        if counts is not None:
            rows += [("rows trained on", f"{counts.training:,}"), ("rows held out", f"{counts.held_out:,}")]
        for target in origin.job.targets:
            classes = f": {_named(target.classes)}" if target.classes is not None else ""
            rows.append(("target", f"{target.name}{classes}"))
        told = () if origin.dataset is not None else ("The dataset has been deleted.",)
        return Section("Data", told, table=Table(("what", "value"), tuple(rows)))

    def _inputs(self) -> Section:
        known: dict[str, Column] = {}
        if self.origin.dataset is not None:
            columns = [Column.model_validate(column) for column in self.origin.dataset.columns]
            known = {column.name: column for column in columns}
        rows = [
            (column.name, _type_of(column), *_range_of(column, known.get(column.name)))
            for column in self.origin.job.inputs[:MOST_ROWS]
        ]
        return Section(
            "Inputs",
            _first_of(len(self.origin.job.inputs)),
            table=Table(("column", "type", "values in the dataset", "missing there"), tuple(rows)),
        )

    def _network(self) -> Section:
        job = self.origin.job
        first = (f"1 (inputs: {len(job.inputs):,} columns, coded)", f"{job.sizes[0]:,}", _NO_VALUE)
        rows = [
            (str(number), f"{layer.units:,}", layer.activation or _NO_VALUE)
            for number, layer in enumerate(job.network.layers, start=2)
        ]
        return Section("Network", table=Table(("layer", "units", "activation"), (first, *rows)))

    def _training(self) -> Section:
        model, job = self.origin.model, self.origin.job
        asked = job.training.model_dump(mode="json", exclude_none=True)
        rows = [
            *((name.replace("_", " "), _value(value)) for name, value in asked.items()),
            ("scaling", job.scaling),
            ("missing values", job.missing),
            ("iteration of these weights", f"{model.iteration:,}"),
            ("J at these weights", _number(model.cost)),
        ]
        chosen = job.selection.reason if job.selection is not None else None
        return Section("Training", (chosen,) if chosen else (), table=Table(("what", "value"), tuple(rows)))

    def _metrics(self) -> Section:
        metrics = self.origin.model.metrics
        trivial: Mapping[str, Any] = metrics.get("trivial") or {}
        parts = [metrics["training"], trivial.get("training"), metrics["held_out"], trivial.get("held_out")]
        columns = [dict(_scalars(part or {})) for part in parts]
        names = list(dict.fromkeys(name for column in columns for name in column))
        rows = [(name, *(_number(column.get(name)) for column in columns)) for name in names[:MOST_ROWS]]
        return Section(
            "Metrics",
            (_WORTH, *_first_of(len(names))),
            table=Table(("metric", "training rows", "trivial model", "held-out rows", "trivial model"), tuple(rows)),
        )

    def _importance(self, importance: ImportanceOut) -> Section:
        on = "held-out" if importance.on == "held_out" else "training"
        rows = [
            (each.column, _effect(each.score_decrease), _effect(each.cost_increase))
            for each in importance.columns[:MOST_ROWS]
        ]
        what = (
            f"How much worse the model is when the values of one column are permuted among {importance.rows:,} {on} "
            f"rows, mean ± standard deviation of {importance.repeats} permutations."
        )
        return Section(
            "Importance",
            (what, *_first_of(len(importance.columns))),
            table=Table(("column", "the score falls by", "the cost rises by"), tuple(rows)),
        )

    def _limits(self) -> Section:
        return Section("Limits", points=tuple(self._each_limit()))

    def _each_limit(self) -> Iterator[str]:
        origin = self.origin
        job = origin.job
        counts = self._counts()
        yield (
            "Outside of the values listed under Inputs the model extrapolates, and nothing here says how well. Rows "
            "from another source, or of a later time, may differ even inside of them."
        )
        if counts is not None and counts.held_out == 0:
            yield "No rows were held out: all metrics are of rows that the model was trained on, and so too good."
        if any(column.categories is not None for column in job.inputs):
            yield "A category that is not listed is refused, or counts as missing if the request says so."
        if job.missing != "impute":
            yield "It takes no missing values."
        if counts is not None and counts.target_missing + counts.input_missing:
            left = counts.target_missing + counts.input_missing
            yield f"{left:,} rows of the dataset were left out because a value was missing."
        for left_out in job.left_out[:MOST_SHOWN]:
            yield f"The column {left_out.column} was left out: {left_out.reason}"
        if origin.classes and job.network.layers[-1].activation != "softmax":
            yield "Scores say which class is more likely, but need not be probabilities."
        for note in origin.row.notes:
            yield JobNote.model_validate(note).message
        yield "Nobody has looked at whether its errors fall on some groups of people more than on others."

    def _loading(self) -> Section:
        path = f"models/{self.origin.model.id}"
        return Section(
            "How to use it",
            (
                "$api is the service's address, such as http://127.0.0.1:8000/v1.",
                "A server that asks for keys wants the header Authorization. docs/exports.md has more on each file.",
            ),
            code=(
                Code("sh", f"curl -sf $api/{path}/predict -H 'Content-Type: text/csv' --data-binary @rows.csv"),
                Code("sh", f"curl -sf $api/{path}/onnx -o model.onnx\ncurl -sf $api/{path}/mlflow -o model.zip"),
                Code(
                    "python",
                    "import onnxruntime\n\n"
                    'session = onnxruntime.InferenceSession("model.onnx")\n'
                    "answers = session.run(None, columns)  # an array for each column, by its name",
                ),
                Code(
                    "python",
                    'import shutil, mlflow\n\nshutil.unpack_archive("model.zip", "model")\n'
                    'answers = mlflow.pyfunc.load_model("model").predict(frame)',
                ),
                Code("sh", f"curl -sf $api/{path}/weights -o model.safetensors  # W1, b1, …, and all facts"),
            ),
        )

    def _counts(self) -> RowCounts | None:
        counts = self.origin.row.row_counts
        return None if counts is None else RowCounts.model_validate(counts)


def _type_of(column: InputColumn) -> str:
    return "time of day" if column.times_of_day else column.type


def _range_of(column: InputColumn, known: Column | None) -> tuple[str, str]:
    """The column's values, and how many are missing."""
    missing = _NO_VALUE if known is None else f"{known.missing:,}"
    if column.categories is not None:
        return _named(column.categories), missing
    if known is None:
        return _NO_VALUE, missing
    if known.earliest is not None:
        return f"{known.earliest} to {known.latest}", missing
    if known.minimum is None:
        return _NO_VALUE, missing
    return f"{_number(known.minimum)} to {_number(known.maximum)}, mean {_number(known.mean)}", missing


def _named(labels: tuple[bool | int | str, ...]) -> str:
    names = ", ".join(map(_value, labels[:MOST_SHOWN]))
    return names if len(labels) <= MOST_SHOWN else f"{names} and {len(labels) - MOST_SHOWN:,} more"


def _first_of(number: int) -> tuple[str, ...]:
    return (f"The first {MOST_ROWS} of {number:,}.",) if number > MOST_ROWS else ()


def _scalars(metrics: Mapping[str, Any]) -> Iterator[tuple[str, float | None]]:
    """Each number among the metrics of some rows: one, the mean over the classes, or one of a column."""
    for name, value in metrics.items():
        shown = name.replace("_", " ")
        if isinstance(value, dict):
            if _OF_CLASSES in value and "mean" in value:
                yield f"{shown}, mean of the classes", value["mean"]
            elif all(each is None or isinstance(each, int | float) for each in value.values()):
                yield from ((f"{shown} of {column}", each) for column, each in value.items())
        elif value is None or isinstance(value, int | float):
            yield shown, value


def _effect(effect: EffectOut | None) -> str:
    return _NO_VALUE if effect is None else f"{_number(effect.mean)} ± {_number(effect.deviation)}"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return _number(value) if isinstance(value, int | float) else str(value)


def _number(value: float | None) -> str:
    if value is None:
        return _NO_VALUE
    return str(value) if isinstance(value, int) else f"{value:.6g}"
