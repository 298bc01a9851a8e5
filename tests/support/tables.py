"""Small tables as datasets, jobs on them, and their prepared matrices: the whole way but for HTTP and the queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from backprop_client.wire.columns import Column
from backprop_client.wire.resolved_jobs import ResolvedJob
from backprop_client.wire.specs import JobSpec, NetworkSpec
from domain.datasets.files import DatasetWriter
from domain.jobs.planning import plan
from infra.artifacts import ArtifactStore
from infra.settings import Settings
from worker.preparation import TrainingData, prepare

KEY = "datasets/table.parquet"


def store_with(folder: Path, table: Mapping[str, Sequence[Any]]) -> ArtifactStore:
    """An artifact store whose `KEY` is the table."""
    store = ArtifactStore(str(folder / "artifacts"))
    batch = pa.RecordBatch.from_pydict(dict(table))
    file = folder / "table"
    with pa.OSFile(str(file), "wb") as sink, DatasetWriter(sink, batch.schema) as writer:
        writer.write(batch)
    store.add(KEY, file)
    return store


def column_of(name: str, values: Sequence[Any]) -> Column:
    """What an upload would find out about the column."""
    kinds = {bool: "boolean", str: "category", int: "integer", float: "number", datetime: "datetime"}
    present = [value for value in values if value is not None]
    kind = kinds[type(present[0])]
    numbers = kind in ("integer", "number")
    return Column.model_validate(
        {
            "name": name,
            "type": kind,
            "missing": len(values) - len(present),
            "minimum": min(present) if numbers else None,
            "maximum": max(present) if numbers else None,
            "categories": None if kind in ("number", "datetime") else tuple(sorted(set(present))),
            "periods": ("day",) if kind == "datetime" else None,
            "earliest": f"{min(present).isoformat()}Z" if kind == "datetime" else None,
            "latest": f"{max(present).isoformat()}Z" if kind == "datetime" else None,
        }
    )


def job_on(
    table: Mapping[str, Sequence[Any]],
    activation: str = "sigmoid",
    training: Mapping[str, Any] | None = None,
    **job: object,
) -> ResolvedJob:
    """A job on the table, planned; the network has one hidden layer of 3 units, and the preset is tutorial."""
    network = NetworkSpec.model_validate({"layers": [{"units": 3}, {"activation": activation}]})
    spec = JobSpec.model_validate(
        {
            "dataset_id": "ds_1",
            "network": network.model_dump(),
            "training": {"preset": "tutorial", **(training or {})},
            **job,
        }
    )
    columns = tuple(column_of(name, values) for name, values in table.items())
    return plan(spec, spec.network, columns, len(next(iter(table.values()))), Settings())


def prepared(folder: Path, table: Mapping[str, Sequence[Any]], job: ResolvedJob) -> TrainingData:
    """The job's matrices, in a scratch folder below `folder`."""
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    return prepare(job, store_with(folder, table), KEY, scratch)


def people(rows: int = 200) -> dict[str, list[Any]]:
    """A table with a column of every usable type."""
    rng = np.random.default_rng(7)
    return {
        "age": rng.integers(18, 90, rows).tolist(),
        "colour": rng.choice(["blue", "green", "red"], rows).tolist(),
        "member": (rng.random(rows) < 0.5).tolist(),
        "height": rng.normal(170, 10, rows).tolist(),
        "grade": rng.choice(["a", "b"], rows).tolist(),
    }
