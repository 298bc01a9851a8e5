"""`/compare?job=…&job=…`: jobs side by side: their curves on one axis, what differs in what was asked, what came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Query, Request, Response
from markupsafe import Markup
from sqlalchemy.orm import Session

from app.access.dependencies import CanRead
from app.dependencies import DatabaseDep
from app.pages.jobs.curves import View, line_of
from app.pages.jobs.plan import differences
from app.pages.pictures.axes import ScaleName
from app.pages.pictures.curve import KINDS, as_svg, laid_out
from app.pages.rendering import page_response
from app.pages.wording import duration, number
from app.v1.answers import job_out
from app.v1.parameters import ID_PATTERN
from backprop_client.wire.jobs import JobOut
from domain.access.projects import Project
from domain.jobs import rows as jobs
from domain.models import rows as models
from infra.errors import FieldError, InvalidRequest, NotFound
from infra.tables import Job

router = APIRouter()

_MEASURES = (
    ("accuracy", "Accuracy"),
    ("balanced_accuracy", "Balanced accuracy"),
    ("log_loss", "Log loss"),
    ("rmse", "RMSE"),
    ("mae", "MAE"),
    ("r2", "R²"),
)
"""The measures by which models are compared, where they have them."""


@dataclass(frozen=True)
class Row:
    """Something about each of the jobs.

    Attributes:
        name: what.
        values: of each job, as they are written.
    """

    name: str
    values: Sequence[str]


@dataclass(frozen=True)
class ComparePage:
    """Jobs side by side.

    Attributes:
        jobs: in the order in which they were asked for.
        scale: of the costs.
        picture: their curves; empty if none has any.
        asked: what differs in what was asked.
        outcome: what has become of them.
    """

    template: ClassVar[str] = "jobs/compare.html"
    title: ClassVar[str] = "Compare jobs"
    jobs: Sequence[JobOut]
    scale: ScaleName
    picture: Markup
    asked: Sequence[Row]
    outcome: Sequence[Row]


@router.get("/compare")
def compare(
    request: Request,
    access: CanRead,
    database: DatabaseDep,
    job: Annotated[list[Annotated[str, Query(pattern=ID_PATTERN)]] | None, Query()] = None,
    scale: ScaleName = "log",
) -> Response:
    """The jobs of the address side by side."""
    chosen = list(dict.fromkeys(job or ()))
    if not 2 <= len(chosen) <= KINDS:
        message = f"Choose 2 to {KINDS} jobs in the list, not {len(chosen)}."
        raise InvalidRequest("invalid_request", message, (FieldError("job", message),))
    view = View(scale, 0.0, terms=False, after=-1, before=None, others=())
    with database.reading() as session:
        rows = [jobs.get(session, access.project, job_id) for job_id in chosen]
        lines = [line_of(session, row, view) for row in rows]
        told = [job_out(row) for row in rows]
        picture = Markup("")
        if any(line.iterations for line in lines):
            picture = as_svg(laid_out(lines, scale), f"Cost curves of {len(lines)} jobs")
        asked = [Row(place, values) for place, values in differences(told).items()]
        page = ComparePage(told, scale, picture, asked, _outcome(session, access.project, rows, told))
    return page_response(request, page)


def _outcome(session: Session, project: Project, rows: Sequence[Job], told: Sequence[JobOut]) -> list[Row]:
    parts = [_metrics(session, project, row) for row in rows]
    measured = [
        Row(f"{title}, {where}", [_measured((part.get(key) or {}).get(measure)) for part in parts])
        for measure, title in _MEASURES
        for key, where in (("held_out", "held out"), ("training", "training"))
    ]
    figures: list[tuple[str, Callable[[JobOut], str]]] = [
        ("Status", lambda job: job.status),
        ("Iterations", lambda job: number(job.iteration)),
        ("Last J", lambda job: number(job.cost)),
        ("Time", _time),
        ("Stopped by", lambda job: job.stopped_by or "–"),
    ]
    told_of_each = [Row(name, [tell(job) for job in told]) for name, tell in figures]
    return [row for row in (*told_of_each, *measured) if any(value != "–" for value in row.values)]


def _measured(value: float | dict[str, float | None] | None) -> str:
    """A measure; of a regression it has one for each target."""
    if isinstance(value, dict):
        return ", ".join(f"{target} {number(each)}" for target, each in value.items()) or "–"
    return number(value)


def _time(job: JobOut) -> str:
    """How long its last attempt took."""
    if job.started_at is None or job.finished_at is None:
        return "–"
    return duration((job.finished_at - job.started_at).total_seconds())


def _metrics(session: Session, project: Project, job: Job) -> dict[str, Any]:
    """Of the model that it has trained; empty if it has none, or that is deleted."""
    if job.model_id is None:
        return {}
    try:
        metrics: dict[str, Any] = models.get(session, project, job.model_id).listed_metrics
    except NotFound:
        return {}
    return metrics
