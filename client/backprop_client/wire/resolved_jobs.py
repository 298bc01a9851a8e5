"""A job that has been checked against its dataset: defaults filled in, columns typed, sizes of layers known.

A job's row stores its `ResolvedJob`, as JSON, and a worker reads it there.
"""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field, StrictBool, StrictStr, model_validator

from backprop_client.wire.columns import ColumnType, Labels, Period
from backprop_client.wire.datasets import Decimal
from backprop_client.wire.registration import Registration
from backprop_client.wire.specs import (
    HoldoutBy,
    LayerSpec,
    Missing,
    NetworkSpec,
    ResolvedClassWeight,
    Scaling,
    Spec,
    Task,
    TrainingSpec,
)


class InputColumn(Spec):
    """A column the network sees.

    Attributes:
        categories: of a category or boolean column; None for others.
        periods: of a datetime column; none for others.
        times_of_day: whether a datetime column holds times without a date.
        has_gaps: whether the network has an input for "is missing".
    """

    name: str
    type: ColumnType
    categories: tuple[StrictBool, ...] | tuple[StrictStr, ...] | None = None
    periods: tuple[Period, ...] = ()
    times_of_day: bool = False
    has_gaps: bool = False


class TargetColumn(Spec):
    """A column the network learns to predict, with the sorted classes if the task is classification."""

    name: str
    type: ColumnType
    classes: Labels | None = None


class LeftOut(Spec):
    """A column that is no input although nobody said so."""

    column: str
    reason: str


class CellRules(Spec):
    """How the cells of a text file were read, so that the cells of rows to predict can be read alike.

    Attributes:
        decimal: what is before the decimals.
        missing_values: the words that were given as further missing values.
    """

    decimal: Decimal = "."
    missing_values: tuple[str, ...] = ()


class Candidate(Spec):
    """A network and a weight decay that are tried before the training."""

    layers: tuple[LayerSpec, ...] = Field(description="Those of the network, the output layer included.")
    weight_decay: float = Field(description="λ.")
    deviances: tuple[float | None, ...] = Field(
        default=(),
        description="(1/m′) Σ J(W,b;x,y) of the rows left out, for each fold so far: those of a fold after a training "
        "on all others. Null where it was no finite number. Who has fewer than there are folds was far behind.",
    )
    iterations: tuple[int, ...] = Field(
        default=(), description="After how many updates it had each deviance: that with the lowest."
    )


class Selection(Spec):
    """How a job chose its network and its weight decay: what was tried, how well that did, and what was taken."""

    parts: int = Field(description="Into how many parts the training rows are cut.")
    folds: int = Field(description="How many of these are left out of the training and measured, each in turn.")
    rows: int = Field(description="How many training rows take part; with very many, a sample of them.")
    iterations: int = Field(description="Updates of a trial, at most.")
    tells_iterations: bool = Field(
        description="Whether the job trains for as many passes over its rows as the chosen candidate did until it was "
        "at its best."
    )
    candidates: tuple[Candidate, ...] = Field(description="What is tried, the simplest first.")
    chosen: int | None = Field(default=None, description="Which candidate was taken, counted from 0; null until then.")
    reason: str | None = Field(default=None, description="Why, in a sentence.")


class HeldOutTable(Spec):
    """The other dataset whose rows are held out, as its columns are for this job.

    Attributes:
        dataset_id: which one.
        rows: of it.
        required: the columns with gaps in which a row must have a value, or is left out.
        reread: the columns that were read as another type than in the job's own dataset.
    """

    dataset_id: str
    rows: int
    required: tuple[str, ...] = ()
    reread: tuple[str, ...] = ()


class ResolvedJob(Spec):
    """A job with nothing left to infer: what the database keeps and the worker trains.

    Attributes:
        network: with the output layer's units and all activations filled in; that of the largest candidate while
            `selection` has not chosen yet.
        selection: how network and weight decay are chosen; None where nothing is to be tried.
        training: with the defaults filled in that apply. Where gaps decide how many rows there are to train on, a
            worker that has counted them fills in held_out_every, and brings iterations down to the epochs asked for.
        targets: empty for reconstruction, where the inputs are the targets.
        missing: what is done about missing input values.
        left_out: the columns that are no inputs although nobody said so.
        table: the dataset's columns but the targets, in the order of the file; empty for jobs that lack it.
        required: the columns with gaps in which a row must have a value, or is left out.
        reread: the columns that were read as another type than the model's that the job starts from.
        cells: how the file's cells were read; None where it had no text.
        holdout_by: which rows are held out; None if none are.
        held_out_table: the dataset that they come from, if it is another one.
        weights: the column with the weights of the rows.
        class_weight: of every class in their order, or `balanced`.
        registration: under which name its model is registered; None if it is not.
        from_model_id: the model whose weights and preprocessing it starts from, if not from random weights.
        sizes: units of every layer, (s_1, …, s_nl): the coded inputs, the hidden layers, the outputs.
        rows: of the dataset, held-out ones included.
        parameters: how many weights and biases the network has.
        estimated_bytes: of memory, estimated, that training takes.
    """

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    dataset_id: str
    network: NetworkSpec
    network_id: str | None = None
    inputs: tuple[InputColumn, ...]
    targets: tuple[TargetColumn, ...]
    task: Task
    scaling: Scaling
    missing: Missing = "refuse"  # as it was for jobs that do not say so
    left_out: tuple[LeftOut, ...] = ()
    table: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    reread: tuple[str, ...] = ()
    cells: CellRules | None = None
    holdout: float
    holdout_by: HoldoutBy | None = None
    held_out_table: HeldOutTable | None = None
    weights: str | None = None
    class_weight: ResolvedClassWeight | None = None
    training: TrainingSpec
    selection: Selection | None = None
    gradient_check: bool
    registration: Registration | None = Field(default=None, alias="register")
    from_model_id: str | None = None
    sizes: tuple[int, ...]
    rows: int
    parameters: int
    estimated_bytes: int

    @model_validator(mode="before")
    @classmethod
    def _as_it_was_when_stored(cls, stored: Any) -> Any:  # noqa: ANN401
        """What jobs meant that are older than a field: a random holdout, measured at every iteration; the tutorial."""
        training = stored.get("training") if isinstance(stored, dict) else None
        if not isinstance(training, dict):
            return stored
        holds_out = bool(stored.get("holdout"))
        of_training: dict[str, Any] = {"preset": "tutorial"} | ({"held_out_every": 1} if holds_out else {})
        of_job = {"holdout_by": "random"} if holds_out else {}
        return of_job | {**stored, "training": of_training | training}
