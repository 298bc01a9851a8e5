"""What both clients do besides asking for single things: train, and come back to jobs and models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from backprop_client.errors import Refused
from backprop_client.handles.asking import Asked, asked, refuse_unknown_columns
from backprop_client.handles.job import AsyncJob, Job
from backprop_client.handles.model import AsyncModel, Model
from backprop_client.handles.naming import LATEST, Registered, model_named
from backprop_client.handles.uploading import stored, to_upload, uploaded, uploaded_async
from backprop_client.resources.datasets import AsyncDatasets, Datasets
from backprop_client.resources.jobs import AsyncJobs, Jobs
from backprop_client.resources.models import AsyncModels, Models
from backprop_client.resources.predictions import AsyncPredictions, Predictions
from backprop_client.resources.registry import AsyncRegistry, Registry
from backprop_client.tables.table import Table

Hidden = Sequence[int | Mapping[str, Any]]
"""Hidden layers: how many units each has, or the layer as an object."""


class Working:
    """A client that trains."""

    datasets: Datasets
    jobs: Jobs
    models: Models
    predictions: Predictions
    registry: Registry

    def train(
        self,
        data: Any,  # noqa: ANN401  # whatever people have
        *,
        target: str | None = None,
        targets: Sequence[str] | None = None,
        hidden: Hidden | None = None,
        columns: Sequence[str] | None = None,
        **fields: Any,  # noqa: ANN401  # those of JobSpec, TrainingSpec and UploadFields
    ) -> Job:
        """Upload a table and queue a training on it. `Job.wait` follows it and gives the model.

        ::

            job = client.train(frame, target="quality", hidden=[32], iterations=500, holdout=0.2)
            model = job.wait()

        Args:
            data: a pandas or Polars frame, a table of Arrow's or what gives itself as one, a NumPy array, a dict of
                columns, a list of dicts or of rows; a file or its path; a dataset of the service or its id. An index
                of pandas's is no column: `reset_index` makes it one.
            target: the column to predict.
            targets: the columns to predict, if they are several.
            hidden: the units of each hidden layer, or the layer as an object. Default: the network is chosen.
            columns: names for the columns of an array or of a list of rows; default: ``column_1``, ….
            fields: any field of a job (`JobSpec`: ``name``, ``holdout``, ``task``, …), of its training
                (`TrainingSpec`: ``iterations``, ``learning_rate``, ``seed``, …) or of reading a file
                (`UploadFields`: ``types``, ``missing_values``, …) by its name.

        Raises:
            TypeError: a field does not exist, or the data are no table. Nothing has been sent then.
            ValueError: a field has a value that it cannot have, or names no column.
            Refused: the service does not take the table or the job.
        """
        request, dataset_id, what = _prepared(data, columns, asked(target, targets, hidden, fields))
        if dataset_id is None:
            dataset_id = uploaded(self, what, request.job.get("name"), request.reading)
        with _table_told(dataset_id):
            return Job(self, self.jobs.create({**request.job, "dataset_id": dataset_id}))

    def job(self, job_id: str) -> Job:
        """A job that is there: to come back to it."""
        return Job(self, self.jobs.get(job_id))

    def model(self, name: str) -> Model:
        """A model that is there.

        Args:
            name: its id, or what is meant of a registered model: ``digits@champion`` by an alias, ``digits@v3`` by
                its version, ``digits@latest`` the newest. It stays that model though the alias moves.
        """
        meant = model_named(name)
        return Model(self, self.models.get(meant if isinstance(meant, str) else self._registered(meant)))

    def _registered(self, meant: Registered) -> str:
        if meant.version is not None:
            return self.registry.get_version(meant.name, meant.version).model_id
        if meant.alias != LATEST:
            return self.registry.get_alias(meant.name, meant.alias or "").model_id
        return _newest(meant, [each.model_id for each in self.registry.list_versions(meant.name, limit=1).data])


class AsyncWorking:
    """A client that trains, and is awaited. `Working` describes its methods."""

    datasets: AsyncDatasets
    jobs: AsyncJobs
    models: AsyncModels
    predictions: AsyncPredictions
    registry: AsyncRegistry

    async def train(
        self,
        data: Any,  # noqa: ANN401  # whatever people have
        *,
        target: str | None = None,
        targets: Sequence[str] | None = None,
        hidden: Hidden | None = None,
        columns: Sequence[str] | None = None,
        **fields: Any,  # noqa: ANN401  # those of JobSpec, TrainingSpec and UploadFields
    ) -> AsyncJob:
        """Upload a table and queue a training on it. `AsyncJob.wait` follows it and gives the model."""
        request, dataset_id, what = _prepared(data, columns, asked(target, targets, hidden, fields))
        if dataset_id is None:
            dataset_id = await uploaded_async(self, what, request.job.get("name"), request.reading)
        with _table_told(dataset_id):
            return AsyncJob(self, await self.jobs.create({**request.job, "dataset_id": dataset_id}))

    async def job(self, job_id: str) -> AsyncJob:
        """A job that is there: to come back to it."""
        return AsyncJob(self, await self.jobs.get(job_id))

    async def model(self, name: str) -> AsyncModel:
        """A model that is there, by its id or by what is meant of a registered model."""
        meant = model_named(name)
        return AsyncModel(
            self, await self.models.get(meant if isinstance(meant, str) else await self._registered(meant))
        )

    async def _registered(self, meant: Registered) -> str:
        if meant.version is not None:
            return (await self.registry.get_version(meant.name, meant.version)).model_id
        if meant.alias != LATEST:
            return (await self.registry.get_alias(meant.name, meant.alias or "")).model_id
        newest = await self.registry.list_versions(meant.name, limit=1)
        return _newest(meant, [each.model_id for each in newest.data])


def _prepared(data: Any, columns: Sequence[str] | None, request: Asked) -> tuple[Asked, str | None, Any]:  # noqa: ANN401
    """What is asked, and the id of the dataset or what is to be uploaded. Nothing has been sent then.

    Raises:
        TypeError, ValueError: see `Working.train`.
    """
    dataset_id = stored(data)
    if dataset_id is not None:
        if request.reading:
            raise TypeError(f"{min(request.reading)} tells how to read a file, and the dataset has been read already.")
        return request, dataset_id, None
    what = to_upload(data, columns)
    if isinstance(what, Table):
        refuse_unknown_columns(request.job, what.names)
    return request, None, what


@contextmanager
def _table_told(dataset_id: str) -> Iterator[None]:
    """Say with a refusal of the job that its table is there, so that it need not be sent again. Python 3.10 cannot."""
    try:
        yield
    except Refused as error:
        if hasattr(error, "add_note"):
            error.add_note(f'The table has been uploaded. To use it again: client.train("{dataset_id}", …)')
        raise


def _newest(meant: Registered, models: Sequence[str]) -> str:
    if not models:
        raise ValueError(f"The registered model {meant.name!r} has no versions yet.")
    return models[0]
