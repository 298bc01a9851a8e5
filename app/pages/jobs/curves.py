"""A job's cost curve: as part of its page, anew for a script, and as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from markupsafe import Markup
from pydantic import Field
from sqlalchemy.orm import Session

from app.access.dependencies import CanRead
from app.dependencies import DatabaseDep
from app.pages.filters import NoneIfEmpty
from app.pages.pictures.axes import ScaleName
from app.pages.pictures.curve import Layout, Line, as_png, as_svg, laid_out
from app.pages.rendering import page_response
from app.v1.parameters import ID_PATTERN, IdPath
from backprop.training import Record
from domain.access.projects import Project
from domain.jobs import costs
from domain.jobs import rows as jobs
from infra.database import Database
from infra.tables import Job

router = APIRouter(prefix="/jobs")

POINTS = 600
"""Points of a curve. The picture has not many more pixels for each."""

TABLE_ROWS = 12
"""Rows of the table beside the picture, for who reads and does not look."""

ROWS_AT_ONCE = 10_000
"""Cost rows. A file is written in pieces of so many."""

MOST_OTHERS = 5
"""Jobs beside the page's own, since so many lines can be told apart."""

_COLUMNS = Record._fields


@dataclass(frozen=True)
class View:
    """How a curve is to be seen.

    Attributes:
        scale: of the costs.
        smoothing: from 0, nothing, to below 1.
        terms: whether the terms of J are drawn too.
        after: only iterations past this one; −1 for all.
        before: only those below this one; None for all.
        others: jobs whose J is drawn with it.
    """

    scale: ScaleName
    smoothing: float
    terms: bool
    after: int
    before: int | None
    others: Sequence[str]

    @property
    def is_part(self) -> bool:
        """Whether only a part of the iterations is seen."""
        return self.after > -1 or self.before is not None


async def _view(
    scale: ScaleName = "log",
    smoothing: Annotated[float, Query(ge=0, lt=1)] = 0.0,
    terms: bool = False,
    after: Annotated[int, Query(ge=-1, le=2**62)] = -1,
    before: Annotated[Annotated[int, Field(ge=0, le=2**62)] | None, NoneIfEmpty, Query()] = None,
    others: Annotated[
        list[Annotated[str, Query(pattern=f"{ID_PATTERN}|^$")]] | None, Query(alias="with", max_length=MOST_OTHERS)
    ] = None,
) -> View:
    return View(scale, smoothing, terms, after, before, tuple(filter(None, others or ())))


ViewDep = Annotated[View, Depends(_view)]


@dataclass(frozen=True)
class Curve:
    """A curve that has been drawn.

    Attributes:
        job_id: whose it is.
        view: how it is seen.
        picture: as SVG; empty while there are no points.
        names: of the lines, each with how it looks.
        table: some of its rows: the iteration and the value of each line.
    """

    job_id: str
    view: View
    picture: Markup
    names: Sequence[tuple[str, int]]
    table: Sequence[tuple[int, Sequence[float | None]]]


@dataclass(frozen=True)
class CurvePart:
    """The curve alone, for a script that puts it in its place."""

    template: ClassVar[str] = "jobs/curve.html"
    title: ClassVar[str] = "Cost curve"
    curve: Curve


@router.get("/{job_id}/curve")
def show_curve(request: Request, job_id: IdPath, access: CanRead, database: DatabaseDep, view: ViewDep) -> Response:
    """The curve as it is now."""
    with database.reading() as session:
        job = jobs.get(session, access.project, job_id)
        return page_response(request, CurvePart(curve_of(session, access.project, job, view)))


@router.get("/{job_id}/curve.svg")
def download_svg(job_id: IdPath, access: CanRead, database: DatabaseDep, view: ViewDep) -> Response:
    """The curve as an SVG file."""
    layout, name = _file_of(database, access.project, job_id, view)
    picture = as_svg(layout, f"J(W,b) of {name}", stands_alone=True)
    return _attached(str(picture).encode(), "image/svg+xml", f"{job_id}.svg")


@router.get("/{job_id}/curve.png")
def download_png(job_id: IdPath, access: CanRead, database: DatabaseDep, view: ViewDep) -> Response:
    """The curve as a PNG file."""
    layout, _ = _file_of(database, access.project, job_id, view)
    return _attached(as_png(layout), "image/png", f"{job_id}.png")


