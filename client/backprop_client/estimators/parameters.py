"""What is wrong with an estimator's parameters, in words that name them."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np
from pydantic import ValidationError

from backprop_client.wire.specs import JobSpec

_CALLED = {"seed": "random_state", "units": "hidden", "layers": "hidden", "network": "hidden"}
"""The parameter that says a field of a job, where it has another name."""


def checked(job: Mapping[str, Any]) -> JobSpec:
    """The body of a job, whose fields are an estimator's parameters.

    Raises:
        ValueError: a parameter has a value that it cannot have; it is named.
    """
    try:
        return JobSpec.model_validate(job)
    except ValidationError as error:
        output = len(job["network"]["layers"]) - 1
        found = [_said(each["loc"], each["msg"], output) for each in error.errors(include_url=False)]
        raise ValueError("; ".join(dict.fromkeys(found))) from error


def hidden_units(hidden: Any) -> tuple[int, ...]:  # noqa: ANN401
    """The units of each hidden layer, of a number or of numbers.

    Raises:
        ValueError: it is neither.
    """
    units = (hidden,) if np.ndim(hidden) == 0 else tuple(hidden)
    if not all(_is_whole(each) and each > 0 for each in units):
        raise ValueError(f"hidden is the units of a hidden layer, or of several, such as (32, 16), not {hidden!r}.")
    return tuple(map(int, units))


def check_threads(threads: Any) -> None:  # noqa: ANN401
    """Raise ValueError unless there can be so many threads, or None, which is as many as there are processors."""
    if threads is not None and not (_is_whole(threads) and threads > 0):
        raise ValueError(f"n_threads is a whole number from 1 up, or None, not {threads!r}.")


def _is_whole(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _said(place: tuple[int | str, ...], what: str, output: int) -> str:
    what = what.removeprefix("Value error, ")
    named = [part for part in place if isinstance(part, str)]
    if not named:
        return what
    if named[-1] == "activation":
        return f"{'output' if output in place else 'activation'}: {what}"
    return f"{_CALLED.get(named[-1], named[-1])}: {what}"
