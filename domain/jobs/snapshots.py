"""The snapshots' repository: the weights of a job as they were at some of its iterations, to watch it learn.

They are kept at iterations that are spaced evenly in log k, since a network changes most at first. Only small networks
have them, and no job has more than its setting says. Nothing needs them: they are for people to look at.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from backprop.coding.coding import Coding
from backprop.model import TrainedModel
from backprop.network import Network, Parameters
from infra.codec import from_bytes
from infra.errors import NotFound
from infra.tables import SnapshotRow

LARGEST_NETWORK = 20_000
"""Parameters. Of larger networks no snapshots are kept: 40 of this size take 6 MB."""


class Snapshot(NamedTuple):
    """The weights of a job at one iteration.

    Attributes:
        iteration: which one.
        cost: J there.
        coding: of the columns, as JSON text.
        weights: safetensors of W1, b1, W2, b2, …
    """

    iteration: int
    cost: float
    coding: str
    weights: bytes


class Moment(NamedTuple):
    """An iteration that there is a snapshot of.

    Attributes:
        iteration: which one.
        cost: J there.
    """

    iteration: int
    cost: float


def iterations_to_keep(iterations: int, most: int) -> list[int]:
    """The iterations of which snapshots are kept: 0, then evenly in log k up to the last, ascending.

    Args:
        iterations: how many the job is to do.
        most: how many snapshots there may be; 0 for none.
    """
    if most <= 0:
        return []
    if most == 1 or iterations == 0:
        return [iterations]
    if most == 2:
        return [0, iterations]
    steps = most - 2
    spaced = (round(iterations ** (step / steps)) for step in range(steps + 1))
    return sorted({0, *spaced, iterations})


def write(session: Session, job_id: str, snapshot: Snapshot, most: int) -> None:
    """Keep a snapshot in place of the one of that iteration, if there is one.

    If there are too many then, because the job was resumed to do more iterations, one goes that is close to another.

    Args:
        session: of a transaction that is guarded by `domain.jobs.attempts.reporting`.
        job_id: which job.
        snapshot: of it.
        most: how many the job may have, at least 1.
    """
    _remove(session, job_id, snapshot.iteration)
    session.execute(insert(SnapshotRow).values(job_id=job_id, **snapshot._asdict()))
    kept = [moment.iteration for moment in moments(session, job_id)]
    while len(kept) > most:
        closest = _closest_to_another(kept)
        _remove(session, job_id, closest)
        kept.remove(closest)


def remove_from(session: Session, job_id: str, iteration: int) -> None:
    """Remove the snapshots of this iteration and later ones: another attempt will make them again."""
    session.execute(delete(SnapshotRow).where(SnapshotRow.job_id == job_id, SnapshotRow.iteration >= iteration))


def moments(session: Session, job_id: str) -> list[Moment]:
    """The iterations that there are snapshots of, ascending."""
    rows = session.execute(
        select(SnapshotRow.iteration, SnapshotRow.cost)
        .where(SnapshotRow.job_id == job_id)
        .order_by(SnapshotRow.iteration)
    )
    return [Moment(*row) for row in rows]


def read(session: Session, job_id: str, network: Network, iteration: int) -> TrainedModel:
    """The network as it was at an iteration.

    Raises:
        NotFound: there is no snapshot of it (code ``no_such_route``).
    """
    found = session.execute(
        select(SnapshotRow.coding, SnapshotRow.weights).where(
            SnapshotRow.job_id == job_id, SnapshotRow.iteration == iteration
        )
    ).one_or_none()
    if found is None:
        raise NotFound("no_such_route", f"There is no snapshot of iteration {iteration}.")
    coding: Mapping[str, Any] = json.loads(found.coding)
    return TrainedModel(Parameters.from_arrays(network, from_bytes(found.weights)), Coding.from_json(coding))


def _remove(session: Session, job_id: str, iteration: int) -> None:
    session.execute(delete(SnapshotRow).where(SnapshotRow.job_id == job_id, SnapshotRow.iteration == iteration))


def _closest_to_another(iterations: Sequence[int]) -> int:
    """Which of these, the first and the last excepted where there are others, is closest in log k to its neighbours."""
    if len(iterations) < 3:
        return iterations[0]
    gaps = [
        (math.log(max(after, 1) / max(before, 1)), here)
        for before, here, after in zip(iterations, iterations[1:], iterations[2:], strict=False)
    ]
    return min(gaps)[1]
