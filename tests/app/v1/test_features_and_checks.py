"""What units respond to, and the gradient of stored models, over REST."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support.service import Service


@pytest.fixture
def model(service: Service) -> dict[str, Any]:
    """A 9-4-9 autoencoder."""
    x = np.random.default_rng(0).uniform(0.1, 0.9, (40, 9))
    dataset = service.upload_arrays(x=x)
    job = service.train(
        {
            "dataset_id": dataset["id"],
            "task": "reconstruction",
            "network": {"layers": [{"units": 4}, {}]},
            "gradient_check": True,
            "training": {
                "preset": "tutorial",
                "iterations": 20,
                "weight_decay": 1e-3,
                "sparsity_weight": 0.1,
                "init": "uniform",
            },
        }
    )
    assert job["status"] == "succeeded", job["error"]
    assert job["gradient_check"]["relative_difference"] < 1e-8
    trained: dict[str, Any] = service.api.get(f"/v1/models/{job['model_id']}").json()
    return trained


def test_features_are_the_weights_scaled_to_length_one(service: Service, model: dict[str, Any]) -> None:
    W = service.weights(model["id"])["W1"]
    page = service.api.get(f"/v1/models/{model['id']}/features", params={"after": 0, "limit": 2}).json()
    assert [unit["unit"] for unit in page["data"]] == [1, 2]
    assert page["has_more"]
    for unit in page["data"]:
        row = W[unit["unit"]]
        np.testing.assert_allclose(unit["values"], row / np.sqrt((row**2).sum()), rtol=1e-12)
        assert unit["norm"] == pytest.approx(np.sqrt((row**2).sum()))


def test_the_picture_has_a_tile_for_each_unit(service: Service, model: dict[str, Any]) -> None:
    answer = service.api.get(f"/v1/models/{model['id']}/features", params={"scale": 5}, headers={"Accept": "image/png"})
    assert answer.headers["content-type"] == "image/png"
    picture = np.asarray(Image.open(io.BytesIO(answer.content)))
    assert picture.shape[0] >= 2 * 3 * 5
    assert picture.shape[1] >= 2 * 3 * 5
    assert picture.min() < picture.max()


def test_a_picture_needs_a_width_that_divides_the_inputs(service: Service, model: dict[str, Any]) -> None:
    answer = service.api.get(f"/v1/models/{model['id']}/features", params={"format": "png", "width": 4})
    assert (answer.status_code, answer.json()["code"]) == (422, "tile_width")


def test_the_gradient_at_a_stored_model_is_right(service: Service, model: dict[str, Any]) -> None:
    check = service.api.post(f"/v1/models/{model['id']}/gradient-check").json()
    assert check["relative_difference"] < 1e-8
    assert check["parameters"] == 9 * 4 + 4 + 4 * 9 + 9
    assert check["examples"] == 40


def test_a_check_needs_the_dataset(service: Service, model: dict[str, Any]) -> None:
    assert service.api.delete(f"/v1/datasets/{model['dataset_id']}").status_code == 204
    answer = service.api.post(f"/v1/models/{model['id']}/gradient-check")
    assert (answer.status_code, answer.json()["code"]) == (409, "dataset_deleted")
