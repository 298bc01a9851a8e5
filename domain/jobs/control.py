"""What people ask of a job that is there: to cancel it, to let it go on."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from domain.access.projects import Project
from domain.jobs import checkpoints, rows
from domain.jobs.transitions import take
from domain.life import NOT_ENDED
from infra.errors import Conflict, FieldError, InvalidRequest
from infra.tables import Job


def request_cancel(session: Session, project: Project, job_id: str) -> Job:
    """Cancel a queued job at once; ask a running one to stop at its next flush.

    Asking again, or asking a job that is already cancelled, changes nothing.

    Raises:
        NotFound: there is none (code ``job_not_found``).
        Conflict: it has succeeded or failed already (code ``job_already_ended``).
    """
    job = rows.locked(session, project, job_id)
    if job.status in ("succeeded", "failed"):
        raise Conflict("job_already_ended", f"The job has {job.status} already; there is nothing left to cancel.")
    if job.status != "cancelled" and not job.cancel_requested:
        take(session, job, "cancelled" if job.status == "queued" else "cancel_requested", cancel_requested=True)
    return job


def resume(session: Session, project: Project, job_id: str, iterations: int | None) -> Job:
    """Queue a job that has ended, to go on from its checkpoint.

    Args:
        session: of a transaction that also holds the job's dataset against deletion.
        project: whose job it is.
        job_id: which job.
        iterations: how many it is to have in all from now on; None for as many as before.

    Raises:
        NotFound: there is none (code ``job_not_found``).
        Conflict: it is queued or running (``job_not_ended``), has diverged and would do so again (``job_diverged``), or
            it has done all these iterations or stopped by itself (``nothing_left_to_train``).
        InvalidRequest: it has come further than that already (``too_few_iterations``).
    """
    job = rows.locked(session, project, job_id)
    total = job.iterations if iterations is None else iterations
    _check_resumable(job, total, checkpoints.iteration_of(session, job_id) or 0)
    take(
        session,
        job,
        "resumed",
        f"To {total} iterations in all.",
        iterations=total,
        spec=job.spec if iterations is None else _with_iterations(job.spec, iterations),
        crashes=0,
        cancel_requested=False,
        error_code=None,
        error_message=None,
        stopped_by=None,
    )
    return job


def _with_iterations(spec: dict[str, Any], iterations: int) -> dict[str, Any]:
    """The stored job with so many iterations, whatever epochs it was asked for or its trials were to tell."""
    changed = {**spec, "training": {**spec["training"], "iterations": iterations, "epochs": None}}
    if (selection := spec.get("selection")) is not None:
        changed["selection"] = {**selection, "tells_iterations": False}
    return changed


def _check_resumable(job: Job, total: int, reached: int) -> None:
    if job.status in NOT_ENDED:
        raise Conflict("job_not_ended", f"The job is {job.status}: it goes on by itself.")
    if job.error_code == "diverged":
        raise Conflict(
            "job_diverged",
            "The job would diverge again at the same iteration. Start a new one with what its error suggests.",
        )
    if job.stopped_by is not None:
        raise Conflict(
            "nothing_left_to_train",
            f"The training has ended by itself ({job.stopped_by}), and would at once again, whatever the number of "
            "iterations. A new job can start from its model (from_model_id).",
        )
    if job.status == "succeeded" and total <= job.iterations:
        raise Conflict(
            "nothing_left_to_train",
            f"The job has done its {job.iterations} iterations. Ask for more in all: iterations beyond that.",
        )
    if total < reached:
        message = f"The job has done {reached} iterations already: iterations is the number in all, at least that."
        raise InvalidRequest("too_few_iterations", message, (FieldError("/iterations", message),))
