"""How following a job may end other than with a model."""

from __future__ import annotations

from typing import Any

from backprop_client.errors import Cancelled, DidNotSucceed, Failed
from backprop_client.wire.jobs import JobNote, JobOut


class JobFailed(Failed):
    """A job has failed.

    Attributes:
        job: as it has ended.
        notes: what a look at its curve would tell.
    """

    def __init__(self, job: JobOut) -> None:
        code, message = (job.error.code, job.error.message) if job.error else ("", "It has failed.")
        super().__init__(job.id, code, _told(job, message))
        self.job = job
        self.notes: list[JobNote] = list(job.notes)

    def __reduce__(self) -> tuple[Any, ...]:
        """For pickle, which would give the constructor the message alone."""
        return type(self), (self.job,)


class JobCancelled(Cancelled):
    """A job was cancelled. What it has done is kept: `Job.resume` goes on.

    Attributes:
        job: as it has ended.
    """

    def __init__(self, job: JobOut) -> None:
        super().__init__(job.id, None, _told(job, "It was cancelled."))
        self.job = job

    def __reduce__(self) -> tuple[Any, ...]:
        """For pickle, which would give the constructor the message alone."""
        return type(self), (self.job,)


def no_success(job: JobOut) -> DidNotSucceed | None:
    """What to raise for an ended job; None if it has succeeded."""
    if job.status == "failed":
        return JobFailed(job)
    return JobCancelled(job) if job.status == "cancelled" else None


def _told(job: JobOut, message: str) -> str:
    return "\n".join([f"{job.id}: {message}", *(note.message for note in job.notes)])
