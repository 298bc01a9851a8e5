"""What is said of a job on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from cli.shell.saying import hidden_of, spec_of

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(JSON_VALUES)
def test_a_setting_is_json(value: Any) -> None:  # noqa: ANN401  # any JSON value
    assert spec_of(None, [f"training.x={json.dumps(value)}"]) == {"training": {"x": value}}


def test_settings_go_on_top_of_the_file_and_words_need_no_quotes(tmp_path: Path) -> None:
    file = tmp_path / "job.json"
    file.write_text('{"holdout": 0.1, "training": {"seed": 3, "iterations": 5}}')
    said = spec_of(file, ["training.iterations=7", "task=classification", "name=a=b", "register.name=digits"])
    assert said == {
        "holdout": 0.1,
        "training": {"seed": 3, "iterations": 7},
        "task": "classification",
        "name": "a=b",
        "register": {"name": "digits"},
    }


@pytest.mark.parametrize("setting", ["holdout", "=3", "training.=3", ".x=3", "holdout.x=1"])
def test_what_is_no_setting_is_a_wrong_use(tmp_path: Path, setting: str) -> None:
    file = tmp_path / "job.json"
    file.write_text('{"holdout": 0.1}')
    with pytest.raises(typer.BadParameter):
        spec_of(file, [setting])
    file.write_text("[1]")
    with pytest.raises(typer.BadParameter, match="object"):
        spec_of(file, [])


def test_hidden_layers_are_numbers_with_commas() -> None:
    assert hidden_of(None) is None
    assert hidden_of("") == []
    assert hidden_of("32, 16") == [32, 16]
    with pytest.raises(typer.BadParameter):
        hidden_of("32,x")
