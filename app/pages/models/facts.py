"""What all pages of one model say of it, and where its columns reach in its dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from sqlalchemy.orm import Session

from backprop.coding.coding import Coding
from backprop_client.wire.columns import Column
from backprop_client.wire.jobs import JobNote
from domain.access.projects import Project
from domain.models import rows as models
from domain.models.export.facts import Origin, origin_of


@dataclass(frozen=True)
class Headline:
    """What a model is.

    Attributes:
        id: its.
        name: what people call it; None if nothing.
        tags: its.
        note: what people have written to it; None if nothing.
        task: what it does.
        targets: what it predicts; none of a reconstruction.
        sizes: units of every layer, the coded inputs first.
        activations: of every layer but the first.
        parameters: how many weights and biases it has.
        job_id: that trained it.
        job_name: what people call that.
        has_job: whether that job can be looked at.
        dataset_id: that it was trained on.
        dataset_name: what people call that; None if it is deleted.
        from_model_id: the model that its training went on from; None if none.
        iteration: updates that its weights have had.
        cost: J of these weights.
        created_at: when it was trained.
    """

    id: str
    name: str | None
    tags: Sequence[str]
    note: str | None
    task: str
    targets: Sequence[str]
    sizes: Sequence[int]
    activations: Sequence[str]
    parameters: int
    job_id: str
    job_name: str | None
    has_job: bool
    dataset_id: str
    dataset_name: str | None
    from_model_id: str | None
    iteration: int
    cost: float
    created_at: datetime


@dataclass(frozen=True)
class Known:
    """A model with what it came from, read from the database without its weights.

    Attributes:
        origin: the model, its job and its dataset.
        coding: how its columns become inputs, and outputs columns.
    """

    origin: Origin
    coding: Coding

    @cached_property
    def columns(self) -> Mapping[str, Column]:
        """The columns of its dataset, by name; nothing if that is deleted."""
        if self.origin.dataset is None:
            return {}
        return {each.name: each for each in map(Column.model_validate, self.origin.dataset.columns)}

    @property
    def whole(self) -> frozenset[str]:
        """The inputs that hold whole numbers."""
        return frozenset(column.name for column in self.origin.job.inputs if column.type == "integer")

    @property
    def reach(self) -> dict[str, tuple[float, float]]:
        """The least and the greatest number of each column of its dataset that has any."""
        return {
            name: (column.minimum, column.maximum)
            for name, column in self.columns.items()
            if column.minimum is not None and column.maximum is not None
        }

    @property
    def notes(self) -> list[str]:
        """What there is to say of its training that a person should know."""
        return [JobNote.model_validate(note).message for note in self.origin.row.notes]

    @property
    def headline(self) -> Headline:
        """What it is."""
        model, job, row = self.origin.model, self.origin.job, self.origin.row
        return Headline(
            id=model.id,
            name=model.name,
            tags=model.tags,
            note=model.note,
            task=model.task,
            targets=self.coding.targets.columns,
            sizes=model.network["sizes"],
            activations=[layer["activation"] for layer in model.network["layers"]],
            parameters=job.parameters,
            job_id=model.job_id,
            job_name=row.name,
            has_job=row.removed_at is None,
            dataset_id=model.dataset_id,
            dataset_name=None if self.origin.dataset is None else self.origin.dataset.name,
            from_model_id=model.from_model_id,
            iteration=model.iteration,
            cost=model.cost,
            created_at=model.created_at,
        )


def known(session: Session, project: Project, model_id: str, *, with_importance: bool = False) -> Known:
    """The project's model of that id and what it came from.

    Raises:
        NotFound: there is none (code ``model_not_found``).
    """
    get = models.get_with_importance if with_importance else models.get
    model = get(session, project, model_id)
    return Known(origin_of(session, project, model), Coding.from_json(model.preprocessing))
