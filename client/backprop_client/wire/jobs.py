"""What a client gets about jobs. What it sends for a new one is `backprop_client.wire.specs.JobSpec`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from backprop_client.wire.captions import Captioned
from backprop_client.wire.gradient_checks import GradientCheckResult
from backprop_client.wire.registration import Registered, Registration
from backprop_client.wire.resolved_jobs import InputColumn, LeftOut, Selection, TargetColumn
from backprop_client.wire.specs import (
    MOST_ITERATIONS,
    ClassWeight,
    HoldoutBy,
    Missing,
    NetworkSpec,
    ResolvedClassWeight,
    Scaling,
    Task,
    TrainingSpec,
    refuse_text_and_booleans,
)

Status = Literal["queued", "running", "succeeded", "failed", "cancelled"]

EventKind = Literal[
    "submitted",
    "started",
    "released",
    "lost",
    "cancel_requested",
    "succeeded",
    "failed",
    "cancelled",
    "resumed",
]

NoteCode = Literal["cost_did_not_fall", "cost_stood_still", "held_out_cost_rose", "no_better_than_trivial"]
"""What there is to say of an ended job."""

StopReason = Literal["tolerance", "patience", "no_progress"]
"""What can end a training before its last iteration. The core has the same list, and a test compares the two."""


class ResumeRequest(BaseModel):
    """How far a job is to go that has ended."""

    model_config = ConfigDict(extra="forbid")

    iterations: Annotated[int | None, BeforeValidator(refuse_text_and_booleans)] = Field(
        default=None,
        ge=0,
        le=MOST_ITERATIONS,
        description="N in all, those already done included; null for as many as before. A job that was asked for N at "
        "once would have had the same costs and weights.",
    )


class OtherRowCounts(BaseModel):
    """What became of the rows of another dataset, of which all are held out that can be."""

    dataset: int = Field(description="Rows of that dataset: those held out and the following together.")
    target_missing: int = Field(description="Left out because a target is missing.")
    input_missing: int = Field(description="Left out because an input is missing; 0 unless missing is drop_rows.")


class RowCounts(BaseModel):
    """What became of the dataset's rows."""

    dataset: int = Field(
        description="Rows of the dataset: all of the following together, but for held-out rows of another dataset."
    )
    target_missing: int = Field(description="Left out because a target is missing.")
    input_missing: int = Field(description="Left out because an input is missing; 0 unless missing is drop_rows.")
    training: int = Field(description="m, the rows trained on.")
    held_out: int = Field(description="m′, the rows held out.")
    held_out_dataset: OtherRowCounts | None = Field(
        default=None, description="Of the dataset that holdout_by names; null if it names none."
    )
    class_weight: tuple[ClassWeight, ...] | None = Field(
        default=None, description="What balanced has come to for these training rows; null if that was not asked for."
    )


class JobError(BaseModel):
    """Why a job failed."""

    code: str = Field(examples=["diverged"])
    message: str


class JobNote(BaseModel):
    """Something about an ended job that a person should know, who has not looked at its curve."""

    code: NoteCode = Field(
        description="cost_did_not_fall: J did not fall below its start; cost_stood_still: J has not changed since some "
        "iteration; held_out_cost_rose: the network over-fits since some iteration; no_better_than_trivial: the "
        "model is no better than the most frequent class, or the mean."
    )
    message: str


