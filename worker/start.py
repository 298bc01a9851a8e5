"""Where an attempt starts from: random weights, the weights of a model, or the job's checkpoint."""

from __future__ import annotations

from dataclasses import dataclass

from backprop.coding.coding import Coding
from backprop.network import Network, Parameters, initial_parameters
from backprop_client.wire.resolved_jobs import ResolvedJob
from backprop_client.wire.specs import TrainingSpec
from domain.access.projects import Project
from domain.jobs import checkpoints
from domain.jobs.attempts import Claim
from domain.jobs.gradient_checks import Array
from domain.models import rows as models
from infra.codec import from_bytes
from infra.database import Database


@dataclass(frozen=True)
class Start:
    """Where an attempt starts from.

    Attributes:
        coding: of the columns, that of the model; None if it is learned from the training rows.
        weights: those of the model; None for random ones.
        state: what the checkpoint holds; None if there is none.
    """

    coding: Coding | None
    weights: Parameters | None
    state: dict[str, Array] | None

    @property
    def is_the_first(self) -> bool:
        """Whether the training begins here, and does not go on from a checkpoint."""
        return self.state is None

    def parameters(self, network: Network, training: TrainingSpec) -> Parameters:
        """The parameters of iteration 0, in the job's precision."""
        if self.weights is not None:
            return self.weights.astype(training.dtype)
        return initial_parameters(
            network, init=training.init, epsilon=training.epsilon, seed=training.seed, dtype=training.dtype
        )


def start_of(claim: Claim, job: ResolvedJob, database: Database) -> Start:
    """Where the claimed job starts from.

    Raises:
        NotFound: the model that it starts from is gone.
        Unavailable: the database cannot be reached.
    """
    with database.reading() as session:
        model = None
        if job.from_model_id is not None:
            model = models.trained(models.get_with_weights(session, Project(claim.job.project), job.from_model_id))
        stored = None if claim.checkpoint is None else checkpoints.read(session, claim.job.id)
    return Start(
        coding=None if model is None else model.coding,
        weights=None if model is None else model.parameters,
        state=None if stored is None else from_bytes(stored),
    )
