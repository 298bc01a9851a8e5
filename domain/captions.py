"""Captions: what people say of datasets, jobs and models: a name, tags and a note. Lists are filtered by them.

The caption stands in the thing's own row. Beside it are two tables that only filters read. Taggings say which things
have a tag. Searched texts have a thing's id, name, note and tags in one text, in which upper and lower case are the
same: what the databases make of a Ü depends on how they were set up.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, CompoundSelect, Select, delete, insert, select, union
from sqlalchemy.orm import Session

from backprop_client.wire.captions import CaptionPatch
from domain.access.projects import Project
from infra.database import changed
from infra.tables import Dataset, Job, Model, SearchedText, Tagging


def index(session: Session, thing: Dataset | Job | Model) -> None:
    """Make the thing be found by its caption. Whoever gives it another one holds its row until the transaction ends."""
    tags = thing.tags or []
    forget(session, thing.id)
    text = folded("\n".join([thing.id, thing.name or "", thing.note or "", *tags]))
    session.execute(insert(SearchedText).values(thing_id=thing.id, project=thing.project, text=text))
    if tags:
        rows = [{"thing_id": thing.id, "tag": tag, "project": thing.project} for tag in tags]
        session.execute(insert(Tagging), rows)


def change(session: Session, thing: Dataset | Job | Model, patch: CaptionPatch) -> None:
    """Change what the patch names, and nothing else. The thing's row is locked.

    A dataset without a name is called as its file was.
    """
    given = patch.model_fields_set
    if "name" in given:
        thing.name = patch.name or (thing.filename if isinstance(thing, Dataset) else None)
    if "tags" in given:
        thing.tags = list(patch.tags or ())
    if "note" in given:
        thing.note = patch.note
    index(session, thing)
    session.flush()
    if isinstance(thing, Job):
        changed(session, thing.id)


def forget(session: Session, thing_id: str) -> None:
    """Have no filter find a thing by its caption any more: it is deleted, or gets another one."""
    for table in (Tagging, SearchedText):
        session.execute(delete(table).where(table.thing_id == thing_id))


@dataclass(frozen=True)
class Wanted:
    """Which things of a list are wanted: those that meet all of this.

    Attributes:
        tags: that they have, all of them.
        name: that they have, exactly.
        text: that is in their name, note, tags or id, or in the caption of their dataset; upper and lower case are the
            same.
    """

    tags: tuple[str, ...] = ()
    name: str | None = None
    text: str | None = None

    def conditions(self, table: type[Dataset | Job | Model], project: Project) -> Iterator[ColumnElement[bool]]:
        """What SQL must find true of a row of that table."""
        for tag in self.tags:
            yield table.id.in_(select(Tagging.thing_id).where(Tagging.project == project, Tagging.tag == tag))
        if self.name is not None:
            yield table.name == self.name
        if self.text is not None:
            yield table.id.in_(_found(table, project, folded(self.text)))


EVERYTHING = Wanted()


def _found(table: type[Dataset | Job | Model], project: Project, text: str) -> Select[str] | CompoundSelect[str]:
    """The ids of the things of that table, and perhaps of others, that have the text in what is said of them.

    Jobs and models have what is said of their dataset. They are looked up by it: a condition on each row would read
    the wide rows of all.
    """
    has_it = SearchedText.text.contains(text, autoescape=True)
    found = select(SearchedText.thing_id).where(SearchedText.project == project, has_it)
    if table is Dataset:
        return found
    by_dataset = table.dataset_id.in_(found)  # type: ignore[union-attr]  # a job or a model
    return union(found, select(table.id).where(table.project == project, by_dataset))


def folded(text: str) -> str:
    """The text with upper and lower case made the same, in Unicode's form NFC."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
