"""What a person has typed into the form of a job, and the job that it asks for."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.datastructures import FormData

from app.pages.forms import all_said, said
from app.pages.new_job.fields import NUMBERS, SIMPLE, TRAINING_NAMES
from backprop_client.wire.columns import Column
from domain.jobs.columns import reasons_to_leave_out
from infra.errors import FieldError, InvalidRequest

COLUMNS_SHOWN = 200
"""Columns. A table of more can neither be read nor filled in; those after it are named in a text."""

LONGEST_MORE = 200_000
"""Characters of the JSON that is merged over the form."""

MOST_LAYERS = 100
"""Hidden layers and the output layer, as the API takes them."""

LONGEST_NUMBER = 40
"""Characters. A longer text is no number that a person has typed."""

FIRST_UNITS = "16"
"""Units of the first layer that is added. Later ones begin with as many as the layer before has."""


@dataclass(frozen=True)
class TypedLayer:
    """A hidden layer as it was typed.

    Attributes:
        units: how many, as a text.
        activation: its name; empty for the default.
    """

    units: str
    activation: str


@dataclass(frozen=True)
class Typed:
    """The form of a job as it was filled in.

    Attributes:
        targets: the columns that are ticked as targets, or named besides.
        inputs: the columns that are ticked as inputs; None before anybody has ticked any.
        values: the fields that are one value each, by name.
        is_composed: whether the network is composed here; else the preset chooses it.
        layers: its hidden layers.
        output: the activation of its output layer; empty for the default.
        more: a JSON object that is merged over all that.
    """

    targets: Sequence[str] = ()
    inputs: Sequence[str] | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    is_composed: bool = False
    layers: Sequence[TypedLayer] = ()
    output: str = ""
    more: str = ""

    def value(self, name: str) -> str:
        """What a field says; empty where it says nothing."""
        return self.values.get(name, "")

    def after(self, action: str) -> Typed:
        """The form after one of its buttons: ``compose``, ``choose``, ``add`` or ``remove-`` and a layer's number."""
        if action == "compose":
            return replace(self, is_composed=True, layers=self.layers or (TypedLayer(FIRST_UNITS, ""),))
        if action == "choose":
            return replace(self, is_composed=False)
        if action == "add" and len(self.layers) < MOST_LAYERS - 1:
            return replace(self, layers=(*self.layers, self.layers[-1] if self.layers else TypedLayer(FIRST_UNITS, "")))
        number = action.removeprefix("remove-")
        if number != action and number.isdecimal():
            return replace(self, layers=[each for at, each in enumerate(self.layers) if str(at) != number])
        return self

    def job(self, dataset_id: str, columns: Sequence[Column], rows: int) -> dict[str, Any]:
        """The job that the form asks for, as the body of a request. It has nothing that is left at its default.

        Args:
            dataset_id: what to learn from.
            columns: of that.
            rows: of that.

        Raises:
            InvalidRequest: what is merged over the form is no JSON object, or names another dataset.
        """
        job: dict[str, Any] = {"dataset_id": dataset_id}
        training: dict[str, Any] = {}
        for each in SIMPLE:
            if self.value(each.name) and (each.name, self.value(each.name)) != ("preset", "auto"):
                part = training if each.name in TRAINING_NAMES else job
                part[each.name] = self._parsed(each.name)
        if self.targets:
            job["targets"] = list(self.targets)
        inputs = self._inputs(columns, rows)
        if inputs is not None:
            job["inputs"] = inputs
        if self.is_composed:
            job["network"] = {"layers": [*map(_layer, self.layers), {"activation": self.output} if self.output else {}]}
        if training:
            job["training"] = training
        return _merged(job, self._more())

    def _parsed(self, name: str) -> object:
        value = self.value(name)
        if name == "tags":
            return [tag for tag in re.split(r"[,\s]+", value) if tag]
        return parsed_number(value) if name in NUMBERS else value

    def _inputs(self, columns: Sequence[Column], rows: int) -> list[str] | None:
        """The inputs, where they are others than those that the service would take by itself."""
        if self.inputs is None:
            return None
        useful = useful_columns([each for each in columns if each.name not in self.targets], rows)
        shown = {each.name for each in columns[:COLUMNS_SHOWN]}
        ticked = set(self.inputs) - set(self.targets)
        if ticked == useful & shown:
            return None
        return [each.name for each in columns if each.name in (ticked if each.name in shown else useful)]

    def _more(self) -> dict[str, Any]:
        if not self.more:
            return {}
        try:
            more = json.loads(self.more) if len(self.more) <= LONGEST_MORE else None
        except (ValueError, RecursionError) as error:
            raise _wrong_more(f"This is not JSON: {error}.") from error
        if not isinstance(more, dict):
            raise _wrong_more('This must be a JSON object with fields of a job, such as {"gradient_check": true}.')
        if "dataset_id" in more:
            raise _wrong_more("The dataset is the one that this page is about: leave dataset_id out.")
        return more


def typed_into(form: FormData) -> Typed:
    """What a form that was sent says."""
    values = {each.name: said(form, each.name) or "" for each in SIMPLE}
    units = [value if isinstance(value, str) else "" for value in form.getlist("units")]
    activations = [value if isinstance(value, str) else "" for value in form.getlist("activation")]
    others = (said(form, "other_targets") or "").splitlines()
    named = [*all_said(form, "target"), *(name.strip() for name in others if name.strip())]
    return Typed(
        targets=list(dict.fromkeys(named)),
        inputs=all_said(form, "input"),
        values=values,
        is_composed=said(form, "composed") is not None,
        layers=[
            TypedLayer(one.strip(), other)
            for one, other in zip(units[:MOST_LAYERS], activations[:MOST_LAYERS], strict=False)
        ],
        output=said(form, "output") or "",
        more=said(form, "more") or "",
    )


def useful_columns(columns: Sequence[Column], rows: int) -> set[str]:
    """The names of those columns that the service would take as inputs by itself; none of them is a target."""
    reasons = reasons_to_leave_out(columns, rows, None, "impute", {})
    return {name for name, reason in reasons.items() if reason is None}


def parsed_number(text: str) -> object:
    """The number that a text is, or the text if it is none: then the API says what it must be."""
    if len(text) > LONGEST_NUMBER or not text.isascii():
        return text
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text


def _layer(layer: TypedLayer) -> dict[str, Any]:
    return {
        **({"units": parsed_number(layer.units)} if layer.units else {}),
        **({"activation": layer.activation} if layer.activation else {}),
    }


def _merged(job: dict[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """The job with these fields on top; those of the training one by one."""
    training = more.get("training")
    if isinstance(training, dict):
        more = {**more, "training": {**job.get("training", {}), **training}}
    return {**job, **more}


def _wrong_more(message: str) -> InvalidRequest:
    return InvalidRequest("invalid_request", message, (FieldError("/more", message),))
