"""What is said of a training by name, before anything is sent."""

from __future__ import annotations

import numpy as np
import pytest

from backprop_client import Backprop
from backprop_client.handles.asking import asked
from backprop_client.handles.naming import Registered, is_dataset_id, model_named
from backprop_client.wire.specs import JobSpec, TrainingSpec

NOBODY = Backprop(base_url="http://127.0.0.1:9", max_retries=0)
"""A client of a service that is not there: whatever it sends raises `ConnectionFailed`."""


def test_fields_go_where_they_belong() -> None:
    request = asked(
        "quality",
        None,
        [32, {"units": np.int64(16), "activation": "relu"}],
        {
            "iterations": np.int64(7),
            "training": TrainingSpec(seed=3),
            "holdout": 0.25,
            "types": {"zip": "category"},
            "register": {"name": "wine"},
        },
    )
    assert request.reading == {"types": {"zip": "category"}}
    assert request.job == {
        "targets": ["quality"],
        "holdout": 0.25,
        "register": {"name": "wine"},
        "network": {"layers": [{"units": 32}, {"units": 16, "activation": "relu"}, {}]},
        "training": {"seed": 3, "iterations": 7},
    }


@pytest.mark.parametrize("field", sorted({*JobSpec.model_fields, *TrainingSpec.model_fields} - {"dataset_id"}))
def test_every_field_of_a_job_can_be_said_by_name(field: str) -> None:
    try:
        asked(None, ["a"] if field == "targets" else None, None, {} if field == "targets" else {field: object()})
    except TypeError as error:
        pytest.fail(f"{field}: {error}")
    except ValueError:
        pass  # an object is no value of it, which shows that the field is known


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"learnin_rate": 1}, TypeError, "no field 'learnin_rate'. Did you mean 'learning_rate'?"),
        ({"dataset_id": "ds_1"}, TypeError, "no field 'dataset_id'"),
        ({"target": "a", "targets": ["a"]}, TypeError, "not both"),
        ({"targets": "a"}, TypeError, "there is target"),
        ({"hidden": 32}, TypeError, "list with the units"),
        ({"hidden": [32], "network_id": "net_1"}, TypeError, "not both"),
        ({"seed": 1, "training": {"seed": 2}}, TypeError, "seed is given twice"),
        ({"iterations": -1}, ValueError, "training.iterations: .* greater than or equal to 0"),
        ({"holdout": 1.5}, ValueError, "holdout: "),
        ({"target": "qualiti"}, ValueError, "no column 'qualiti'. Did you mean 'quality'?"),
        ({"inputs": ["b"], "target": "a"}, ValueError, "inputs: the table has no column 'b'"),
        ({"columns": ["x", "y"]}, TypeError, "names of its own"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_sent(
    arguments: dict[str, object], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        NOBODY.train({"a": [1, 2], "quality": [3, 4]}, **arguments)  # type: ignore[arg-type]


def test_a_dataset_that_is_there_is_not_read_again() -> None:
    with pytest.raises(TypeError, match="has been read already"):
        NOBODY.train("ds_01ARZ3NDEKTSV4RRFFQ69G5FAV", target="a", types={"a": "category"})


def test_names_of_models_and_datasets() -> None:
    assert model_named("mdl_01ARZ3NDEKTSV4RRFFQ69G5FAV") == "mdl_01ARZ3NDEKTSV4RRFFQ69G5FAV"
    assert model_named("digits@champion") == Registered("digits", "champion", None)
    assert model_named("digits@v3") == Registered("digits", None, 3)
    assert model_named("digits@latest") == Registered("digits", "latest", None)
    for wrong in ("digits", "", "a@b@c", "digits@"):
        with pytest.raises(ValueError, match="names no model"):
            model_named(wrong)
    assert is_dataset_id("ds_01ARZ3NDEKTSV4RRFFQ69G5FAV")
    assert not is_dataset_id("ds_of_mine.csv")


def test_a_file_opened_as_text_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("text") / "table.csv"
    path.write_text("a,b\n1,2\n")
    with path.open() as file, pytest.raises(TypeError, match="binary mode"):
        NOBODY.train(file, target="b")
    with pytest.raises(FileNotFoundError):
        NOBODY.train("no-such-file.csv", target="b")
