"""The stored answers of a queued prediction: an artifact for each `part_rows` rows of its dataset.

A part is written as a whole, then the row of the prediction says that its rows are done. Its name and its content
follow from the prediction and the part's number, so that an attempt which died in between, or was frozen and wakes up
late, leaves nothing but what the next attempt writes as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from backprop.model import PREDICTED_BYTES
from domain.datasets.files import DatasetWriter
from domain.models.prediction import Predictor
from infra.artifacts import ArtifactStore
from infra.errors import TooLarge
from infra.full_disks import is_full_disk
from infra.tables import QueuedPrediction


def rows_of_a_part(predictor: Predictor) -> int:
    """How many rows are predicted and stored at once: coded rows, raw ones and answers take `PREDICTED_BYTES` each."""
    coding = predictor.model.coding
    widest = max(
        coding.inputs.width, len(coding.inputs.coded_columns), coding.targets.width, coding.targets.values_per_row
    )
    return max(1, PREDICTED_BYTES // (8 * widest))


def key_of(prediction_id: str, number: int) -> str:
    """The key of a part's artifact."""
    return f"predictions/{prediction_id}/{number:07}.parquet"


def keys(prediction: QueuedPrediction) -> Iterator[str]:
    """The keys of all parts that are stored or may be: one more than is done may have been on its way."""
    done = -(-prediction.rows_done // prediction.part_rows)
    return (key_of(prediction.id, number) for number in range(done + 1))


def store_part(
    store: ArtifactStore, key: str, batches: Iterator[pa.RecordBatch], schema: pa.Schema, scratch: Path
) -> None:
    """Write a part and keep it.

    Raises:
        TooLarge: the disk has no room for it (``scratch_full``).
        Unavailable: the store is away.
    """
    file = scratch / "part.parquet"
    try:
        with pa.OSFile(str(file), "wb") as sink, DatasetWriter(sink, schema) as writer:
            for batch in batches:
                writer.write(batch)
        store.add(key, file)
    except OSError as error:
        if is_full_disk(error):
            raise TooLarge("scratch_full", "The worker's disk has no room for the predictions.") from error
        raise
