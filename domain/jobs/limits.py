"""The limits of this server on jobs, and what a job is estimated to take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from backprop.demands import checkpoint_bytes, training_bytes
from backprop.network import Network
from backprop.passes.lanes import block_rows
from backprop_client.wire.resolved_jobs import Selection
from backprop_client.wire.specs import MOST_ITERATIONS, JobSpec, TrainingSpec
from domain.jobs.problems import network_path
from domain.jobs.translation import training_of
from infra.errors import FieldError, TooLarge

_STATE_COPIES = 5
"""Copies. Each vector that the rest of a training depends on is there five times: in use, in the checkpoint, in its
bytes, with the process that writes these, and on the way to the database."""


class JobLimits(Protocol):
    """The settings that bound a job."""

    @property
    def max_parameters(self) -> int:
        """Most weights and biases a network may have."""

    @property
    def max_iterations(self) -> int:
        """Most iterations a job may ask for."""

    @property
    def max_training_bytes(self) -> int:
        """Most memory a training may be estimated to take."""


def estimated_bytes(network: Network, spec: TrainingSpec, rows: int, *, held_out: bool, weighted: int = 0) -> int:
    """Memory that the training takes at most, with the copies of its state on their way to the database.

    Args:
        network: what is trained.
        spec: how.
        rows: to learn from.
        held_out: whether others are held out, however many.
        weighted: how many rows have a weight, those held out included; without what holds the weights as they came.
    """
    training = training_of(spec)
    trained = training_bytes(network, training, spec.dtype, rows, held_out=held_out, weighted=weighted)
    return trained + (_STATE_COPIES - 1) * checkpoint_bytes(network, training, spec.dtype)


def trial_bytes(selection: Selection | None, sizes: Sequence[int], dtype: str) -> int:
    """Memory that the rows of the trials before a training take: they are copied, once as a whole."""
    if selection is None:
        return 0
    return selection.rows * (sizes[0] + sizes[-1]) * np.dtype(dtype).itemsize


def check_iterations(iterations: int, path: str, limits: JobLimits) -> None:
    """Refuse more iterations than a job may have; `path` is where the request asks for them.

    Raises:
        TooLarge: code ``too_many_iterations``.
    """
    most = min(limits.max_iterations, MOST_ITERATIONS)
    if iterations > most:
        message = (
            f"{iterations:,} iterations are more than the {most:,} that a job may have here (BACKPROP_MAX_ITERATIONS)."
        )
        raise TooLarge("too_many_iterations", message, (FieldError(path, message),))


def check_limits(spec: JobSpec, network: Network, estimate: int, limits: JobLimits) -> None:
    """Refuse a job that is too large for this server.

    Raises:
        TooLarge: ``too_many_parameters`` or ``training_too_large``.
    """
    sizes, parameters = network.sizes, network.parameter_count
    if parameters > limits.max_parameters:
        hidden = sizes[1:-1]
        inside = f"/layers/{hidden.index(max(hidden))}/units" if hidden else ""
        message = (
            f"A network of {'-'.join(map(str, sizes))} units has {parameters:,} weights and biases; this server "
            f"takes at most {limits.max_parameters:,}."
        )
        raise TooLarge("too_many_parameters", message, (FieldError(network_path(spec, inside), message),))
    if estimate > limits.max_training_bytes:
        message = (
            f"Training is estimated to need {_gibibytes(estimate)} of memory ({parameters:,} parameters with their "
            f"gradients, and blocks of {block_rows(sizes)} rows by {sum(sizes):,} units); this server allows "
            f"{_gibibytes(limits.max_training_bytes)}. Use smaller layers, dtype float32 or, with lbfgs, fewer "
            "corrections."
        )
        raise TooLarge("training_too_large", message, (FieldError(network_path(spec, ""), message),))


def _gibibytes(count: int) -> str:
    return f"{math.ceil(count / 2**30 * 100) / 100:g} GiB"
