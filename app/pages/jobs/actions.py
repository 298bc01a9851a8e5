"""What the forms of the jobs' pages do to one job or to several: cancel, resume, delete, tag."""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlencode

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from app.access.dependencies import CanAdminister, CanRead, CanTrain
from app.dependencies import DatabaseDep, QueueDep, SettingsDep
from app.pages.addresses import page_of_ours
from app.pages.captions import caption_said
from app.pages.checking import checked, whole_number, wrong
from app.pages.forms import FormDep, all_said, said
from app.v1.parameters import ID_PATTERN
from backprop_client.wire.captions import CaptionPatch
from domain import captions
from domain.jobs import control, removal
from domain.jobs import rows as jobs
from domain.jobs.submission import deliver, resume
from infra.errors import ServiceError

router = APIRouter(prefix="/jobs")


@router.post("/compare")
def compare_jobs(form: FormDep, _access: CanRead) -> Response:
    """Go to where they are side by side. The address there names them and nothing else that the form has."""
    return RedirectResponse(
        f"/compare?{urlencode([('job', each) for each in all_said(form, 'job')])}", HTTPStatus.SEE_OTHER
    )


@router.post("/cancel")
def cancel_jobs(form: FormDep, access: CanTrain, database: DatabaseDep) -> Response:
    """Cancel them."""

    def cancel(job_id: str) -> None:
        with database.writing() as session:
            control.request_cancel(session, access.project, job_id)

    return _done(form, cancel)


@router.post("/resume")
def resume_jobs(
    form: FormDep, access: CanTrain, database: DatabaseDep, queue: QueueDep, settings: SettingsDep
) -> Response:
    """Have them go on, to as many iterations as the form says, or to as many as before."""
    iterations = whole_number(said(form, "iterations"), "iterations")

    def go_on(job_id: str) -> None:
        with database.writing() as session:
            resume(session, access.project, job_id, iterations, settings)
        deliver(job_id, queue)

    return _done(form, go_on)


@router.post("/delete")
def delete_jobs(form: FormDep, access: CanAdminister, database: DatabaseDep) -> Response:
    """Delete them, and their models where the form says so."""
    with_models = said(form, "with_models") is not None

    def delete(job_id: str) -> None:
        with database.writing() as session:
            removal.delete_job(session, access.project, job_id, with_models=with_models)

    return _done(form, delete)


@router.post("/tag")
def tag_jobs(form: FormDep, access: CanTrain, database: DatabaseDep) -> Response:
    """Give them a tag besides those that they have."""
    tag = said(form, "tag")
    if tag is None:
        raise wrong("tag", "There is no tag to give: write a word.")

    def give(job_id: str) -> None:
        with database.writing() as session:
            job = jobs.locked(session, access.project, job_id)
            captions.change(session, job, checked(CaptionPatch, {"tags": [*job.tags, tag]}))

    return _done(form, give)


@router.post("/caption")
def caption_job(form: FormDep, access: CanTrain, database: DatabaseDep) -> Response:
    """Change the name, the tags and the note of a job to what the form says."""
    patch = caption_said(form)

    def change(job_id: str) -> None:
        with database.writing() as session:
            captions.change(session, jobs.locked(session, access.project, job_id), patch)

    return _done(form, change)


def _done(form: FormData, act: Callable[[str], None]) -> Response:
    """Act on each job that the form names, then go back to where it was. An error stops none of the others."""
    job_ids = all_said(form, "job")
    if not job_ids:
        raise wrong("job", "No job is chosen: tick the boxes of those that are meant.")
    if not all(re.fullmatch(ID_PATTERN, job_id) for job_id in job_ids):
        raise wrong("job", "This is no id of a job.")
    errors: list[ServiceError] = []
    for job_id in job_ids:
        try:
            act(job_id)
        except ServiceError as error:
            errors.append(error)
    if errors:
        raise errors[0]
    return RedirectResponse(page_of_ours(said(form, "back") or "/"), HTTPStatus.SEE_OTHER)
