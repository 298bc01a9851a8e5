"""The datasets' repository: their rows in the database. Their content is in `domain.datasets.files`."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, defer

from domain import captions
from domain.access.projects import Project
from domain.captions import EVERYTHING, Wanted
from domain.life import user_of
from infra.errors import Conflict, NotFound
from infra.paging import Page, page
from infra.tables import Dataset, Job, QueuedPrediction


def add(session: Session, dataset: Dataset) -> None:
    """Record an uploaded dataset."""
    captions.index(session, dataset)
    session.add(dataset)
    session.flush()


def get(session: Session, project: Project, dataset_id: str) -> Dataset:
    """The project's dataset of that id.

    Raises:
        NotFound: there is none (code ``dataset_not_found``).
    """
    return _found(project, dataset_id, session.get(Dataset, dataset_id))


def get_for_a_job(session: Session, project: Project, dataset_id: str) -> Dataset:
    """The project's dataset of that id, held against deletion until the transaction ends.

    Raises:
        NotFound: there is none (code ``dataset_not_found``).
    """
    return _found(project, dataset_id, session.get(Dataset, dataset_id, with_for_update={"read": True}))


def locked(session: Session, project: Project, dataset_id: str) -> Dataset:
    """The project's dataset of that id; nobody else changes it until the transaction ends.

    Raises:
        NotFound: there is none (code ``dataset_not_found``).
    """
    row = session.get(Dataset, dataset_id, with_for_update=True, populate_existing=True)
    return _found(project, dataset_id, row)


def list_page(
    session: Session, project: Project, after: str | None, limit: int, wanted: Wanted = EVERYTHING
) -> Page[Dataset]:
    """Those of the project's datasets that are wanted, newest first, without their columns: a list has none."""
    light = (defer(Dataset.columns, raiseload=True),)
    conditions = wanted.conditions(Dataset, project)
    return page(session, Dataset, project, *conditions, after=after, limit=limit, loading=light)


def column_counts(session: Session, project: Project, dataset_ids: Collection[str]) -> dict[str, int]:
    """How many columns those of these datasets have that the project has. The columns themselves are not read."""
    counted = select(Dataset.id, func.json_array_length(Dataset.columns)).where(
        Dataset.project == project, Dataset.id.in_(dataset_ids)
    )
    return {row[0]: row[1] for row in session.execute(counted)}


def names(session: Session, project: Project, dataset_ids: Collection[str]) -> dict[str, str]:
    """What those of these datasets are called that the project has."""
    named = select(Dataset.id, Dataset.name).where(Dataset.project == project, Dataset.id.in_(dataset_ids))
    return {row.id: row.name for row in session.execute(named)}


def delete(session: Session, project: Project, dataset_id: str) -> Dataset:
    """Remove the dataset's row, and return it so that its artifact can be removed after the commit.

    Raises:
        NotFound: there is none (code ``dataset_not_found``).
        Conflict: a queued or running job or prediction needs it (code ``dataset_in_use``).
    """
    dataset = locked(session, project, dataset_id)
    held_out_from = Job.spec[("held_out_table", "dataset_id")].as_string()
    user = user_of(
        session,
        project,
        (Job, or_(Job.dataset_id == dataset_id, held_out_from == dataset_id)),
        (QueuedPrediction, QueuedPrediction.dataset_id == dataset_id),
    )
    if user is not None:
        raise Conflict("dataset_in_use", f"The dataset is needed by {user}, which has not ended; cancel that first.")
    captions.forget(session, dataset_id)
    session.delete(dataset)
    return dataset


def _found(project: Project, dataset_id: str, dataset: Dataset | None) -> Dataset:
    if dataset is None or dataset.project != project:
        raise NotFound("dataset_not_found", f"There is no dataset {dataset_id}.")
    return dataset
