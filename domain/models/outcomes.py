"""What a stored model of numbers predicts for some rows of its dataset, beside what is in them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backprop.coding.columns import Floats
from backprop.coding.holdout import holdout_mask
from backprop.coding.targets import NumberCoding
from backprop.model import TrainedModel
from domain.access.projects import Project
from domain.models import rows as models
from domain.models.sample import Drawn, NoRows, Source, drawn, source_of
from infra.artifacts import ArtifactStore
from infra.database import Database
from infra.errors import Conflict, FieldError, InvalidRequest

MOST_ROWS = 500
"""Rows. A picture of more would be a cloud, and a table nobody reads."""

MOST_WORK = 2 * 10**9
"""Multiplications of all predictions. They take some tenths of a second on one core."""

MOST_DEALT = 2**22
"""Rows. Of more nobody is told which are held out: to find that out takes an order of all of them."""


class Outcomes(NamedTuple):
    """Actual and predicted numbers of some rows.

    Attributes:
        target: the column.
        actual: (m,) float64, in its units.
        predicted: (m,) float64, likewise; not finite where the network overflows.
        held_out: (m,), which rows were kept out of training; None where that is not known.
    """

    target: str
    actual: Floats
    predicted: Floats
    held_out: NDArray[np.bool_] | None


def outcomes(
    project: Project,
    model_id: str,
    trained: TrainedModel,
    database: Database,
    artifacts: ArtifactStore,
    target: str,
) -> Outcomes:
    """What the model predicts for up to `MOST_ROWS` rows of its dataset, drawn as `sample` draws them.

    Args:
        project: whose model.
        model_id: the model's id.
        trained: the model.
        database: where its job is.
        artifacts: where its dataset is.
        target: one of its targets.

    Raises:
        NotFound: the project has no such model.
        Conflict: its dataset has been deleted (code ``dataset_deleted``).
        InvalidRequest: the column is no target of numbers of the model (code ``unknown_column``).
    """
    coding = trained.coding.targets
    if not isinstance(coding, NumberCoding) or target not in coding.targets:
        problem = f"{target!r} is no number that this model predicts."
        raise InvalidRequest("unknown_column", problem, (FieldError("target", problem),))
    with database.reading() as session:
        model = models.get(session, project, model_id)
        try:
            source = source_of(session, project, model)
        except NoRows as error:
            raise _deleted(model.dataset_id) from error
    size = max(1, min(MOST_ROWS, MOST_WORK // trained.parameters.network.parameter_count))
    try:
        rows = drawn(source, size, artifacts, [*(column.name for column in source.job.inputs), target])
    except NoRows as error:
        raise _deleted(source.job.dataset_id) from error
    predicted = np.concatenate([block.columns[target] for block in trained.predict(rows.columns)])
    actual = np.asarray(rows.columns[target], np.float64)
    return Outcomes(target, actual, predicted, _held_out(source, rows))


def _held_out(source: Source, rows: Drawn) -> NDArray[np.bool_] | None:
    job = source.job
    if job.holdout_by is None:
        return np.zeros(len(rows.places), np.bool_)
    if job.holdout_by != "random" or source.rows > MOST_DEALT:
        return None
    mask: NDArray[np.bool_] = holdout_mask(source.rows, job.holdout, job.training.seed)[rows.places]
    return mask


def _deleted(dataset_id: str) -> Conflict:
    return Conflict("dataset_deleted", f"The model's dataset {dataset_id} has been deleted, and its rows with it.")
