"""Jobs whose worker has died: they are taken from it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from domain import life
from domain.jobs.transitions import take
from infra.tables import Job


def recover(session: Session, max_crashes: int) -> None:
    """Take running jobs from workers that have not reported within their lease.

    They are queued again, but a job that somebody asked to cancel is cancelled, and one that has lost its worker
    `max_crashes` times without a new checkpoint in between fails with the code ``worker_lost``.
    """
    for job in life.expired(session, Job):
        crashes = job.crashes + 1
        if job.cancel_requested:
            take(session, job, "cancelled", crashes=crashes)
        elif crashes >= max_crashes:
            message = _lost_message(crashes)
            take(
                session, job, "failed", "worker_lost", crashes=crashes, error_code="worker_lost", error_message=message
            )
        else:
            take(session, job, "lost", "Its worker has not reported within its lease.", crashes=crashes)


def _lost_message(crashes: int) -> str:
    return (
        f"The worker died {crashes} times while it had this job, each time before the next checkpoint, most likely for "
        "lack of memory. Try a smaller network or fewer rows; POST /v1/jobs/{id}/resume tries this one again."
    )
