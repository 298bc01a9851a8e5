"""`/models/{id}`: one model, how good it is, what it needs, and what it answers.

What takes long to compute is asked for with a parameter, or is a picture at an address of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple, TypeVar

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from app.access.dependencies import CanRead
from app.dependencies import ArtifactsDep, DatabaseDep, TrainedModelsDep
from app.edge.heavy_work import HeavyReadsDep
from app.pages.models.dependence import POINTS, Depends, depends
from app.pages.models.facts import Headline, Known, known
from app.pages.models.inputs import InputField, input_fields
from app.pages.models.metrics import Measured, measured
from app.pages.models.registration import ModelAsVersion, versions_of
from app.pages.models.residuals import Residuals, residuals
from app.pages.models.surfaces import SurfaceView, chosen_pair, surface_view
from app.pages.rendering import page_response
from app.v1.parameters import IdPath
from backprop.coding.targets import NumberCoding, Reconstruction
from backprop_client.wire.models import ImportanceOut
from domain.access.projects import Project
from domain.models.dependence import dependence
from domain.models.features import are_pictures
from domain.models.outcomes import outcomes
from domain.models.surface import numeric_columns
from infra.database import Database
from infra.errors import Conflict, InvalidRequest

router = APIRouter(prefix="/models")

View = TypeVar("View")

MOST_COLUMNS = 20
"""Columns whose importance is shown, the most important first."""


@dataclass(frozen=True)
class Importance:
    """How much the model needs its columns.

    Attributes:
        on: on which rows it was measured, in words.
        rows: how many these are.
        repeats: how often each column was permuted.
        score: what falls; None where only the cost was measured.
        columns: each column, the mean and the deviation of what is lost, and how long its bar is, in [0, 1].
        left_out: how many columns are not shown.
    """

    on: str
    rows: int
    repeats: int
    score: str | None
    columns: Sequence[tuple[str, float | None, float | None, float]]
    left_out: int


@dataclass(frozen=True)
class ModelPage:
    """A model.

    Attributes:
        headline: what it is.
        notes: what there is to say of its training.
        measured: how good it is.
        importance: how much it needs its columns; None of models from before that was measured.
        inputs: the input columns that its answers may depend on; none of a reconstruction.
        depends: how they depend on one; None where none is asked for, or it cannot be said.
        numbers: the inputs that hold numbers, of which two make a picture; none of a reconstruction.
        surface: the answers over two of them; None where none are asked for, or there is none.
        targets: the numbers that it predicts; none where it predicts classes, or reproduces its inputs.
        residuals: what is between actual and predicted numbers; None where that is not asked for.
        problems: by the name of a section, why what was asked for cannot be shown there.
        has_tiles: whether what a unit responds to is a picture.
        fields: those of the form that predicts.
        versions: that it is.
    """

    template: ClassVar[str] = "models/model.html"
    headline: Headline
    notes: Sequence[str]
    measured: Measured
    importance: Importance | None
    inputs: Sequence[str]
    depends: Depends | None
    numbers: Sequence[str]
    surface: SurfaceView | None
    targets: Sequence[str]
    residuals: Residuals | None
    problems: Mapping[str, str]
    has_tiles: bool
    fields: Sequence[InputField]
    versions: Sequence[ModelAsVersion]

    @property
    def title(self) -> str:
        """Its name, or else its id."""
        return self.headline.name or self.headline.id


class _Read(NamedTuple):
    """What the database says of a model."""

    model: Known
    importance: Importance | None
    versions: list[ModelAsVersion]


@dataclass(frozen=True)
class _Computed:
    """What its weights say of what was asked for, and why not where they do not."""

    depends: Depends | None = None
    surface: SurfaceView | None = None
    residuals: Residuals | None = None
    problems: Mapping[str, str] = field(default_factory=dict)


@router.get("/{model_id}")
async def show_model(
    request: Request,
    model_id: IdPath,
    access: CanRead,
    database: DatabaseDep,
    heavy: HeavyReadsDep,
    artifacts: ArtifactsDep,
    trained_models: TrainedModelsDep,
    column: str | None = None,
    x: str | None = None,
    y: str | None = None,
    target: str | None = None,
) -> Response:
    """The page, and on it what is asked for.

    That is the dependence on a column, the answers over the inputs `x` and `y`, and the residuals of a target.
    """
    read = await run_in_threadpool(_read, database, access.project, model_id)
    reconstructs = isinstance(read.model.coding.targets, Reconstruction)
    pair = None if reconstructs else chosen_pair(read.model, x or None, y or None)

    def computed() -> _Computed:
        trained = trained_models.get(access.project, model_id).model
        of_rows = (access.project, model_id, trained, heavy.database, artifacts)
        problems: dict[str, str] = {}

        def tried(section: str, compute: Callable[[], View]) -> View | None:
            try:
                return compute()
            except (Conflict, InvalidRequest) as error:
                problems[section] = error.message
                return None

        return _Computed(
            tried("dependence", lambda: depends(dependence(*of_rows, column, POINTS))) if column else None,
            tried("surface", lambda: surface_view(read.model, trained, *pair)) if pair else None,
            tried("residuals", lambda: residuals(outcomes(*of_rows, target))) if target else None,
            problems,
        )

    if column or target:
        asked = await heavy.run(computed)
    else:  # the answers that stand in a picture's numbers are as few as those of a small prediction
        asked = await run_in_threadpool(computed) if pair else _Computed()
    return await run_in_threadpool(lambda: page_response(request, _page(read, asked)))


def _read(database: Database, project: Project, model_id: str) -> _Read:
    with database.reading() as session:
        model = known(session, project, model_id, with_importance=True)
        stored = model.origin.model.importance
        importance = None if stored is None else _importance(ImportanceOut.model_validate(stored))
        return _Read(model, importance, versions_of(session, project, model_id))


def _page(read: _Read, computed: _Computed) -> ModelPage:
    model = read.model
    inputs = model.coding.inputs
    depends_on_nothing = isinstance(model.coding.targets, Reconstruction)
    return ModelPage(
        headline=model.headline,
        notes=model.notes,
        measured=measured(model.origin.model.metrics),
        importance=read.importance,
        inputs=[] if depends_on_nothing else [each.name for each in inputs.coded_columns],
        depends=computed.depends,
        numbers=[] if depends_on_nothing else numeric_columns(inputs),
        surface=computed.surface,
        targets=model.coding.targets.columns if isinstance(model.coding.targets, NumberCoding) else (),
        residuals=computed.residuals,
        problems=computed.problems,
        has_tiles=are_pictures(inputs, tuple(model.origin.model.preprocessing.get("table", ()))),
        fields=input_fields(model.coding, model.columns, model.whole),
        versions=read.versions,
    )


def _importance(stored: ImportanceOut) -> Importance:
    """By the score where that was measured, else by the cost."""
    by_score = any(each.score_decrease is not None for each in stored.columns)
    effects = [
        (each.column, each.score_decrease if by_score else each.cost_increase) for each in stored.columns[:MOST_COLUMNS]
    ]
    largest = max((effect.mean for _, effect in effects if effect is not None), default=0.0)
    return Importance(
        on="held-out rows" if stored.on == "held_out" else "training rows",
        rows=stored.rows,
        repeats=stored.repeats,
        score="score" if by_score else None,
        columns=[
            (column, None, None, 0.0)
            if effect is None
            else (column, effect.mean, effect.deviation, max(0.0, effect.mean) / largest if largest > 0 else 0.0)
            for column, effect in effects
        ],
        left_out=max(0, len(stored.columns) - MOST_COLUMNS),
    )
