"""By which rules old things go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from infra.settings import Settings


@dataclass(frozen=True)
class Rules:
    """How long things are kept at least; None: for ever.

    Attributes:
        failed_jobs: jobs that have failed or were cancelled, and have left no model, after their end.
        unnamed_models: models that nobody has given a name, a tag or a note, and that are no versions, from when they
            were made.
        costs: all costs of a job, after its end; then they are thinned.
        newest: so many jobs and so many models of each project are left as they are, however old they are.
    """

    failed_jobs: timedelta | None
    unnamed_models: timedelta | None
    costs: timedelta | None
    newest: int

    @classmethod
    def of(cls, settings: Settings) -> Rules:
        """Those of the settings."""
        return cls(
            failed_jobs=_days(settings.retain_failed_jobs_days),
            unnamed_models=_days(settings.retain_unnamed_models_days),
            costs=_days(settings.retain_costs_days),
            newest=settings.retain_newest,
        )

    @classmethod
    def for_everything(cls, age: timedelta, newest: int) -> Rules:
        """The same age for all."""
        return cls(age, age, age, newest)

    @property
    def let_anything_go(self) -> bool:
        """Whether there is anything that does not stay for ever."""
        return (self.failed_jobs, self.unnamed_models, self.costs) != (None, None, None)


def _days(days: float) -> timedelta | None:
    return timedelta(days=days) if days else None
