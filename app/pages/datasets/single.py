"""`/datasets/{id}`: what was read and how, each column in short, the first rows, and what trains on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar

from fastapi import APIRouter, Query, Request, Response
from markupsafe import Markup

from app.access.dependencies import CanRead
from app.dependencies import ArtifactsDep
from app.edge.heavy_work import HeavyReadsDep
from app.pages.pictures.histogram import BINS, histogram
from app.pages.rendering import page_response
from app.pages.wording import number
from app.v1.answers import dataset_out
from app.v1.parameters import IdPath
from backprop_client.wire.columns import Column
from backprop_client.wire.datasets import DatasetOut, Scalar
from domain.access.projects import Project
from domain.datasets import rows as datasets
from domain.datasets.glance import bin_counts, first_values, frequent_values
from domain.jobs import rows as jobs
from infra.artifacts import ArtifactStore
from infra.database import Database
from infra.errors import NotFound

router = APIRouter(prefix="/datasets")

COLUMNS_A_PAGE = 50
"""Columns. A table may have thousands; more on one page would be read by nobody."""

ROWS_SHOWN = 10
"""Rows of the preview."""

CELLS_LOOKED_AT = 10_000
"""Cells. So many are read for the small pictures: a few milliseconds."""

MOST_ROWS_LOOKED_AT = 1_000
"""Rows. Likewise, where the columns are few."""

FREQUENT_VALUES = 4
"""Values of a column that are named because they come most often."""

JOBS_SHOWN = 5

LONGEST_CELL = 200
"""Characters of a cell that are shown."""

DIGITS_OF_A_CELL = 10
"""Significant digits of a number in a cell: nearly always all that the file has."""


@dataclass(frozen=True)
class Spread:
    """How the values of a column are spread in the rows that were looked at.

    Attributes:
        picture: a histogram of numbers; empty where there is none.
        frequent: the values that come most often, each with how often; of columns that are not of numbers.
    """

    picture: Markup
    frequent: Sequence[tuple[str, int]]


@dataclass(frozen=True)
class ShownColumn:
    """A column in short.

    Attributes:
        column: what is known of it.
        spread: how its values are spread.
        remarks: what a person should look at.
    """

    column: Column
    spread: Spread
    remarks: Sequence[str]


@dataclass(frozen=True)
class JobOnIt:
    """A job that trains on the dataset.

    Attributes:
        id: its.
        name: what people call it; None if nothing.
        status: where it is in its life.
        created_at: when it was asked for.
    """

    id: str
    name: str | None
    status: str
    created_at: datetime


@dataclass(frozen=True)
class DatasetPage:
    """One dataset.

    Attributes:
        dataset: what is known of it.
        columns: those of this page.
        first_column: the place of the first of them, from 0.
        columns_a_page: how many a page has at most.
        rows: the first ones, each in the order of these columns; None is missing.
        rows_looked_at: how many rows the small pictures are of.
        remarks: on the whole file.
        jobs: the newest that train on it.
        has_more_jobs: whether there are others.
    """

    template: ClassVar[str] = "datasets/single.html"
    dataset: DatasetOut
    columns: Sequence[ShownColumn]
    first_column: int
    columns_a_page: int
    rows: Sequence[Sequence[str | None]]
    rows_looked_at: int
    remarks: Sequence[str]
    jobs: Sequence[JobOnIt]
    has_more_jobs: bool

    @property
    def title(self) -> str:
        """What people call the dataset."""
        return self.dataset.name


FirstColumn = Annotated[int, Query(ge=0, le=1_000_000)]


@router.get("/{dataset_id}")
async def show_dataset(
    request: Request,
    dataset_id: IdPath,
    access: CanRead,
    heavy: HeavyReadsDep,
    artifacts: ArtifactsDep,
    column: FirstColumn = 0,
) -> Response:
    """One dataset."""
    page = await heavy.run(_page, heavy.database, artifacts, access.project, dataset_id, column)
    return page_response(request, page)


def _page(
    database: Database, artifacts: ArtifactStore, project: Project, dataset_id: str, first_column: int
) -> DatasetPage:
    with database.reading() as session:
        row = datasets.get(session, project, dataset_id)
        on_it = jobs.list_page(session, project, None, JOBS_SHOWN, dataset_id=dataset_id)
    dataset = dataset_out(row)
    first = first_column if first_column < len(dataset.columns) else 0
    shown = dataset.columns[first : first + COLUMNS_A_PAGE]
    rows = max(ROWS_SHOWN, min(MOST_ROWS_LOOKED_AT, CELLS_LOOKED_AT // len(shown)))
    try:
        values = first_values(artifacts, row.artifact, shown, rows)
    except FileNotFoundError as error:  # deleted between the lines above
        raise NotFound("dataset_not_found", f"There is no dataset {dataset_id}.") from error
    return DatasetPage(
        dataset=dataset,
        columns=[_shown(column, of_it, dataset) for column, of_it in zip(shown, values, strict=True)],
        first_column=first,
        columns_a_page=COLUMNS_A_PAGE,
        rows=[[_cell(value) for value in cells] for cells in zip(*(each[:ROWS_SHOWN] for each in values), strict=True)],
        rows_looked_at=len(values[0]),
        remarks=[remark.message for remark in dataset.remarks if remark.column is None],
        jobs=[JobOnIt(job.id, job.name, job.status, job.created_at) for job in on_it.rows],
        has_more_jobs=on_it.has_more,
    )


def _shown(column: Column, values: Sequence[Scalar], dataset: DatasetOut) -> ShownColumn:
    remarks = [remark.message for remark in dataset.remarks if remark.column == column.name]
    return ShownColumn(column, _spread(column, values), remarks)


def _spread(column: Column, values: Sequence[Scalar]) -> Spread:
    if column.minimum is not None and column.maximum is not None:
        counts = bin_counts(values, column.minimum, column.maximum, BINS)
        ends = f"{number(column.minimum)} to {number(column.maximum)}"
        return Spread(histogram(counts, f"Histogram of {column.name}, {ends}"), ())
    if column.type in ("category", "boolean"):
        often = frequent_values(values, FREQUENT_VALUES)
        return Spread(Markup(""), [(_cell(value) or "", count) for value, count in often])
    return Spread(Markup(""), ())


def _cell(value: Scalar) -> str | None:
    """A value as the preview shows it; None for a missing one."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    text = f"{value:.{DIGITS_OF_A_CELL}g}".replace("-", "−") if isinstance(value, float) else str(value)
    return text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL]}…"
