"""`/jobs/new`: the form of a job, with what it would be while it is filled in."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Annotated, Any, ClassVar
from uuid import uuid4

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError
from sqlalchemy.orm import Session

from app.access.admission import Access
from app.access.dependencies import CanRead, CanTrain
from app.access.idempotency import Once
from app.dependencies import DatabaseDep, QueueDep, SettingsDep
from app.errors import field_errors
from app.pages.forms import FormDep, said
from app.pages.new_job.columns import ColumnRow, column_rows
from app.pages.new_job.commands import Commands, commands
from app.pages.new_job.data import data_page
from app.pages.new_job.fields import (
    HIDDEN_ACTIVATIONS,
    OF_CAPTION,
    OF_TASK,
    OF_TRAINING,
    OUTPUT_ACTIVATIONS,
    SIMPLE,
    Field,
    Mistake,
    Wrong,
    mistakes,
    pointer,
    sorted_by_field,
)
from app.pages.new_job.planned import Planned, planned
from app.pages.new_job.typed import Typed, typed_into
from app.pages.rendering import page_response
from app.v1.answers import dataset_out, job_plan
from app.v1.parameters import ID_PATTERN
from backprop_client.wire.datasets import DatasetOut
from backprop_client.wire.error_codes import STATUS_OF
from backprop_client.wire.specs import JobSpec
from domain.access.idempotency import Answer
from domain.access.projects import Project
from domain.datasets import rows as datasets
from domain.jobs.estimates import estimated_seconds
from domain.jobs.submission import deliver, record, resolve
from infra.database import Database
from infra.errors import InvalidRequest, NotFound, ServiceError, TooLarge, TooMany
from infra.queue import JobQueue
from infra.settings import Settings

router = APIRouter()

_REFUSALS = (InvalidRequest, NotFound, TooLarge, TooMany)
"""What a person can mend in the form."""


@dataclass(frozen=True)
class Choices:
    """The fields of the form that describe themselves.

    Attributes:
        task: what is learned.
        training: how.
        caption: what people say of it.
        hidden: activations of hidden layers, each with its wording.
        output: activations of the output layer.
    """

    task: Sequence[Field] = OF_TASK
    training: Sequence[Field] = OF_TRAINING
    caption: Sequence[Field] = OF_CAPTION
    hidden: Sequence[tuple[str, str]] = tuple(HIDDEN_ACTIVATIONS)
    output: Sequence[tuple[str, str]] = tuple(OUTPUT_ACTIVATIONS)


@dataclass(frozen=True)
class NewJobPage:
    """The form of a job.

    Attributes:
        dataset: what it learns from.
        columns: the first of that.
        typed: what the form says.
        choices: what it can say.
        wrong: what is wrong with it.
        plan: what the job would be; None while something is wrong, or nothing has been said.
        commands: the same job from elsewhere; None likewise.
        once: a word of this page's own: sent twice, it starts one job.
    """

    template: ClassVar[str] = "new_job/job.html"
    title: ClassVar[str] = "New job"
    dataset: DatasetOut
    columns: Sequence[ColumnRow]
    typed: Typed
    choices: Choices
    wrong: Wrong
    plan: Planned | None
    commands: Commands | None
    once: str

    @property
    def mistakes(self) -> list[Mistake]:
        """What is wrong, all in one place."""
        return mistakes(self.wrong)


@router.get("/jobs/new")
def new_job(
    request: Request,
    access: CanTrain,
    _reader: CanRead,
    database: DatabaseDep,
    settings: SettingsDep,
    dataset: str | None = None,
    target: Annotated[list[str] | None, Query()] = None,
    from_model: str | None = None,
) -> Response:
    """Ask for the data or, where they are named, for the rest of the job."""
    if not dataset:
        return page_response(request, data_page(database, access.project, settings))
    more = json.dumps({"from_model_id": from_model}) if from_model else ""
    typed = Typed(targets=target or (), more=more)
    considered = _considered if target or from_model else _not_considered
    with database.reading() as session:
        form = _Form(session, access, settings, _dataset(session, access.project, dataset), typed)
        return page_response(request, form.page(request, considered(form), uuid4().hex))


@router.post("/jobs/new")
def answer_form(
    request: Request,
    form: FormDep,
    access: CanTrain,
    _reader: CanRead,
    database: DatabaseDep,
    queue: QueueDep,
    settings: SettingsDep,
) -> Response:
    """Do what the button says by which the form was sent: start the job, change its layers, or only look at it."""
    action = said(form, "do") or "look"
    typed = typed_into(form).after(action)
    once = said(form, "once") or uuid4().hex
    with database.reading() as session:
        dataset = _dataset(session, access.project, said(form, "dataset") or "")
        filled = _Form(session, access, settings, dataset, typed)
        considered = _considered(filled)
        page = filled.page(request, considered, once)
    if action != "start":
        return page_response(request, page)
    if considered.spec is None:
        return page_response(request, page, considered.status)
    try:
        return _started(considered.spec, once, access, database, queue, settings)
    except _REFUSALS as error:  # something has changed just now, or too many jobs are queued
        return page_response(request, replace(page, wrong=_wrong(error, typed)), STATUS_OF[error.kind])


@dataclass(frozen=True)
class _Considered:
    """What has become of a form.

    Attributes:
        wrong: with it.
        status: HTTP's, where something is.
        spec: the job, where nothing is.
        asked: the same as JSON.
        plan: what it would be.
    """

    wrong: Wrong
    status: int = HTTPStatus.OK
    spec: JobSpec | None = None
    asked: dict[str, Any] | None = None
    plan: Planned | None = None


@dataclass(frozen=True)
class _Form:
    """A form and what it is about.

    Attributes:
        session: a reading one.
        access: of whoever has filled it in.
        settings: of the service.
        dataset: what is to be learned from.
        typed: what the form says.
    """

    session: Session
    access: Access
    settings: Settings
    dataset: DatasetOut
    typed: Typed

    def page(self, request: Request, considered: _Considered, once: str) -> NewJobPage:
        """The page with the form as it is now."""
        address = str(request.base_url).rstrip("/")
        has_key = self.access.key_id is not None
        asked = considered.asked
        return NewJobPage(
            dataset=self.dataset,
            columns=column_rows(self.dataset, self.typed),
            typed=self.typed,
            choices=Choices(),
            wrong=considered.wrong,
            plan=considered.plan,
            commands=None if asked is None else commands(asked, address, has_key=has_key),
            once=once,
        )


def _not_considered(_form: _Form) -> _Considered:
    """Nothing is said of a form that nobody has touched."""
    return _Considered(Wrong())


def _considered(form: _Form) -> _Considered:
    """Whether the form is a job, and which."""
    try:
        asked = form.typed.job(form.dataset.id, form.dataset.columns, form.dataset.rows)
        spec = _checked(asked)
        resolved = resolve(form.session, form.access.project, spec, form.settings)
    except _REFUSALS as error:
        return _Considered(_wrong(error, form.typed), STATUS_OF[error.kind])
    plan = job_plan(resolved, estimated_seconds(form.session, resolved))
    return _Considered(Wrong(), spec=spec, asked=asked, plan=planned(plan))


def _checked(asked: dict[str, Any]) -> JobSpec:
    try:
        return JobSpec.model_validate(asked)
    except ValidationError as error:
        fields = field_errors([{**each, "loc": ("body", *each["loc"])} for each in error.errors()])
        raise InvalidRequest("invalid_request", "The form is not filled in as it must be.", tuple(fields)) from error


def _wrong(error: ServiceError, typed: Typed) -> Wrong:
    """What an error says, at the fields of the form that it is about."""
    if not error.fields:
        return Wrong(elsewhere=(error.message,))
    known = {"/targets": "targets", "/inputs": "inputs", "/network": "network", "/more": "more"}
    known |= {pointer(each.name): each.name for each in SIMPLE}
    if typed.is_composed:
        for number in range(len(typed.layers)):
            known |= {f"/network/layers/{number}": f"units-{number}"}
            known |= {f"/network/layers/{number}/activation": f"activation-{number}"}
        known |= {f"/network/layers/{len(typed.layers)}": "output"}
    return sorted_by_field(error.fields, known)


def _dataset(session: Session, project: Project, dataset_id: str) -> DatasetOut:
    """The dataset of that id. Raises NotFound: the project has none."""
    if not re.fullmatch(ID_PATTERN, dataset_id):
        raise NotFound("dataset_not_found", "There is no dataset of this id.")
    return dataset_out(datasets.get(session, project, dataset_id))


def _started(
    spec: JobSpec, once: str, access: Access, database: Database, queue: JobQueue, settings: Settings
) -> Response:
    """Start the job, and go to its page. The same form sent twice, as by a double click, starts one."""
    content = spec.model_dump_json()
    key = hashlib.sha256(f"{once}\n{content}".encode()).hexdigest()
    with Once(database, access.project, key, "POST /jobs/new", settings.idempotency_hours).turn(content) as turn:
        answer = turn.first_answer
        if answer is None:
            with database.writing() as session:
                job = record(session, access.project, spec, settings)
                there = {"Location": f"/jobs/{job.id}"}
                answer = turn.keep(session, Answer(HTTPStatus.SEE_OTHER, b"", there))
                job_id: str = job.id
            deliver(job_id, queue)
    return RedirectResponse(answer.headers["Location"], HTTPStatus.SEE_OTHER)
