"""One example step by step, as its page shows it for real jobs and models."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.pages.wording import number
from backprop.gradient import cost_and_gradient
from backprop.network import Layer, Network, Parameters
from infra.database import Database
from tests.support.keys import bearing, make_key
from tests.support.service import Service, csv_text


@pytest.fixture
def database_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """SQLite alone: nothing here depends on the database."""
    shutil.copy(migrated_sqlite, tmp_path / "test.db")
    return f"sqlite:///{tmp_path / 'test.db'}"


ROWS = [(0.0, "up", "no"), (1.0, "down", "<script>"), (2.0, "", "no"), (4.0, "up", "<script>"), (5.0, "down", "")]
TABLE = csv_text(("size", "kind", "answer"), ROWS)
NETWORK = {"layers": [{"units": 2}, {}]}
TUTORIAL = {"preset": "tutorial", "iterations": 3, "init": "uniform"}


def trained(service: Service, hidden: int = 3, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    dataset = service.upload_csv(TABLE)
    job = {
        "dataset_id": dataset["id"],
        "targets": ["answer"],
        "network": {"layers": [{"units": hidden, "activation": "sigmoid"}, {"activation": "sigmoid"}]},
        "training": TUTORIAL,
        "holdout": 0,
    }
    return service.train(job | more)


def page(service: Service, address: str) -> str:
    answer = service.api.get(address)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_the_numbers_are_those_of_the_core(service: Service) -> None:
    job = trained(service)
    html = page(service, f"/jobs/{job['id']}/example?row=4")
    arrays = service.weights(job["model_id"])
    network = Network(arrays["W1"].shape[1], (Layer(3, "sigmoid"), Layer(1, "sigmoid")))
    scaler = service.api.get(f"/v1/models/{job['model_id']}").json()["preprocessing"]["inputs"]["scaler"]
    size = (4.0 - scaler["offset"][0]) / scaler["scale"][0]
    x = np.array([[size, 0.0, 1.0, 0.0]])  # kind=down, kind=up, kind: missing
    J, gradient = cost_and_gradient(Parameters.from_arrays(network, arrays), x, np.zeros((1, 1)))
    assert f"= {number(J.total)}" in html
    for derivative in gradient.vector:
        assert f'<td class="figure">{number(float(derivative))}</td>' in html


def test_a_row_is_shown_as_it_is_in_the_data_and_hostile_text_is_only_text(service: Service) -> None:
    job = trained(service)
    html = page(service, f"/models/{job['model_id']}/example?row=2")
    assert "&lt;script&gt;" in html
    assert "<script>" not in html
    assert re.search(r'<th scope="row">kind</th><td class="figure">down</td>', html)
    assert "1: answer=no" in html
    assert 'href="?row=1"' in html
    assert 'href="?row=3"' in html


def test_a_missing_input_is_told_and_coded(service: Service) -> None:
    job = trained(service)
    html = page(service, f"/jobs/{job['id']}/example?row=3")
    assert re.search(r'<th scope="row">kind</th><td class="figure">missing</td>', html)
    assert re.search(r"kind: missing</th><td[^>]*>1<", html)


@pytest.mark.parametrize(
    ("row", "told"), [(5, "Row 5 has no value in column &#39;answer&#39;"), (6, "rows 1 to 5, and no row 6")]
)
def test_a_row_that_is_no_example_is_told_and_another_can_be_chosen(service: Service, row: int, told: str) -> None:
    job = trained(service)
    html = page(service, f"/jobs/{job['id']}/example?row={row}")
    assert told in html
    assert 'name="row"' in html


def test_large_layers_are_pictures_with_their_largest_numbers(service: Service) -> None:
    job = trained(service, hidden=40)
    html = page(service, f"/jobs/{job['id']}/example")
    assert html.count('class="grid-of-marks"') == 2 + 3 + 2 + 2
    assert "the 8 largest of 40" in html
    assert "the 8 largest of 160" in html


@pytest.mark.parametrize(
    ("output", "cost", "formula"),
    [
        ("softmax", "cross_entropy", "<i>y<sub>i</sub></i> log <i>a<sub>i</sub></i> ="),
        ("softmax", "squared_error", "diag("),
        ("sigmoid", "cross_entropy", "log(1 − <i>a<sub>i</sub></i>)"),
        ("tanh", "squared_error", "1 − <i>a</i>²"),
    ],
)
def test_formulas_are_those_of_the_jobs_own_cost(service: Service, output: str, cost: str, formula: str) -> None:
    network = {"layers": [{"units": 2, "activation": "relu"}, {"activation": output}]}
    job = trained(service, network=network, training=TUTORIAL | {"cost": cost})
    assert formula in page(service, f"/jobs/{job['id']}/example")


def test_numbers_and_reconstructions_have_examples_too(service: Service) -> None:
    dataset = service.upload_csv(csv_text(("a", "b"), [(k, k * k) for k in range(6)]))
    common = {"dataset_id": dataset["id"], "holdout": 0, "training": TUTORIAL}
    network = {"layers": [{"units": 2, "activation": "tanh"}, {"activation": "linear"}]}
    number_job = service.train(common | {"targets": ["b"], "task": "regression", "network": network})
    assert "by the network" in page(service, f"/jobs/{number_job['id']}/example?row=6")
    network = {"layers": [{"units": 1, "activation": "sigmoid"}, {"activation": "sigmoid"}]}
    training = TUTORIAL | {"sparsity_weight": 1.0, "weight_decay": 0.1}
    again = service.train(common | {"task": "reconstruction", "network": network, "training": training})
    html = page(service, f"/jobs/{again['id']}/example?row=6")
    assert "give back its own inputs" in html
    assert "sparsity term" in html


def test_a_job_without_a_model_says_so(service: Service) -> None:
    dataset = service.upload_csv(TABLE)
    job = service.submit({"dataset_id": dataset["id"], "targets": ["answer"], "training": TUTORIAL, "network": NETWORK})
    assert "no model yet" in page(service, f"/jobs/{job['id']}/example")


def test_without_its_dataset_there_are_no_examples(service: Service) -> None:
    job = trained(service)
    assert service.api.delete(f"/v1/datasets/{job['dataset_id']}").status_code == 204
    answer = service.api.get(f"/jobs/{job['id']}/example")
    assert answer.status_code == 409
    assert "without it there are no examples" in answer.text


def test_others_do_not_see_it_and_bad_rows_are_refused(service: Service, database: Database) -> None:
    job = trained(service)
    stranger = bearing(make_key(database, "other"))
    for address in (f"/jobs/{job['id']}/example", f"/models/{job['model_id']}/example"):
        assert service.api.get(address, headers=stranger).status_code == 404
    key = bearing(make_key(database, "default"))
    assert service.api.get(f"/jobs/{job['id']}/example?row=0", headers=key).status_code == 422
    assert service.api.get(f"/jobs/{job['id']}/example?row=x", headers=key).status_code == 422
