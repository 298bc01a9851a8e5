"""One attempt at a queued prediction, from the claim to its end: part by part, in bounded memory."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy.orm import Session

from backprop_client.wire.error_codes import AnswerCode, FailureCode
from backprop_client.wire.jobs import Status
from domain.access.projects import Project
from domain.datasets import rows as datasets
from domain.datasets.files import row_batches
from domain.life import Superseded
from domain.models import rows as models
from domain.models.prediction import Predictor
from domain.models.table_reading import TableReader
from domain.predictions import attempts
from domain.predictions.attempts import Claim
from domain.predictions.control import reader_of
from domain.predictions.parts import key_of, store_part
from infra.artifacts import ArtifactStore
from infra.database import Database
from infra.errors import Unavailable
from infra.settings import Settings
from worker.carrying_out import Written, carried_out, write_however_long_it_takes
from worker.interrupter import CancelRequested
from worker.lease import LeaseKeeper
from worker.scratch import job_folder
from worker.shutdown import Shutdown

PAUSE_SECONDS = 2.0
"""Seconds. A database or a store that is away is asked again after so long."""

_log = structlog.get_logger(__name__)


def attempt_prediction(
    prediction_id: str, database: Database, artifacts: ArtifactStore, settings: Settings, shutdown: Shutdown
) -> None:
    """Claim the prediction and bring it to an end, or back into the queue when asked to shut down.

    Nothing happens when it is not queued: somebody else has it, or it has ended. When this attempt is superseded
    meanwhile, nothing more is written.
    """
    log = _log.bind(prediction=prediction_id)
    try:
        with database.writing() as session:
            claim = attempts.claim(session, prediction_id, settings.lease_seconds)
        if claim is None:
            log.info("nothing to do: the prediction is not queued")
            return
        log = log.bind(attempt=claim.prediction.attempt)
        log.info("prediction taken up", rows_done=claim.prediction.rows_done)
        attempt = PredictionAttempt(claim, database, artifacts, settings, shutdown)
        status = carried_out(attempt.predict, attempt, prediction_id, "predict for a dataset of fewer columns")
    except Superseded:
        log.warning("superseded: another attempt has the prediction, or it has ended")
    except Unavailable as error:
        log.warning("the prediction goes on when the database is back, in another attempt", reason=error.message)
    else:
        log.info("attempt ended", status=status)


@dataclass(frozen=True)
class _Work:
    """What is predicted for, and by what."""

    predictor: Predictor
    reader: TableReader
    artifact: str


@dataclass(frozen=True)
class PredictionAttempt:
    """A claimed prediction and what is needed to make it."""

    claim: Claim
    database: Database
    artifacts: ArtifactStore
    settings: Settings
    shutdown: Shutdown

    def predict(self) -> Status:
        """Make all parts that are not there yet.

        Raises:
            InvalidRequest: a row cannot be predicted; the message names it.
            CancelRequested, ShutdownRequested, Superseded: stop.
        """
        owner, settings = self.claim.owner, self.settings
        keeper = LeaseKeeper(
            self.database,
            lambda session: attempts.renew(session, owner, settings.lease_seconds),
            self.shutdown,
            settings.flush_seconds,
            settings.lease_seconds,
        )
        with job_folder() as scratch, keeper:
            self._all_parts(scratch)
        self._end(lambda session: attempts.succeed(session, owner))
        return "succeeded"

    def cancel(self) -> Status:
        """As `Ends.cancel`."""
        self._end(lambda session: attempts.cancel(session, self.claim.owner))
        return "cancelled"

    def release(self, reason: str) -> Status:  # noqa: ARG002  # there are no events to tell it in
        """As `Ends.release`."""
        return self._end(lambda session: attempts.release(session, self.claim.owner))

    def fail(self, code: AnswerCode | FailureCode, message: str) -> Status:
        """As `Ends.fail`."""
        self._end(lambda session: attempts.fail(session, self.claim.owner, code, message))
        return "failed"

    def _end(self, write: Callable[[Session], Written]) -> Written:
        return write_however_long_it_takes(
            self.database, write, self.shutdown, self.claim.owner.prediction_id, self.settings.flush_seconds
        )

    def _all_parts(self, scratch: Path) -> None:
        """Whatever is away is waited for: else the prediction would only come back again and again."""
        while True:
            try:
                self._remaining_parts(self._work(), scratch)
            except Unavailable as error:
                _log.warning("the prediction waits", prediction=self.claim.owner.prediction_id, reason=error.message)
                with self.shutdown.at_once():
                    time.sleep(PAUSE_SECONDS)
            else:
                return

    def _work(self) -> _Work:
        asked = self.claim.prediction
        project = Project(asked.project)
        with self.database.reading() as session:
            predictor = models.predictor(models.get_with_weights(session, project, asked.model_id))
            dataset = datasets.get(session, project, asked.dataset_id)
        return _Work(predictor, reader_of(predictor, dataset, asked), dataset.artifact)

    def _remaining_parts(self, work: _Work, scratch: Path) -> None:
        """The parts after the last one that is stored, each of them told once it is.

        Nothing interrupts what the database is asked: its driver would not know where it is.
        """
        with self.database.reading() as session:
            row = attempts.owned(session, self.claim.owner)
        done, began = row.rows_done, time.monotonic()
        unknown = Counter[str](row.unknown)
        with ExitStack() as open_files:
            with self.shutdown.at_once():
                file = open_files.enter_context(self.artifacts.reading(work.artifact))
                batches = row_batches(file, work.reader.names, row.part_rows, done)
            while done < row.rows:
                with self.shutdown.at_once():
                    predictions = work.predictor.predict_batch(work.reader, batch := next(batches), done)
                    answers = work.predictor.answer_table(predictions)
                    key = key_of(row.id, done // row.part_rows)
                    store_part(self.artifacts, key, answers, work.predictor.answer_schema, scratch)
                done += batch.num_rows
                unknown.update(each.column for each in predictions.unknown)
                rate = (done - row.rows_done) / (time.monotonic() - began)
                with self.database.writing() as session:
                    lease = self.settings.lease_seconds
                    cancelling = attempts.report(session, self.claim.owner, done, unknown, rate, lease)
                if cancelling:
                    raise CancelRequested
