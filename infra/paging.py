"""Lists in pages: newest first, continued after the id that ended the page before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.interfaces import ORMOption

from infra.tables import (
    Dataset,
    Job,
    Model,
    NetworkRow,
    QueuedPrediction,
    RegisteredModel,
    Webhook,
    WebhookDelivery,
)

Row = TypeVar("Row")
Listed = TypeVar("Listed", Dataset, NetworkRow, Job, Model, QueuedPrediction, RegisteredModel, Webhook, WebhookDelivery)


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows of a list, and whether more follow."""

    rows: list[Row]
    has_more: bool


def page(
    session: Session,
    table: type[Listed],
    project: str,
    *conditions: ColumnElement[bool],
    after: str | None,
    limit: int,
    loading: Sequence[ORMOption] = (),
) -> Page[Listed]:
    """The next `limit` rows of `table` in a project that meet the conditions, newest first.

    Args:
        session: where to read.
        table: one whose `id` sorts by time.
        project: whose rows.
        conditions: SQL conditions that all must hold.
        after: the id the page before ended with; None for the first page.
        limit: how many rows at most.
        loading: what of a row is read, if not all.
    """
    query = select(table).options(*loading).where(table.project == project, *conditions)
    query = query.order_by(table.id.desc()).limit(limit + 1)
    if after is not None:
        query = query.where(table.id < after)
    rows = list(session.scalars(query))
    return Page(rows[:limit], has_more=len(rows) > limit)
