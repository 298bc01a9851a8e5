"""Filters of lists against plain Python."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from backprop_client.wire.captions import CaptionPatch
from domain import captions
from domain.access.projects import DEFAULT_PROJECT, Project
from domain.captions import Wanted
from domain.datasets import rows as datasets
from domain.jobs import rows as jobs
from domain.models import rows as models
from infra.database import Database
from infra.paging import Page
from infra.tables import Dataset, Job, Model
from tests.support.captions import add_dataset, add_job, add_model

OTHERS = Project("others")

ALPHABET = "aAüÜßsSé%_\\/é "
"""Letters with two cases, one that has no single capital, an é in two spellings, and what LIKE takes for something."""

TEXTS = st.text(ALPHABET, min_size=1, max_size=4).map(lambda text: unicodedata.normalize("NFC", text))
NAMES = st.none() | TEXTS
TAGS = st.lists(st.sampled_from(["a", "A", "ü", "50%", "a_b"]), max_size=4, unique=True).map(sorted)
CAPTIONS = st.tuples(NAMES, TAGS, NAMES)


@dataclass(frozen=True)
class Said:
    """What the oracle knows of a thing; `of_dataset` is all that is found of its dataset, if it has one."""

    id: str
    project: str
    name: str | None
    tags: list[str]
    texts: list[str]
    of_dataset: list[str]


def said(thing: Dataset | Job | Model, of_dataset: Dataset | None = None) -> Said:
    def texts(of: Dataset | Job | Model) -> list[str]:
        return [of.name or "", of.note or "", *of.tags]

    beside = [] if of_dataset is None else [*texts(of_dataset), of_dataset.id]
    return Said(thing.id, thing.project, thing.name, list(thing.tags), [*texts(thing), thing.id], beside)


def plain(text: str) -> str:
    return unicodedata.normalize("NFC", text.casefold())


def is_wanted(thing: Said, wanted: Wanted) -> bool:
    return (
        set(wanted.tags) <= set(thing.tags)
        and wanted.name in (None, thing.name)
        and (wanted.text is None or any(plain(wanted.text) in plain(text) for text in thing.texts + thing.of_dataset))
    )


LISTS: list[tuple[str, Callable[..., Page[Dataset] | Page[Job] | Page[Model]]]] = [
    ("dataset", datasets.list_page),
    (
        "job",
        lambda session, project, after, limit, wanted: jobs.list_page(session, project, after, limit, wanted=wanted),
    ),
    ("model", models.list_page),
]


def all_pages(
    session: Session,
    list_page: Callable[..., Page[Dataset] | Page[Job] | Page[Model]],
    project: Project,
    wanted: Wanted,
) -> list[str]:
    found: list[str] = []
    more = True
    while more:
        page = list_page(session, project, found[-1] if found else None, 2, wanted=wanted)
        found += [row.id for row in page.rows]
        more = page.has_more
    return found


@given(data=st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_lists_have_what_plain_python_finds(database: Database, data: st.DataObject) -> None:
    with database.writing() as session:
        things: dict[str, list[Said]] = {"dataset": [], "job": [], "model": []}
        for _ in range(3):
            name, tags, note = data.draw(CAPTIONS)
            for project in (DEFAULT_PROJECT, OTHERS):
                dataset = add_dataset(session, name or "table.csv", tags, note, project)
                things["dataset"].append(said(dataset))
                for _ in range(2):
                    job = add_job(session, dataset.id, *data.draw(CAPTIONS), project)
                    model = add_model(session, job)
                    assert (model.name, model.tags) == (job.name, job.tags)
                    patch = data.draw(st.dictionaries(st.sampled_from(["name", "note"]), NAMES))
                    captions.change(session, model, CaptionPatch.model_validate(patch))
                    captions.change(session, job, CaptionPatch(tags=tuple(data.draw(TAGS))))
                    things["job"].append(said(job, dataset))
                    things["model"].append(said(model, dataset))
    for _ in range(5):
        wanted = Wanted(
            tuple(data.draw(st.lists(st.sampled_from(["a", "A", "ü", "50%"]), max_size=2))),
            data.draw(st.none() | st.none() | TEXTS),
            data.draw(
                st.none() | st.text(ALPHABET, min_size=1, max_size=2) | st.sampled_from(["B_0", "ds_0", "TABLE"])
            ),
        )
        with database.reading() as session:
            for kind, list_page in LISTS:
                for project in (DEFAULT_PROJECT, OTHERS):
                    right = [
                        thing.id for thing in things[kind] if thing.project == project and is_wanted(thing, wanted)
                    ]
                    own = [
                        each
                        for each in all_pages(session, list_page, project, wanted)
                        if each in {t.id for t in things[kind]}
                    ]
                    assert own == sorted(right, reverse=True), (kind, wanted)


@pytest.mark.parametrize("tags", [("b", "a"), ()])
def test_tags_that_are_replaced_find_nothing_any_more(database: Database, tags: tuple[str, ...]) -> None:
    with database.writing() as session:
        dataset = add_dataset(session, tags=["old", "b"])
        captions.change(session, dataset, CaptionPatch(tags=tags))
    with database.reading() as session:
        for tag in ("old", "a", "b"):
            found = datasets.list_page(session, DEFAULT_PROJECT, None, 10, Wanted((tag,))).rows
            assert [each.id for each in found] == ([dataset.id] if tag in tags else [])
