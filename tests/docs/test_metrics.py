"""docs/jobs.md defines every metric that a model has, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from backprop.coding.inputs import CodedColumn
from backprop.coding.scaling import Scaler
from backprop.coding.targets import ClassCoding, NumberCoding, Outcome, Reconstruction, TargetCoding
from tests.support.columns import inputs_scaled

TEXT = (Path(__file__).parents[2] / "docs" / "jobs.md").read_text()
MIXED = inputs_scaled((CodedColumn("size"), CodedColumn("colour", ("blue", "red"))), Scaler((10.0,), (20.0,)))


def defined(heading: str) -> set[str]:
    """The names in the first column of the table under a heading."""
    section = TEXT.split(f"### {heading}\n")[1].split("\n### ")[0]
    return set(re.findall(r"^\| `(\w+)`", section, re.MULTILINE))


@pytest.mark.parametrize(
    ("heading", "codings"),
    [
        ("Of classes", [ClassCoding("y", ("a", "b", "c"), (0.0, 1.0))]),
        ("Of numbers", [NumberCoding(("p",), Scaler.identity(1)), Reconstruction(MIXED)]),
    ],
)
def test_the_tables_have_the_metrics_that_there_are(heading: str, codings: list[TargetCoding]) -> None:
    measured: set[str] = set()
    for coding in codings:
        Y = np.random.default_rng(0).random((9, coding.width))
        measured |= set(coding.metrics([Outcome(Y, Y[::-1])]))
    assert defined(heading) == measured - {"classes"}