class JobOut(Captioned):
    """A job: what was asked, and how far it has come."""

    model_config = ConfigDict(title="Job", validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    id: str
    status: Status
    iteration: int | None = Field(description="Last iteration whose cost is recorded; null before the first.")
    iterations: int = Field(description="How many were asked for; it may stop earlier, see stopped_by.")
    cost: float | None = Field(description="J(W,b) at `iteration`.")
    rate: float | None = Field(description="Iterations per second of this attempt so far.")
    eta_seconds: float | None = Field(
        description="At this rate, how long until the last iteration; null unless running."
    )
    attempt: int = Field(description="How many times a worker has taken the job up.")
    cancel_requested: bool
    error: JobError | None
    model_id: str | None = Field(
        description="The trained model, once the job has succeeded; the newest, if it was resumed after that."
    )
    stopped_by: StopReason | None = Field(
        description="What ended the training before its last iteration: tolerance (‖∇J‖ is small enough), patience (no "
        "better held-out cost for so long) or no_progress (lbfgs cannot make J smaller in this precision)."
    )
    thinned_before: int | None = Field(
        description="Of the costs of the iterations below this one only the first, the least and the greatest and some "
        "others are kept, since the job is old; null if all are."
    )
    notes: list[JobNote] = Field(
        description="What a look at its curve would tell, once the job has ended. A good training has none."
    )
    gradient_check: GradientCheckResult | None = Field(
        description="At the initial parameters; null unless asked for, and until it is done."
    )
    dataset_id: str
    network_id: str | None
    from_model_id: str | None = Field(description="The model whose weights the job started from, if it did.")
    network: NetworkSpec = Field(description="With the output layer's units filled in from the data.")
    sizes: tuple[int, ...] = Field(description="Units of every layer, the coded inputs first.")
    task: Task
    inputs: tuple[InputColumn, ...]
    targets: tuple[TargetColumn, ...]
    scaling: Scaling
    missing: Missing
    left_out: tuple[LeftOut, ...] = Field(description="Columns that are no inputs although nobody said so, and why.")
    rows: RowCounts | None = Field(description="What became of the dataset's rows; null until a worker has read them.")
    holdout: float
    holdout_by: HoldoutBy | None = Field(description="Which rows are held out; null if none are.")
    weights: str | None = Field(description="The column with the weights of the rows; null if all count alike.")
    class_weight: ResolvedClassWeight | None = Field(
        description="The weight of each class, in their order, or balanced; null if all count alike."
    )
    training: TrainingSpec
    selection: Selection | None = Field(
        description="How the network and weight_decay are chosen; null where nothing is tried. Until it has chosen, "
        "network is that of the largest candidate."
    )
    registration: Registration | None = Field(
        alias="register", description="Under which name the model is to be registered; null if it is not."
    )
    registered: Registered | None = Field(
        description="What came of that: the version that model_id has become, and whether the alias moved to it. Null "
        "until the job has succeeded, and if nothing was to be registered."
    )
    created_at: datetime
    started_at: datetime | None = Field(description="When the current attempt began.")
    finished_at: datetime | None


class JobPlan(BaseModel):
    """What a job would be if it were asked for: every default filled in, and what it would take."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    dataset_id: str
    network_id: str | None
    from_model_id: str | None
    network: NetworkSpec = Field(description="With the output layer's units filled in from the data.")
    sizes: tuple[int, ...] = Field(description="Units of every layer, the coded inputs first.")
    task: Task
    inputs: tuple[InputColumn, ...]
    targets: tuple[TargetColumn, ...]
    scaling: Scaling
    missing: Missing
    left_out: tuple[LeftOut, ...] = Field(description="Columns that are no inputs although nobody said so, and why.")
    holdout: float
    holdout_by: HoldoutBy | None = Field(description="Which rows are held out; null if none are.")
    weights: str | None = Field(description="The column with the weights of the rows; null if all count alike.")
    class_weight: ResolvedClassWeight | None = Field(
        description="The weight of each class, in their order, or balanced; null if all count alike."
    )
    training: TrainingSpec
    selection: Selection | None = Field(description="What would be tried before the training; null for nothing.")
    registration: Registration | None = Field(
        alias="register", description="Under which name the model would be registered; null if it would not."
    )
    gradient_check: bool
    rows: int = Field(description="Of the dataset, those included that will be left out or held out.")
    parameters: int = Field(description="How many weights and biases the network has.")
    estimated_bytes: int = Field(description="Memory that the training takes at most.")
    estimated_seconds: float = Field(
        description="How long the training would take, if it were alone and the workers as fast as they were for the "
        "newest jobs. Before any job has ended that is a guess."
    )


class JobPage(BaseModel):
    """Jobs, newest first."""

    data: list[JobOut]
    has_more: bool


class EventOut(BaseModel):
    """One step in a job's life."""

    model_config = ConfigDict(title="Event", populate_by_name=True)

    sequence: int = Field(description="1, 2, 3, … of the job.")
    kind: EventKind = Field(
        description="submitted; started: a worker has taken it up; released: its worker has put it back; lost: its "
        "worker has died; cancel_requested; succeeded; failed; cancelled; resumed."
    )
    from_status: Status | None = Field(alias="from", description="The job's status before; null for the first event.")
    to_status: Status = Field(alias="to", description="And after it.")
    at: datetime
    attempt: int = Field(description="The attempt that was under way, or began; 0 before the first.")
    reason: str | None = Field(description="Why, where the kind does not say it all: of a failure its code.")


class EventPage(BaseModel):
    """Events of a job, the oldest first."""

    data: list[EventOut]
    has_more: bool


class CostOut(BaseModel):
    """J(W,b) at the parameters after `iteration` updates, and the terms it is the sum of."""

    model_config = ConfigDict(title="Cost")

    iteration: int
    cost: float = Field(description="J; with mini-batches, on the batch that the next update takes.")
    data_cost: float = Field(description="(1/m) Σ J(W,b;x,y), weighted if the rows are.")
    decay_cost: float = Field(description="(λ/2) Σ W².")
    sparsity_cost: float = Field(description="β Σ KL(ρ‖ρ̂); 0 without a sparsity_weight.")
    held_out_cost: float | None = Field(
        description="(1/m′) Σ J(W,b;x,y) of the held-out rows, weighted if they are; null if there are none, and at "
        "iterations that are no multiple of held_out_every."
    )
    evaluations: int = Field(description="How many times J and its gradient have been computed so far.")


class CostPage(BaseModel):
    """Costs in the order of iterations, gap-free unless thinned by `points` or below the job's `thinned_before`."""

    data: list[CostOut]
    has_more: bool
