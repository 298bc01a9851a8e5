"""`/learn`: lessons with data of their own, each to be started with one button."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import ClassVar

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool

from app.access.dependencies import CanRead, CanTrain
from app.dependencies import DatabaseDep, Services, ServicesDep
from app.pages.forms import FormDep
from app.pages.pictures.grid import unit_grid
from app.pages.pictures.plane import plane
from app.pages.rendering import page_response
from domain.access.projects import Project
from domain.captions import Wanted
from domain.datasets import rows as datasets
from domain.datasets.intake import ReadUpload, kept, read_upload
from domain.datasets.upload_files import upload_files
from domain.jobs import rows as jobs
from domain.jobs.submission import deliver, record
from domain.lessons import digits, points
from domain.lessons.lessons import LESSONS, TAG, Lesson, lesson

router = APIRouter(prefix="/learn")

SHOWN_DIGITS = 10
"""Pictures: one of each digit."""

LATEST = 8
"""Jobs. So many of the lessons started last are listed."""

_PLANES = {"xor": points.xor, "circles": points.circles, "spiral": points.spiral}


@dataclass(frozen=True)
class Offered:
    """A lesson as it is offered.

    Attributes:
        slug: its name in addresses.
        title: for people.
        about: what there is to see.
        pictures: of its data.
        training: how it trains, in short.
    """

    slug: str
    title: str
    about: str
    pictures: Sequence[Markup]
    training: str


@dataclass(frozen=True)
class Started:
    """A job of a lesson.

    Attributes:
        id: its.
        name: the lesson's, unless somebody has called it otherwise.
        status: where it is in its life.
        has_model: whether it has trained one, so that its examples can be looked at.
    """

    id: str
    name: str
    status: str
    has_model: bool


@dataclass(frozen=True)
class LessonsPage:
    """All lessons.

    Attributes:
        lessons: in the order in which a class would take them.
        started: the project's latest jobs of lessons.
        tag: what these are tagged with.
    """

    template: ClassVar[str] = "learning/lessons.html"
    title: ClassVar[str] = "Learn"
    lessons: Sequence[Offered]
    started: Sequence[Started]
    tag: str


@router.get("")
def list_lessons(request: Request, access: CanRead, database: DatabaseDep) -> Response:
    """The lessons, and which of them have been started."""
    with database.reading() as session:
        page = jobs.list_page(session, access.project, None, LATEST, wanted=Wanted((TAG,), None, None))
        started = [Started(job.id, job.name or job.id, job.status, job.model_id is not None) for job in page.rows]
    return page_response(request, LessonsPage(_offered(), started, TAG))


@router.post("/{slug}")
async def start_lesson(slug: str, _form: FormDep, access: CanTrain, services: ServicesDep) -> Response:
    """Make the lesson's dataset and its job, and go to the job's page."""
    chosen = lesson(slug)
    with services.upload_slots.one_of(access.project), upload_files(services.settings) as files:
        upload = await run_in_threadpool(chosen.received, files)
        read = await read_upload(files, upload, chosen.fields(), services.readers, services.settings)
        job_id = await run_in_threadpool(_recorded, chosen, read, access.project, services)
    return RedirectResponse(f"/jobs/{job_id}", HTTPStatus.SEE_OTHER)


def _recorded(chosen: Lesson, read: ReadUpload, project: Project, services: Services) -> str:
    """Record the lesson's dataset and its job, hand the job to the workers, and give its id."""
    with kept(read, project, services.artifacts) as dataset, services.database.writing() as session:
        datasets.add(session, dataset)
        job_id = record(session, project, chosen.spec(dataset.id), services.settings).id
    deliver(job_id, services.queue)
    return job_id


@cache
def _offered() -> Sequence[Offered]:
    """The lessons with their pictures, which are always the same."""
    return [Offered(each.slug, each.title, each.about, _pictures(each), _training(each)) for each in LESSONS]


def _pictures(each: Lesson) -> Sequence[Markup]:
    if each.slug in _PLANES:
        made = _PLANES[each.slug]()
        return [plane(made.x, made.is_second.astype(int), f"{len(made.x)} points of two kinds")]
    drawn = digits.drawn()
    return [
        unit_grid(drawn.pixels[digit].astype(float), f"The digit {digits.WORDS[digit]}")
        for digit in range(SHOWN_DIGITS)
    ]


def _training(each: Lesson) -> str:
    """How a lesson trains, in a line."""
    spec = each.spec("ds_0")
    assert spec.network is not None  # noqa: S101  # every lesson has one
    hidden = " and ".join(f"{layer.units} {layer.activation}" for layer in spec.network.layers[:-1])
    training = spec.training
    how = "L-BFGS" if training.optimizer == "lbfgs" else f"gradient descent, α = {training.learning_rate:g}"
    return f"{hidden} units, {how}, {training.iterations:,} iterations"
