"""What a worker does for the service beside its jobs: letting old things go, and giving back the room of deleted ones.

That may take long, so it has a process of its own, which ends when it is done.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

import structlog

from domain.retention.pruning import clean_up, is_anything_left, prune
from domain.retention.rules import Rules
from infra.artifacts import ArtifactStore
from infra.database import Database
from infra.errors import Unavailable
from infra.logging import configure_logging
from infra.processes import end_with_parent
from infra.settings import Settings

ROUND_SECONDS = 3_600.0
"""Seconds. So often old things are looked for. Their age is counted in days."""

REST_SECONDS = 30.0
"""Seconds. So long after a round has begun no other does, whatever is left to do: a process takes a second to start."""

_log = structlog.get_logger(__name__)


def keep_house(settings: Settings) -> None:
    """One round."""
    database = Database(settings.resolved_database_url)
    try:
        for _old in prune(database, Rules.of(settings)):
            pass  # it has been logged
        clean_up(database, ArtifactStore(settings.resolved_artifacts_uri))
    except Unavailable as error:
        _log.warning("cannot clean up right now", reason=error.message)
    finally:
        database.close()


class Housekeeper:
    """Starts a round when one is due, unless one is under way. Several workers may do so at the same time."""

    def __init__(self, settings: Settings) -> None:
        self._lets_things_go = Rules.of(settings).let_anything_go
        self._process: subprocess.Popen[bytes] | None = None
        self._environment = os.environ | {
            f"BACKPROP_{name.upper()}": str(value) for name, value in settings.model_dump().items()
        }
        self._next_round = 0.0
        self._rests_until = 0.0

    @property
    def is_under_way(self) -> bool:
        """Whether a round of this worker is."""
        return self._process is not None and self._process.poll() is None

    def look(self, database: Database) -> None:
        """Start a round if it is time for one, or if something deleted still takes room.

        Raises:
            Unavailable: the database cannot be reached.
        """
        now = time.monotonic()
        if now < self._rests_until or self.is_under_way:
            return
        if not (self._lets_things_go and now >= self._next_round):
            with database.reading() as session:
                if not is_anything_left(session):
                    return
        self._next_round, self._rests_until = now + ROUND_SECONDS, now + REST_SECONDS
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(os.getpid())], env=self._environment, stdin=subprocess.DEVNULL
        )


if __name__ == "__main__":
    end_with_parent(int(sys.argv[1]))
    configure_logging(Settings())
    keep_house(Settings())