@router.get("/{job_id}/costs.csv")
def download_costs(job_id: IdPath, access: CanRead, database: DatabaseDep) -> Response:
    """Every row of the job's costs as CSV, to the last bit."""
    with database.reading() as session:
        jobs.get(session, access.project, job_id)
    headers = {"Content-Disposition": f'attachment; filename="{job_id}.csv"'}
    return StreamingResponse(_csv(database, job_id), 200, headers, "text/csv; charset=utf-8")


def curve_of(session: Session, project: Project, job: Job, view: View) -> Curve:
    """Draw a job's curve.

    Raises:
        NotFound: one of the other jobs is none of the project (code ``job_not_found``).
    """
    lines = lines_of(session, project, job, view)
    layout = laid_out(lines, view.scale, view.smoothing)
    there = any(line.iterations for line in lines)
    picture = as_svg(layout, _told(job, lines)) if there else Markup("")
    return Curve(job.id, view, picture, [(each.line.name, each.kind) for each in layout.lines], _table(lines))


def lines_of(session: Session, project: Project, job: Job, view: View) -> list[Line]:
    """What is to be drawn: the job's J, its held-out cost and its terms; of other jobs J."""
    rows = _rows(session, job, view)
    iterations = [row.iteration for row in rows]
    lines = [Line("J", iterations, [row.cost for row in rows])]
    if any(row.held_out_cost is not None for row in rows):
        lines.append(Line("held-out J", iterations, [row.held_out_cost for row in rows]))
    if view.terms:
        lines += [
            Line(name, iterations, values)
            for name, values in (
                ("data term", [row.data_cost for row in rows]),
                ("decay term", [row.decay_cost for row in rows]),
                ("sparsity term", [row.sparsity_cost for row in rows]),
            )
            if any(values)
        ]
    for job_id in view.others:
        if job_id != job.id:
            lines.append(line_of(session, jobs.get(session, project, job_id), view))
    return lines


def line_of(session: Session, job: Job, view: View) -> Line:
    """The J of a job as one line among those of others."""
    rows = _rows(session, job, view)
    return Line(job.name or job.id, [row.iteration for row in rows], [row.cost for row in rows])


def _rows(session: Session, job: Job, view: View) -> list[Record]:
    return costs.thin_rows(
        session, job.id, view.after, POINTS, view.before, jobs.held_out_every(job), job.thinned_before or 0
    )


def _table(lines: Sequence[Line]) -> list[tuple[int, list[float | None]]]:
    """Rows spread over the iterations of the first line; of other lines the value at or before each."""
    iterations = lines[0].iterations
    if not iterations:
        return []
    step = max(1, -(-(len(iterations) - 1) // (TABLE_ROWS - 1)))
    chosen = sorted({*range(0, len(iterations), step), len(iterations) - 1})
    return [(iterations[place], [_value_at(line, iterations[place]) for line in lines]) for place in chosen]


def _value_at(line: Line, iteration: int) -> float | None:
    known = [
        value for k, value in zip(line.iterations, line.values, strict=True) if k <= iteration and value is not None
    ]
    return known[-1] if known else None


def _told(job: Job, lines: Sequence[Line]) -> str:
    first = lines[0]
    if not first.iterations:
        return "No costs"
    return (
        f"Cost curve of {job.name or job.id}: J from {first.values[0]:.4g} at iteration {first.iterations[0]} "
        f"to {first.values[-1]:.4g} at iteration {first.iterations[-1]}"
    )


def _file_of(database: Database, project: Project, job_id: str, view: View) -> tuple[Layout, str]:
    with database.reading() as session:
        job = jobs.get(session, project, job_id)
        return laid_out(lines_of(session, project, job, view), view.scale, view.smoothing), job.name or job.id


def _attached(content: bytes, media_type: str, filename: str) -> Response:
    return Response(content, 200, {"Content-Disposition": f'attachment; filename="{filename}"'}, media_type)


def _csv(database: Database, job_id: str) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(_COLUMNS)
    after, more = -1, True
    while more:
        with database.reading() as session:
            rows, more = costs.list_rows(session, job_id, after, ROWS_AT_ONCE)
        writer.writerows(rows)
        after = rows[-1].iteration if rows else after
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
