"""Trainings by a service: the rows are uploaded, and the model stays there and answers from there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from backprop_client.clients import Backprop
from backprop_client.errors import BackpropError, Refused
from backprop_client.estimators.backends import core_needed
from backprop_client.estimators.examples import Array, Examples, Floats
from backprop_client.estimators.outcome import Follower, Layers, Outcome
from backprop_client.estimators.weights import read_weights
from backprop_client.handles.costs import measured_held_out
from backprop_client.handles.job import Job
from backprop_client.handles.model import Model
from backprop_client.handles.uploading import uploaded
from backprop_client.tables.table import name_of, table_of
from backprop_client.wire.datasets import MISSING
from backprop_client.wire.events import CostBatch
from backprop_client.wire.jobs import JobOut
from backprop_client.wire.models import ModelOut
from backprop_client.wire.specs import JobSpec

if TYPE_CHECKING:
    from backprop_client.estimators.local import LocalModel


@contextmanager
def asked(service: Backprop | str) -> Iterator[Backprop]:
    """A client of the service: the caller's, or one for as long as it is needed."""
    with nullcontext(service) if isinstance(service, Backprop) else Backprop(base_url=service) as client:
        yield client


@dataclass(frozen=True)
class RemoteModel:
    """A trained model that answers from its service.

    Attributes:
        service: a client of it, or its address.
        data: all that the service tells of the model.
        names: of the inputs.
        labels: what the service calls each class; none of other tasks.
        weights: the model as a safetensors file.
    """

    service: Backprop | str
    data: ModelOut
    names: tuple[str, ...]
    labels: tuple[Any, ...]
    weights: bytes

    def here(self) -> LocalModel:
        """As `FittedModel.here`."""
        return self._here

    @cached_property
    def _here(self) -> LocalModel:
        read = read_weights(self.weights)
        local = core_needed("What a service has trained, in this process,")
        model: LocalModel = local.model_of(read.network, read.coding, read.arrays)
        return model

    def codes(self, X: Floats) -> NDArray[np.intp]:
        """As `FittedModel.codes`."""
        places = {label: place for place, label in enumerate(self.labels)}
        with asked(self.service) as client:
            predicted = Model(client, self.data).predict(X, columns=self.names)
        return np.fromiter((places[label] for label in predicted.tolist()), np.intp, len(X))

    def scores(self, X: Floats) -> Floats:
        """As `FittedModel.scores`."""
        with asked(self.service) as client:
            scores: Floats = Model(client, self.data).predict_scores(X, columns=self.names)
        return scores

    def numbers(self, X: Floats) -> Floats:
        """As `FittedModel.numbers`."""
        with asked(self.service) as client:
            predicted: Floats = Model(client, self.data).predict(X, columns=self.names)
        return predicted.reshape(len(X), -1)

    def layers(self) -> Layers:
        """As `FittedModel.layers`."""
        read = read_weights(self.weights)
        layers = read.network["layers"]
        numbers = range(1, len(layers) + 1)
        return Layers(
            tuple(read.arrays[f"W{number}"] for number in numbers),
            tuple(read.arrays[f"b{number}"] for number in numbers),
            tuple(layer["activation"] for layer in layers),
        )

    def code(self, X: Floats, layer: int) -> Floats:
        """As `FittedModel.code`. The service has no route for it: it is computed here."""
        return self.here().code(X, layer)

    def decoded(self, code: Floats, layer: int) -> Floats:
        """As `FittedModel.decoded`. The service has no route for it: it is computed here."""
        return self.here().decoded(code, layer)


