"""Who trains: this process, or a service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from backprop_client.clients import Backprop
from backprop_client.estimators.examples import Examples
from backprop_client.estimators.outcome import Follower, Outcome
from backprop_client.wire.specs import JobSpec

if TYPE_CHECKING:
    from types import ModuleType


class Backend(Protocol):
    """Carries out trainings."""

    def train(self, spec: JobSpec, examples: Examples, follower: Follower, start: Outcome | None) -> Outcome:
        """Carry out a job on these examples.

        Args:
            spec: the job, but for its dataset.
            examples: all rows; which of them are held out is chosen by the job.
            follower: is told how it goes.
            start: what an earlier training has left, if its weights are to be started from.

        Raises:
            ValueError: the job does not fit the examples.
        """


class InThisProcess:
    """Trains here, on the core."""

    def __init__(self, threads: int | None) -> None:
        self._threads = threads

    def train(self, spec: JobSpec, examples: Examples, follower: Follower, start: Outcome | None) -> Outcome:
        """As `Backend.train`.

        Raises:
            ImportError: the core is not installed.
        """
        local = core_needed()
        trained = None if start is None else start.model.here().trained
        outcome: Outcome = local.train(spec, examples, follower, trained, self._threads)
        return outcome


def core_needed(what_for: str = "Training in this process") -> ModuleType:
    """The module that computes in this process.

    Raises:
        ImportError: the core is not installed.
    """
    try:
        from backprop_client.estimators import local
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("backprop", "scipy", "threadpoolctl"):
            raise
        raise ImportError(
            f"{what_for} needs the core: pip install 'backprop-client[local]'", name=error.name
        ) from error
    return local


def backend_of(service: Any, threads: int | None) -> Backend:  # noqa: ANN401
    """Who trains.

    Args:
        service: None for this process; a client, or the address of a service.
        threads: of this process.

    Raises:
        TypeError: the service is none.
    """
    if service is None:
        return InThisProcess(threads)
    if isinstance(service, str | Backprop):
        from backprop_client.estimators.remote import ByService

        return ByService(service)
    raise TypeError(f"service is a Backprop client or the address of a service, not {type(service).__name__}.")
