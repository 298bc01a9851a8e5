from __future__ import annotations

import json

import numpy as np
import pytest

from backprop.coding.coding import Coding
from backprop.coding.inputs import CodedColumn, ConstantUnit, InputCoding
from backprop.coding.scaling import Scaler
from backprop.coding.targets import ClassCoding, NumberCoding, Reconstruction, TargetCoding

INPUTS = InputCoding(
    (CodedColumn("x", moments="datetime", periods=("day",), has_gaps=True), CodedColumn("c", ("a", "b"))),
    Scaler((1 / 3,), (0.1,)),
    means=(2 / 3,),
    constant_units=(ConstantUnit(4, 1.0),),
)


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
            "features": [
                {"name": "x", "categories": None, "moments": "datetime", "periods": ["day"], "has_gaps": True},
                {"name": "c", "categories": ["a", "b"], "moments": None, "periods": [], "has_gaps": False},
            ],
            "scaler": {"offset": [1 / 3], "scale": [0.1]},
            "means": [2 / 3],
            "constant_units": [{"unit": 4, "value": 1.0}],
            "missing": "impute",
        },
        "targets": stored,
    }
    assert Coding.from_json(json.loads(json.dumps(coding.to_json()))) == coding


def test_refuses_a_kind_it_does_not_know() -> None:
    stored = Coding(INPUTS, Reconstruction(INPUTS)).to_json()
    with pytest.raises(ValueError, match="'ranks'"):
        Coding.from_json({**stored, "targets": {"kind": "ranks"}})


def test_a_coding_from_before_there_were_gaps_is_the_same_and_takes_none() -> None:
    features = [{"name": "x", "categories": None}, {"name": "c", "categories": [False, True]}]
    coding = InputCoding.from_json({"features": features, "scaler": {"offset": [2.0], "scale": [4.0]}})
    batch = {"x": np.array([2.0, 6.0]), "c": np.array([True, False])}
    np.testing.assert_array_equal(coding.encode(batch), [[0, 0, 1], [1, 1, 0]])
    with pytest.raises(ValueError, match="missing"):
        coding.encode({**batch, "x": np.array([np.nan, 6.0])})