@dataclass(frozen=True)
class ByService:
    """Has a service train.

    Attributes:
        service: a client of it, or its address.
    """

    service: Backprop | str

    def train(self, spec: JobSpec, examples: Examples, follower: Follower, start: Outcome | None) -> Outcome:
        """As `Backend.train`.

        Raises:
            BackpropError: the service refuses the job, or it fails; see `backprop_client.errors`.
        """
        labels = labels_of(examples.classes)
        with asked(self.service) as client:
            dataset_id = uploaded(client, table_of(_columns(examples, labels)), spec.name, {})
            body = _body(spec, examples, labels) | {"dataset_id": dataset_id}
            if start is not None:
                body["from_model_id"] = _model_to_start_from(start)
            job = Job(client, client.jobs.create(body))
            with _not_left_behind(job):
                stopped = _followed(job, follower)
            return self._outcome(client, job, examples, labels, dataset_id, stopped)

    def _outcome(
        self,
        client: Backprop,
        job: Job,
        examples: Examples,
        labels: tuple[Any, ...],
        dataset_id: str,
        stopped: bool,
    ) -> Outcome:
        model = job.model()
        known = tuple(model.data.preprocessing["targets"].get("classes", ()))
        if known != labels:
            raise ValueError(f"The service has read other classes than were sent: {known}, and not {labels}.")
        weights = client.models.weights(model.id).read()
        costs = job.costs()
        return Outcome(
            model=RemoteModel(self.service, model.data, examples.names, labels, weights),
            costs=costs.cost,
            held_out=dict(measured_held_out(costs.iteration, costs.held_out_cost)),
            best_iteration=model.data.iteration,
            stopped_by="callback" if stopped else job.data.stopped_by,
            seed=job.data.training.seed,
            weight_decay=job.data.training.weight_decay,
            ids={"job_id": job.id, "model_id": model.id, "dataset_id": dataset_id},
        )


def labels_of(classes: Array | None) -> tuple[Any, ...]:
    """What the service is to call each class: as the caller does, where it can; else by their positions."""
    if classes is None:
        return ()
    labels = tuple(classes.tolist())
    kinds = {type(label) for label in labels}
    if kinds == {bool} or (kinds == {int} and all(-(2**53) < label < 2**53 for label in labels)):
        return labels
    if kinds == {str} and all(name_of(label, 0) == label and label not in MISSING for label in labels):
        return labels
    return tuple(range(len(labels)))


def _columns(examples: Examples, labels: tuple[Any, ...]) -> dict[str, Any]:
    columns: dict[str, Any] = dict(examples.columns)
    if labels:
        named = np.array(labels, dtype=object if isinstance(labels[0], str) else None)
        columns |= {name: named[codes] for name, codes in examples.targets.items()}
    return columns


def _body(spec: JobSpec, examples: Examples, labels: tuple[Any, ...]) -> dict[str, Any]:
    body = spec.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if examples.class_weight == "balanced":
        body["class_weight"] = "balanced"
    elif examples.class_weight is not None:
        pairs = zip(labels, examples.class_weight, strict=True)
        body["class_weight"] = [{"class": label, "weight": weight} for label, weight in pairs]
    return body


def _model_to_start_from(start: Outcome) -> str:
    if "model_id" not in start.ids:
        raise ValueError("warm_start on a service goes on with a model of the service, and the last fit was here.")
    return start.ids["model_id"]


@contextmanager
def _not_left_behind(job: Job) -> Iterator[None]:
    """Cancel the job if whoever waits for it goes away, as on Ctrl-C: nobody would have its model."""
    try:
        yield
    except BackpropError:
        raise  # it has ended, or the service cannot be asked
    except BaseException:
        with suppress(BackpropError):
            job.cancel()
        raise


def _followed(job: Job, follower: Follower) -> bool:
    """Follow the job to its end; tells whether the follower has stopped it.

    What has been stopped is cancelled, and then resumed to where it is, which makes it succeed with what it has.

    Raises:
        JobFailed, JobCancelled: it has no model.
    """
    stopped = follower.is_heard and _told(job, follower) and job.refresh().status == "cancelled"
    if stopped:
        job.resume(job.data.iteration)
    job.wait(progress=False)
    if not follower.is_heard:
        follower.begin(job.data.iterations, _updates_per_epoch(job.data))
    return stopped


def _told(job: Job, follower: Follower) -> bool:
    """Tell the follower of each iteration, until the job has ended; tells whether the follower has stopped it."""
    begun = stopped = False
    for event in job.events():
        if not isinstance(event, CostBatch) or stopped:
            continue
        if not begun:
            begun = True
            follower.begin(job.refresh().data.iterations, _updates_per_epoch(job.data))
        stopped = any(follower.record(iteration, None) for iteration in event.iteration)
        if stopped:
            _cancel(job)
    return stopped


def _cancel(job: Job) -> None:
    """Cancel it, unless it has come to its end in the meantime."""
    try:
        job.cancel()
    except Refused as error:
        if error.code != "job_already_ended":
            raise


def _updates_per_epoch(job: JobOut) -> int:
    batch_size = job.training.batch_size
    return 1 if batch_size is None or job.rows is None else -(-job.rows.training // batch_size)
