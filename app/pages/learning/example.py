"""`/jobs/{id}/example` and `/models/{id}/example`: one row on its way through the network and back, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from fastapi import APIRouter, Query, Request, Response

from app.access.dependencies import CanRead
from app.dependencies import ArtifactsDep, TrainedModelsDep
from app.edge.heavy_work import HeavyReadsDep
from app.pages.learning.steps import BackwardStep, ForwardStep, GradientStep, Numbers, steps_of
from app.pages.rendering import page_response
from app.v1.parameters import IdPath
from domain.access.projects import Project
from domain.jobs import rows as jobs
from domain.models.cache import ModelCache
from domain.models.example import Example, NoExample, Value, example_of, rows_of
from infra.artifacts import ArtifactStore
from infra.database import Database

router = APIRouter()

LARGEST_ROW = 2**62
"""Rows. No dataset has more, and databases know no larger number."""

RowNumber = Annotated[int, Query(ge=1, le=LARGEST_ROW)]


@dataclass(frozen=True)
class Shown:
    """A row that has gone through the network and back.

    Attributes:
        inputs: its values in the columns that the network sees.
        targets: its values in those that it is to predict.
        answers: what the network predicts there.
        is_reconstruction: whether the inputs are the targets.
        layers: how many there are, n_l.
        coded_inputs: x.
        forward: step 1, for each layer after the input.
        output_activation: f of the last layer.
        cost_function: by name, what J(W,b;x,y) is.
        cost: J(W,b;x,y).
        backward: steps 2 and 3, the output layer's first.
        gradients: step 4, for each layer but the last.
        has_decay: whether the job's J has a decay term, which belongs to no example.
        has_sparsity: likewise a sparsity term.
        weight_decay: λ.
        learning_rate: α; None where the optimizer has none.
        optimizer: by name.
    """

    inputs: Sequence[Value]
    targets: Sequence[Value]
    answers: Sequence[Value]
    is_reconstruction: bool
    layers: int
    coded_inputs: Numbers
    forward: Sequence[ForwardStep]
    output_activation: str
    cost_function: str
    cost: float
    backward: Sequence[BackwardStep]
    gradients: Sequence[GradientStep]
    has_decay: bool
    has_sparsity: bool
    weight_decay: float
    learning_rate: float | None
    optimizer: str


@dataclass(frozen=True)
class ExamplePage:
    """One example, step by step.

    Attributes:
        of: what it belongs to, ``job`` or ``model``.
        id: of that.
        row: which row of the dataset, from 1.
        rows: how many the dataset has; None where there is nothing yet to choose a row for.
        problem: why nothing is shown; None where something is.
        shown: what is shown.
    """

    template: ClassVar[str] = "learning/example.html"
    title: ClassVar[str] = "One example, step by step"
    of: str
    id: str
    row: int
    rows: int | None
    problem: str | None
    shown: Shown | None

    @property
    def previous_row(self) -> int | None:
        """The row before this one; None if there is none."""
        return self.row - 1 if self.rows is not None and 1 < self.row <= self.rows else None

    @property
    def next_row(self) -> int | None:
        """The row after this one; None if there is none."""
        return self.row + 1 if self.rows is not None and self.row < self.rows else None


@router.get("/jobs/{job_id}/example")
async def example_of_job(
    request: Request,
    job_id: IdPath,
    access: CanRead,
    heavy: HeavyReadsDep,
    artifacts: ArtifactsDep,
    trained_models: TrainedModelsDep,
    row: RowNumber = 1,
) -> Response:
    """One row of a job's dataset, with the weights that it has trained."""

    def asked() -> Response:
        with heavy.database.reading() as session:
            model_id = jobs.get(session, access.project, job_id).model_id
        if model_id is None:
            problem = "This job has no model yet. Come back when it has ended: the example needs trained weights."
            return page_response(request, ExamplePage("job", job_id, row, None, problem, None))
        page = _page("job", job_id, access.project, model_id, trained_models, heavy.database, artifacts, row)
        return page_response(request, page)

    return await heavy.run(asked)


@router.get("/models/{model_id}/example")
async def example_of_model(
    request: Request,
    model_id: IdPath,
    access: CanRead,
    heavy: HeavyReadsDep,
    artifacts: ArtifactsDep,
    trained_models: TrainedModelsDep,
    row: RowNumber = 1,
) -> Response:
    """One row of the dataset that a model was trained on."""

    def asked() -> Response:
        page = _page("model", model_id, access.project, model_id, trained_models, heavy.database, artifacts, row)
        return page_response(request, page)

    return await heavy.run(asked)


def _page(
    of: str,
    id: str,  # noqa: A002  # the page's own name for it
    project: Project,
    model_id: str,
    trained_models: ModelCache,
    database: Database,
    artifacts: ArtifactStore,
    row: int,
) -> ExamplePage:
    model = trained_models.get(project, model_id).model
    rows = rows_of(project, model_id, database)
    try:
        example = example_of(project, model_id, model, database, artifacts, row)
    except NoExample as problem:
        return ExamplePage(of, id, row, rows, str(problem), None)
    return ExamplePage(of, id, row, rows, None, _shown(example))


def _shown(example: Example) -> Shown:
    training = example.job.training
    steps = steps_of(example)
    return Shown(
        inputs=example.inputs,
        targets=example.targets,
        answers=example.answers,
        is_reconstruction=example.job.task == "reconstruction",
        layers=len(example.trace.a),
        coded_inputs=steps.inputs,
        forward=steps.forward,
        output_activation=example.trace.network.layers[-1].activation,
        cost_function=training.cost or "squared_error",
        cost=example.trace.cost,
        backward=steps.backward,
        gradients=steps.gradients,
        has_decay=bool(training.weight_decay),
        has_sparsity=bool(training.sparsity_weight),
        weight_decay=training.weight_decay,
        learning_rate=training.learning_rate,
        optimizer=training.optimizer,
    )
