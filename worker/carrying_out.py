"""How an attempt ends, whatever comes: with its work done, or with what went wrong told to whom it belongs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, TypeVar

import structlog
from sqlalchemy.orm import Session

from backprop_client.wire.error_codes import AnswerCode, FailureCode
from backprop_client.wire.jobs import Status
from domain.life import Superseded
from infra.database import Database
from infra.errors import ServiceError, Unavailable
from worker.interrupter import CancelRequested
from worker.shutdown import Shutdown, ShutdownRequested

Written = TypeVar("Written")

_log = structlog.get_logger(__name__)


class Ends(Protocol):
    """How something that is claimed can end without being done. Each raises `Superseded` if it is not ours any more."""

    def cancel(self) -> Status:
        """End it as somebody asked."""

    def release(self, reason: str) -> Status:
        """Put it back into the queue."""

    def fail(self, code: AnswerCode | FailureCode, message: str) -> Status:
        """End it with an error."""


def carried_out(work: Callable[[], Status], ends: Ends, what: str, advice: str) -> Status:
    """Do the work to its end, or bring it to another; tells the status then.

    Args:
        work: gives the status in the end.
        ends: what else may become of it.
        what: its id, for the log.
        advice: what to try where memory runs out.

    Raises:
        Superseded: it is no longer this attempt's.
        Unavailable: the database is away, and this process is to end before it is back.
    """
    try:
        return work()
    except Superseded:
        raise
    except CancelRequested:
        return ends.cancel()
    except ShutdownRequested:
        return ends.release("Its worker was asked to stop.")
    except Unavailable as error:
        _log.warning("it goes back to the queue", job=what, reason=error.message)
        return ends.release(error.message)
    except ServiceError as error:
        return ends.fail(error.code, error.message)
    except MemoryError:
        return ends.fail("out_of_memory", f"The worker has not enough memory for this; {advice}.")
    except Exception:  # whatever it is, it must end and its owner be told
        _log.exception("unexpected failure", job=what)
        return ends.fail("internal_error", "The worker failed at this; the reason is in its log.")


def write_however_long_it_takes(
    database: Database, write: Callable[[Session], Written], shutdown: Shutdown, what: str, pause: float
) -> Written:
    """End an attempt, waiting for a database that is away.

    If the commit went through and only its answer was lost, the second try finds it ended: superseded by itself, which
    changes nothing.

    Args:
        database: where to write.
        write: in one transaction.
        shutdown: whether this process is to end.
        what: the id, for the log.
        pause: seconds between two tries.

    Raises:
        Superseded: it is no longer this attempt's.
        Unavailable: the database is away, and this process is to end before it is back.
    """
    while True:
        try:
            with database.writing() as session:
                return write(session)
        except Unavailable as error:
            if shutdown.requested:
                raise
            _log.warning("it ends when the database takes it", job=what, reason=error.message)
            time.sleep(pause)
