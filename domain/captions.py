"""Captions: what people say of datasets, jobs and models: a name, tags and a note. Lists are filtered by them.

The caption stands in the thing's own row. Beside it are two things that only filters read. `searched` has name, note
and tags in one text, in which upper and lower case are the same: what the databases make of a Ü depends on how they
were set up. The table of taggings says which things have a tag.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, func, insert, or_, select
from sqlalchemy.orm import Session

from backprop_client.wire.captions import CaptionPatch
from domain.access.projects import Project
from infra.tables import Dataset, Job, Model, Tagging


def index(session: Session, thing: Dataset | Job | Model) -> None:
    """Make the thing be found by its caption. Whoever gives it another one holds its row until the transaction ends."""
    tags = thing.tags or []
    thing.searched = folded("\n".join([thing.name or "", thing.note or "", *tags]))
    forget(session, thing.id)
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


def forget(session: Session, thing_id: str) -> None:
    """Have no filter find a thing by its tags any more: it is deleted, or gets others."""
    session.execute(delete(Tagging).where(Tagging.thing_id == thing_id))


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
            text = folded(self.text)
            places = [
                table.searched.contains(text, autoescape=True),
                func.lower(table.id).contains(text, autoescape=True),
            ]
            if table is not Dataset:
                of_that_name = select(Dataset.id).where(
                    Dataset.project == project, Dataset.searched.contains(text, autoescape=True)
                )
                places.append(table.dataset_id.in_(of_that_name))  # type: ignore[union-attr]  # a job or a model
            yield or_(*places)


EVERYTHING = Wanted()


def folded(text: str) -> str:
    """The text with upper and lower case made the same, in Unicode's form NFC."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
