"""`/jobs/{id}/learn`: a slider over the snapshots of a job, and what the network said at each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from markupsafe import Markup
from numpy.typing import NDArray

from app.access.dependencies import CanRead
from app.dependencies import ArtifactsDep
from app.edge.heavy_work import HeavyReadsDep
from app.pages.pictures.grid import unit_grid
from app.pages.pictures.plane import frame_around, mark, places_in, plane
from app.pages.pictures.scatter import scatter
from app.pages.rendering import page_response
from app.v1.parameters import IdPath
from domain.access.projects import Project
from domain.lessons.watching import Classes, Numbers, Reconstructions, Regions, Watched, watch
from infra.artifacts import ArtifactStore
from infra.database import Database

router = APIRouter(prefix="/jobs/{job_id}/learn")

ACROSS = 60
"""Squares in a row of the plane. Each is asked for at every snapshot."""

Step = Annotated[int | None, Query(ge=0, le=1000)]


@dataclass(frozen=True)
class Look:
    """What the network said at a snapshot.

    Attributes:
        kind: ``regions``, ``reconstructions``, ``classes``, ``numbers``, or ``none`` where nothing can be shown.
        iteration: k.
        cost: J there.
        step: which snapshot it is, from 0.
        last_step: the last one.
        pictures: what there is to see.
        columns: the columns of the plane, or the target.
        classes: all classes.
        marks: the form and colour that each has in the picture; none where there is no such picture.
        counts: how many rows of a class, row by row, the network takes for which.
        right: how many rows it has right; None where that cannot be told.
        rows: of how many.
    """

    kind: str
    iteration: int
    cost: float
    step: int
    last_step: int
    pictures: Sequence[Markup]
    columns: Sequence[str]
    classes: Sequence[object]
    marks: Sequence[Markup]
    counts: Sequence[Sequence[int]]
    right: int | None
    rows: int


@dataclass(frozen=True)
class WatchPage:
    """The slider, and what the network said where it stands.

    Attributes:
        id: the job's.
        status: the job's.
        look: what there is to see; None before there are snapshots.
    """

    template: ClassVar[str] = "learning/watch.html"
    title: ClassVar[str] = "Watch it learn"
    id: str
    status: str
    look: Look | None


@dataclass(frozen=True)
class LookPart:
    """What there is to see, alone, for a script that puts it in its place.

    Attributes:
        look: what there is to see; None before there are snapshots.
    """

    template: ClassVar[str] = "learning/look.html"
    title: ClassVar[str] = "A snapshot"
    look: Look | None


@router.get("")
async def watch_job(
    request: Request,
    job_id: IdPath,
    access: CanRead,
    heavy: HeavyReadsDep,
    artifacts: ArtifactsDep,
    step: Step = None,
) -> Response:
    """The page with the slider at a snapshot, or at the last one."""

    def asked() -> Response:
        watched = _watched(access.project, job_id, step, heavy.database, artifacts)
        return page_response(request, WatchPage(job_id, watched.status, _look(watched)))

    return await heavy.run(asked)


@router.get("/look")
async def look_at_step(
    request: Request,
    job_id: IdPath,
    access: CanRead,
    heavy: HeavyReadsDep,
    artifacts: ArtifactsDep,
    step: Step = None,
) -> Response:
    """What there is to see at a snapshot, without a page around it."""

    def asked() -> Response:
        watched = _watched(access.project, job_id, step, heavy.database, artifacts)
        return page_response(request, LookPart(_look(watched)))

    return await heavy.run(asked)


def _watched(project: Project, job_id: str, step: int | None, database: Database, artifacts: ArtifactStore) -> Watched:
    def places(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return places_in(frame_around(x), ACROSS).astype(np.float64)

    return watch(project, job_id, step, places, database, artifacts)


def _look(watched: Watched) -> Look | None:
    if not watched.moments:
        return None
    view = watched.view
    moment = watched.moments[watched.step]
    title = f"Iteration {moment.iteration}"
    pictures: list[Markup] = []
    marks: list[Markup] = []
    columns: list[str] = []
    classes: list[object] = []
    counts: list[list[int]] = []
    kind, right, rows = "none", None, 0
    if isinstance(view, Regions):
        regions = view.predicted.reshape(ACROSS, ACROSS)
        kind, columns, classes = "regions", list(view.columns), list(view.classes)
        pictures = [plane(view.x, view.kinds, f"{title}: regions and points", regions)]
        marks = [mark(each) for each in range(len(classes))]
        right, rows = view.right, len(view.kinds)
    elif isinstance(view, Reconstructions):
        kind, rows = "reconstructions", len(view.X)
        for row, (x, output) in enumerate(zip(view.X, view.outputs, strict=True), start=1):
            pictures += [unit_grid(x, f"Row {row}"), unit_grid(output, f"{title}: row {row}, reconstructed")]
    elif isinstance(view, Classes):
        kind, classes, counts = "classes", list(view.classes), view.counts.tolist()
        right, rows = int(np.trace(view.counts)), int(view.counts.sum())
    elif isinstance(view, Numbers):
        kind, columns, rows = "numbers", [view.column], len(view.actual)
        pictures = [scatter(view.actual, view.predicted, f"{title}: {view.column}, predicted against actual")]
    return Look(
        kind,
        moment.iteration,
        moment.cost,
        watched.step,
        len(watched.moments) - 1,
        pictures,
        columns,
        classes,
        marks,
        counts,
        right,
        rows,
    )
