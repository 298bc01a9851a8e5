"""One attempt at a job, from the claim to its end: prepared, trained, measured, and the model stored."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy.orm import Session

from backprop.activations import ACTIVATIONS
from backprop.model import TrainedModel
from backprop.network import Network, Parameters
from backprop.passes.usual import usual_pass
from backprop.training import Record, Run, StopReason
from backprop_client.wire.error_codes import AnswerCode, FailureCode
from backprop_client.wire.gradient_checks import GradientCheckResult
from backprop_client.wire.jobs import RowCounts, Status
from backprop_client.wire.registration import Registered
from backprop_client.wire.resolved_jobs import ResolvedJob
from domain.access.projects import Project
from domain.datasets import rows as datasets
from domain.jobs import attempts, costs, gradient_checks
from domain.jobs.attempts import Claim
from domain.jobs.epochs import settled
from domain.jobs.transitions import Owner
from domain.jobs.translation import network_of, training_of
from domain.life import Superseded
from domain.models import rows as models
from domain.registry.registration import register
from infra.artifacts import ArtifactStore
from infra.codec import to_bytes
from infra.database import Database
from infra.errors import InvalidRequest, Unavailable
from infra.ids import new_id
from infra.processes import usable_processors
from infra.settings import Settings
from infra.tables import Model
from worker.carrying_out import Written, carried_out, write_however_long_it_takes
from worker.evaluation import evaluate, importance_of_columns
from worker.preparation import TrainingData, prepare
from worker.recorder import Pace, Recorder
from worker.scratch import job_folder
from worker.selection import select
from worker.shutdown import Shutdown
from worker.start import Start, start_of
from worker.writer import DirectWriter, Writer

SMOOTH_LIMIT = 1e-6
"""A relative difference. With a smooth J on scaled inputs, a right gradient is far closer to the numerical one, and a
wrong one is far off."""

KINKED_LIMIT = 0.05
"""A relative difference. With relu units some z are closer to the kink than the step. There the numerical derivative
averages both sides."""

STORE_SECONDS = 2.0
"""Seconds. A store of datasets that is away is asked again after so long."""

_log = structlog.get_logger(__name__)


def attempt_job(
    job_id: str,
    database: Database,
    artifacts: ArtifactStore,
    settings: Settings,
    shutdown: Shutdown,
    writing: Callable[[Database, Owner, float], Writer] = DirectWriter,
) -> None:
    """Claim the job and bring it to an end, or back into the queue when asked to shut down.

    Nothing happens when the job is not queued: somebody else has it, or it has ended.

    Whatever goes wrong with the job itself becomes its error. When this attempt is superseded meanwhile, nothing
    more is written.
    """
    log = _log.bind(job=job_id)
    try:
        with database.writing() as session:
            claim = attempts.claim(session, job_id, settings.lease_seconds)
        if claim is None:
            log.info("nothing to do: the job is not queued")
            return
        log = log.bind(attempt=claim.job.attempt)
        log.info("job taken up")
        status = Attempt(claim, database, artifacts, settings, shutdown, writing).carry_out()
    except Superseded:
        log.warning("superseded: another attempt has the job, or it has ended")
    except Unavailable as error:
        log.warning("the job goes on when the database is back, in another attempt", reason=error.message)
    else:
        log.info("attempt ended", status=status)


@dataclass(frozen=True)
class Attempt:
    """A claimed job and what is needed to carry it out."""

    claim: Claim
    database: Database
    artifacts: ArtifactStore
    settings: Settings
    shutdown: Shutdown
    writing: Callable[[Database, Owner, float], Writer]

    def carry_out(self) -> Status:
        """Bring the job to an end, or back into the queue; tells its status then.

        Raises:
            Superseded: the job is no longer this attempt's.
            Unavailable: the database is away, and this process is to end before it is back.
        """
        return carried_out(self._train_to_the_end, self, self.claim.job.id, "try a smaller network")

    def _train_to_the_end(self) -> Status:
        with job_folder() as scratch:
            return self._succeed(*self._train(scratch))

    def _train(self, scratch: Path) -> tuple[Model, StopReason | None]:
        """Prepare, train and measure, all while the recorder keeps the lease.

        Returns:
            The model, not yet stored and without its cost, and what ended the training early.
        """
        project = Project(self.claim.job.project)
        spec = ResolvedJob.model_validate(self.claim.job.spec)
        settings = self.settings
        pace = Pace(settings.flush_seconds, settings.checkpoint_seconds, settings.lease_seconds, settings.max_snapshots)
        with self.database.reading() as session:
            artifact = datasets.get(session, project, spec.dataset_id).artifact
            other = spec.held_out_table
            held_out = None if other is None else datasets.get(session, project, other.dataset_id).artifact
        with Recorder(self.database, self.claim, pace, self.shutdown, self.writing) as recorder:
            with self.shutdown.at_once():
                spec, data, run = self._begin(spec, artifact, held_out, scratch)
            recorder.snapshots.plan(spec.training.iterations, run.parameters, data.coding, self.claim.checkpoint)
            with self.shutdown.training():
                follow(run, recorder)
            with self.shutdown.at_once():
                trained = TrainedModel(run.best_parameters, data.coding)
                metrics = evaluate(trained, data)
                importance = importance_of_columns(trained, data, training_of(spec.training))
            stored = trained.to_stored()
            model = Model(
                id=new_id("mdl"),
                project=self.claim.job.project,
                job_id=self.claim.job.id,
                from_model_id=self.claim.job.model_id or spec.from_model_id,
                dataset_id=spec.dataset_id,
                task=spec.task,
                network=stored.network,
                preprocessing=stored.coding | _reading(spec),
                metrics=metrics,
                iteration=run.best_iteration,
                weights=to_bytes(stored.weights),
                importance=importance.model_dump(mode="json"),
                created_at=datetime.now(UTC),
            )
            return model, run.stopped

    def _begin(
        self, spec: ResolvedJob, artifact: str, held_out: str | None, scratch: Path
    ) -> tuple[ResolvedJob, TrainingData, Run]:
        """Make ready to train: code the rows and choose what the job leaves open.

        What the training starts from may be large, and is not needed any more after this.
        """
        start = start_of(self.claim, spec, self.database)
        data = self._prepared(spec, artifact, held_out, scratch, start)
        if start.is_the_first:
            spec = self._settled(spec, data.rows)
        if spec.selection is not None and spec.selection.chosen is None:
            spec = select(spec, data, self._threads, self._record_choice, self.settings.max_iterations)
        run = self._run(spec, data, start)
        if spec.gradient_check and start.is_the_first:
            self._check_gradient(spec, run.parameters, data)
        return spec, data, run

    @property
    def _threads(self) -> int:
        return self.settings.training_threads or usable_processors()

    def _record_choice(self, job: ResolvedJob) -> None:
        with self.database.writing() as session:
            attempts.record_choice(session, self.claim.owner, job)

    def _prepared(
        self, spec: ResolvedJob, artifact: str, held_out: str | None, scratch: Path, start: Start
    ) -> TrainingData:
        """The coded rows. A store that is away is waited for: the job would only come back again and again."""
        while True:
            try:
                return prepare(spec, self.artifacts, artifact, scratch, start.coding, held_out)
            except Unavailable as error:
                _log.warning("the job waits for its dataset", job=self.claim.job.id, reason=error.message)
                time.sleep(STORE_SECONDS)

    def _settled(self, spec: ResolvedJob, rows: RowCounts) -> ResolvedJob:
        """The job as it is on so many rows, which is recorded with them."""
        training = settled(spec.training, rows.training, holds_out=rows.held_out > 0)
        spec = spec.model_copy(update={"training": training})
        with self.database.writing() as session:
            attempts.record_row_counts(session, self.claim.owner, rows.model_dump(), spec)
        return spec

    def _run(self, spec: ResolvedJob, data: TrainingData, start: Start) -> Run:
        network, training = network_of(spec), training_of(spec.training)
        pass_ = usual_pass(
            network,
            data.X,
            data.Y,
            training.objective(),
            batch_size=training.batch_size,
            seed=training.seed,
            threads=self._threads,
            X_held=data.X_held,
            Y_held=data.Y_held,
            weights=data.cost_weights,
            weights_held=data.cost_weights_held,
        )
        return Run(training, pass_, parameters=start.parameters(network, spec.training), state=start.state)

    def _check_gradient(self, spec: ResolvedJob, parameters: Parameters, data: TrainingData) -> None:
        """Check the gradient where training will start, and keep the result whatever it is.

        Raises:
            InvalidRequest: the check failed (code ``gradient_check_failed``), or J is not a finite number (code
                ``diverged``).
        """
        objective = training_of(spec.training).objective()
        try:
            result = gradient_checks.check(parameters, data.X, data.Y, objective, spec.training.seed, data.cost_weights)
        except FloatingPointError as error:
            raise _diverged(0) from error
        with self.database.writing() as session:
            attempts.record_gradient_check(session, self.claim.owner, result.model_dump(mode="json"))
        _require_agreement(result, parameters.network)

    def _succeed(self, model: Model, stopped_by: StopReason | None) -> Status:
        asked = ResolvedJob.model_validate(self.claim.job.spec).registration

        def write(session: Session) -> Registered | None:
            attempts.hold_to_the_end(session, self.claim.owner)
            model.cost = costs.cost_at(session, model.job_id, model.iteration)
            models.add(session, model)
            registered = None if asked is None else register(session, model, asked)
            attempts.succeed(session, self.claim.owner, model.id, stopped_by, model.metrics, registered)
            return registered

        registered = self._end(write)
        if registered is not None:
            _log.info("model registered", job=model.job_id, model=model.id, outcome=registered.reason)
        return "succeeded"

    def fail(self, code: AnswerCode | FailureCode, message: str) -> Status:
        """As `Ends.fail`."""
        self._end(lambda session: attempts.fail(session, self.claim.owner, code, message))
        return "failed"

    def cancel(self) -> Status:
        """As `Ends.cancel`. The checkpoint stays."""
        self._end(lambda session: attempts.cancel(session, self.claim.owner))
        return "cancelled"

    def release(self, reason: str) -> Status:
        """As `Ends.release`."""
        return self._end(lambda session: attempts.release(session, self.claim.owner, reason))

    def _end(self, write: Callable[[Session], Written]) -> Written:
        return write_however_long_it_takes(
            self.database, write, self.shutdown, self.claim.job.id, self.settings.flush_seconds
        )


def follow(run: Run, recorder: Recorder) -> None:
    """Train to the last iteration, or to where training stops by itself, and record each on the way.

    Raises:
        InvalidRequest: J is no longer a finite number (code ``diverged``).
        CancelRequested, ShutdownRequested, Superseded: stop, as the recorder says.
    """
    last: Record | None = None
    snapshots = recorder.snapshots
    for record in run.records():
        if not math.isfinite(record.cost):
            raise _diverged(record.iteration)
        if last is None:
            recorder.training_begins(record.iteration)
        last = record
        recorder.add(record)
        if record.iteration == snapshots.next_at:
            snapshots.take(run, record)
        if recorder.needs_attention:
            recorder.attend(run, record.iteration)
    if last is not None:
        snapshots.take_the_end(run, last)
        recorder.training_ends(run, last.iteration)


def _reading(spec: ResolvedJob) -> dict[str, Any]:
    """How rows to predict are read, besides what the coding says: their text, and which other columns they may have."""
    return {"cells": None if spec.cells is None else spec.cells.model_dump(mode="json"), "table": list(spec.table)}


def _require_agreement(result: GradientCheckResult, network: Network) -> None:
    """Refuse to train with a gradient that the numerical one does not confirm."""
    smooth = all(ACTIVATIONS[layer.activation].smooth for layer in network.layers)
    limit = SMOOTH_LIMIT if smooth else KINKED_LIMIT
    if result.relative_difference > limit:
        worst = result.worst
        raise InvalidRequest(
            "gradient_check_failed",
            f"The gradient and the numerical one differ by {result.relative_difference:.1e}, more than {limit:g}; most "
            f"at {worst}: {worst.gradient:.6e} and numerically {worst.numerical:.6e}. Inputs that are not scaled make "
            "the numerical gradient inexact: try scaling standardize or min_max. Without gradient_check the job "
            "trains.",
        )


def _diverged(iteration: int) -> InvalidRequest:
    if iteration == 0:  # before any update, so that no learning rate has been used
        return InvalidRequest(
            "diverged",
            "J is not a finite number at iteration 0, at the weights that training starts from. Scale the inputs "
            "(scaling standardize), or start from a smaller epsilon; float64 takes larger numbers than float32.",
        )
    return InvalidRequest(
        "diverged",
        f"J is no longer a finite number at iteration {iteration}. Try a smaller learning_rate; with linear or "
        "relu units also a smaller epsilon, or scaled inputs.",
    )
