"""How a job that ends well registers its model: the version and the alias come in the transaction that ends it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from backprop_client.wire.registration import IfBetter, Registered, Registration
from domain.access.projects import Project
from domain.models import rows as models
from domain.registry import aliases, rows, versions
from domain.registry.aliases import PointedAt
from domain.registry.comparing import is_better, value_of
from domain.registry.history import Author
from infra.tables import Model

SPLITS = {"training": "training rows", "held_out": "held-out rows"}


@dataclass(frozen=True)
class _Verdict:
    """Whether the alias moves to a new model, and why or why not."""

    moves: bool
    reason: str


def register(session: Session, model: Model, asked: Registration) -> Registered:
    """Make a model that a job has left a version, and move the alias where that was asked for.

    Args:
        session: of the transaction that ends the job; the model is in it.
        model: the model.
        asked: what the job says of it.
    """
    author = Author(job_id=model.job_id)
    registered = rows.locked_or_created(session, Project(model.project), asked.name, author)
    number = versions.create(session, registered, model.id, author).number
    if asked.alias is None:
        return Registered(
            name=asked.name,
            version=number,
            alias=None,
            alias_taken=None,
            reason=f"The model is version {number} of {asked.name}.",
        )
    verdict = _verdict(session, model, asked.alias, aliases.find(session, registered, asked.alias), asked.if_better)
    if verdict.moves:
        aliases.move(session, registered, asked.alias, number, author)
    return Registered(
        name=asked.name,
        version=number,
        alias=asked.alias,
        alias_taken=verdict.moves,
        reason=f"The model is version {number} of {asked.name}. {verdict.reason}",
    )


def _verdict(session: Session, model: Model, alias: str, now: PointedAt | None, by: IfBetter | None) -> _Verdict:
    if now is None:
        return _Verdict(True, f"The alias {alias} is new and points to it.")
    old = now.version.number
    if by is None:
        return _Verdict(True, f"The alias {alias} points to it, and no longer to version {old}.")
    metric = f"{by.metric} on the {SPLITS[by.split]}"
    stays = f"The alias {alias} stays at version {old}"
    ours = value_of(model, by)
    theirs = value_of(models.get(session, Project(model.project), now.version.model_id), by)
    if ours is None:
        return _Verdict(False, f"{stays}: the new model's {metric} is not known.")
    if theirs is None:
        return _Verdict(False, f"{stays}: that version's {metric} is not known, so that the two cannot be compared.")
    if is_better(ours, theirs, by.metric):
        return _Verdict(
            True,
            f"The alias {alias} points to it, and no longer to version {old}: its {metric} is {ours:.6g}, which is "
            f"better than {theirs:.6g}.",
        )
    return _Verdict(False, f"{stays}: the new model's {metric} is {ours:.6g}, which is not better than {theirs:.6g}.")
