from __future__ import annotations

import json

import pytest

from backprop.coding.coding import Coding
from backprop.coding.inputs import CodedColumn, InputCoding
from backprop.coding.scaling import Scaler
from backprop.coding.targets import ClassCoding, NumberCoding, Reconstruction, TargetCoding

INPUTS = InputCoding((CodedColumn("x"), CodedColumn("c", ("a", "b"))), Scaler((1 / 3,), (0.1,)))


@pytest.mark.parametrize(
    ("targets", "stored"),
    [
        (
            ClassCoding("y", (False, True), (0.0, 1.0)),
            {"kind": "classes", "target": "y", "classes": [False, True], "bounds": [0.0, 1.0], "unit_each": False},
        ),
        (
            ClassCoding("y", (1, 2), (-1.0, 1.0), unit_each=True),
            {"kind": "classes", "target": "y", "classes": [1, 2], "bounds": [-1.0, 1.0], "unit_each": True},
        ),
        (
            NumberCoding(("p", "q"), Scaler((0.1, 0.2), (1e-7, 1e7))),
            {"kind": "numbers", "targets": ["p", "q"], "scaler": {"offset": [0.1, 0.2], "scale": [1e-7, 1e7]}},
        ),
        (Reconstruction(INPUTS), {"kind": "reconstruction"}),
    ],
)
def test_survives_json(targets: TargetCoding, stored: dict[str, object]) -> None:
    coding = Coding(INPUTS, targets)
    assert coding.to_json() == {
        "inputs": {
            "features": [{"name": "x", "categories": None}, {"name": "c", "categories": ["a", "b"]}],
            "scaler": {"offset": [1 / 3], "scale": [0.1]},
        },
        "targets": stored,
    }
    assert Coding.from_json(json.loads(json.dumps(coding.to_json()))) == coding


def test_refuses_a_kind_it_does_not_know() -> None:
    stored = Coding(INPUTS, Reconstruction(INPUTS)).to_json()
    with pytest.raises(ValueError, match="'ranks'"):
        Coding.from_json({**stored, "targets": {"kind": "ranks"}})
