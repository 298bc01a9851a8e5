"""Fields of forms that say what the API says of them: descriptions, choices and limits come from its own models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from pydantic import BaseModel

from backprop_client.wire.datasets import UploadFields
from backprop_client.wire.specs import HIDDEN_ONLY, OUTPUT_ONLY, Activation, JobSpec, Optimizer, Preset, Task
from backprop_client.wire.specs import TrainingSpec as Training
from infra.errors import FieldError

Kind = Literal["text", "number", "choice"]


@dataclass(frozen=True)
class Field:
    """One field of a form.

    Attributes:
        name: in the form and in the API.
        label: what people read.
        kind: what it holds.
        first: the first sentence of the API's description.
        rest: the sentences after it.
        choices: what can be chosen, each with its wording.
    """

    name: str
    label: str
    kind: Kind
    first: str
    rest: str
    choices: Sequence[tuple[str, str]] = ()


def _field(
    model: type[BaseModel], name: str, label: str, kind: Kind = "number", choices: Sequence[tuple[str, str]] = ()
) -> Field:
    first, dot, rest = (model.model_fields[name].description or "").partition(". ")
    return Field(name, label, kind, f"{first}{dot.strip()}", rest, choices)


def _plain(values: Sequence[str]) -> list[tuple[str, str]]:
    return [(value, value.replace("_", " ")) for value in values]


def _open(values: Sequence[str], words: str = "by default") -> list[tuple[str, str]]:
    """Choices of a field that may be left open."""
    return [("", words), *_plain(values)]


OF_TASK = (
    _field(JobSpec, "task", "Task", "choice", _open(get_args(Task), "by the targets")),
    _field(Training, "preset", "Preset", "choice", _plain(get_args(Preset))),
)

OF_TRAINING = (
    _field(Training, "optimizer", "Optimizer", "choice", _open(get_args(Optimizer))),
    _field(Training, "iterations", "Iterations (N)"),
    _field(Training, "epochs", "Epochs"),
    _field(Training, "learning_rate", "Learning rate (α)"),
    _field(Training, "weight_decay", "Weight decay (λ)"),
    _field(Training, "batch_size", "Batch size"),
    _field(JobSpec, "holdout", "Holdout"),
    _field(Training, "patience", "Patience"),
    _field(Training, "seed", "Seed"),
)

OF_CAPTION = (
    _field(JobSpec, "name", "Name", "text"),
    _field(JobSpec, "tags", "Tags", "text"),
)

OF_READING = (
    _field(UploadFields, "name", "Name", "text"),
    _field(UploadFields, "tags", "Tags", "text"),
    _field(UploadFields, "header", "First row", "choice", [("", "find out"), ("true", "names"), ("false", "values")]),
    _field(
        UploadFields,
        "delimiter",
        "Between cells",
        "choice",
        [("", "find out"), (",", "comma"), (";", "semicolon"), ("\t", "tab"), ("|", "bar |"), (" ", "spaces")],
    ),
    _field(UploadFields, "decimal", "Decimals", "choice", [("", "find out"), (".", "point"), (",", "comma")]),
    _field(UploadFields, "encoding", "Encoding", "text"),
    _field(UploadFields, "missing_values", "Missing values", "text"),
    _field(UploadFields, "types", "Types", "text"),
)

HIDDEN_ACTIVATIONS = _open([each for each in get_args(Activation) if each not in OUTPUT_ONLY])
OUTPUT_ACTIVATIONS = _open([each for each in get_args(Activation) if each not in HIDDEN_ONLY])
"""What the two kinds of layers can have."""

SIMPLE = (*OF_TASK, *OF_TRAINING, *OF_CAPTION)
"""The fields of a job that are one value each."""

NUMBERS = frozenset(each.name for each in SIMPLE if each.kind == "number")

TRAINING_NAMES = frozenset({"preset", *(each.name for each in OF_TRAINING)}) - {"holdout"}
"""Those that belong to the job's training."""


def pointer(name: str) -> str:
    """Where in a job a field is, as a JSON pointer."""
    return f"/training/{name}" if name in TRAINING_NAMES else f"/{name}"


@dataclass(frozen=True)
class Wrong:
    """What is wrong with a form, said where it is.

    Attributes:
        at: what is said at each field, by its name.
        elsewhere: what is said of nothing that the form shows.
    """

    at: Mapping[str, Sequence[str]] = field(default_factory=dict)
    elsewhere: Sequence[str] = ()

    def of(self, name: str) -> str:
        """All that is wrong with a field; empty where nothing is."""
        return " ".join(self.at.get(name, ()))

    def __bool__(self) -> bool:
        return bool(self.at or self.elsewhere)


@dataclass(frozen=True)
class Mistake:
    """Something that is wrong with a form, told where all such things are.

    Attributes:
        place: the element where it can be mended.
        label: what that is called.
        message: what is wrong.
    """

    place: str
    label: str
    message: str


def mistakes(wrong: Wrong) -> list[Mistake]:
    """What is wrong with the form of a job, field by field."""
    return [Mistake(*_place(name), message) for name, messages in wrong.at.items() for message in messages]


def _place(name: str) -> tuple[str, str]:
    """The element that a field's mistakes are mended in, and what people call it."""
    part, dash, number = name.partition("-")
    if dash:
        return name, f"Hidden {int(number) + 1}, {part}"
    return _PLACES.get(name, (name, name))


_PLACES = {each.name: (each.name, each.label) for each in SIMPLE} | {
    "targets": ("columns", "Targets"),
    "inputs": ("columns", "Inputs"),
    "network": ("network", "Network"),
    "output": ("output", "Output"),
    "more": ("more", "All other fields"),
}


def sorted_by_field(errors: Sequence[FieldError], known: Mapping[str, str]) -> Wrong:
    """Errors of the service, each at the field that it is about.

    Args:
        errors: with their places as JSON pointers.
        known: from the beginning of a pointer to the name of a field; the longest that fits counts.
    """
    at: dict[str, list[str]] = {}
    elsewhere: list[str] = []
    for error in errors:
        name = _field_at(error.path, known)
        if name is None:
            elsewhere.append(f"{error.path}: {error.message}" if error.path else error.message)
        elif (message := _sentence(error.message)) not in at.setdefault(name, []):
            at[name].append(message)
    return Wrong(at, elsewhere)


def _field_at(path: str, known: Mapping[str, str]) -> str | None:
    while path and path not in known:
        path = path.rpartition("/")[0]
    return known.get(path)


def _sentence(message: str) -> str:
    whole = message[:1].upper() + message[1:]
    return whole if whole.endswith((".", "!", "?")) else f"{whole}."
