"""Watching jobs learn: what the page shows at each snapshot, for every kind of task."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.pages.learning.watching import ACROSS
from app.pages.pictures.plane import SIDE
from infra.database import Database
from tests.support.keys import bearing, make_key
from tests.support.service import Service, csv_text


@pytest.fixture
def database_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """SQLite alone: nothing here depends on the database."""
    shutil.copy(migrated_sqlite, tmp_path / "test.db")
    return f"sqlite:///{tmp_path / 'test.db'}"


NETWORK = {"layers": [{"units": 3}, {}]}
TUTORIAL = {"preset": "tutorial", "iterations": 20, "init": "uniform"}
NAMES = ("a", "b", "c", "kind")


def body(service: Service, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    generator = np.random.default_rng(0)
    rows = [(*x, "<b>" if x[0] > 0 else "no") for x in generator.standard_normal((30, 3)).round(3).tolist()]
    dataset = service.upload_csv(csv_text(NAMES, rows))
    return {"dataset_id": dataset["id"], "network": NETWORK, "training": TUTORIAL, "targets": ["kind"]} | more


def page(service: Service, address: str) -> str:
    answer = service.api.get(address)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_two_numbers_as_inputs_are_a_plane_with_regions(service: Service) -> None:
    job = service.train(body(service, inputs=["a", "b"], training=TUTORIAL | {"learning_rate": 5, "iterations": 200}))
    html = page(service, f"/jobs/{job['id']}/learn")
    assert "k</i> = 200" in html
    assert "&lt;b&gt;" in html
    assert "<b>" not in html
    squares = re.findall(r"h([\d.]+)v([\d.]+)h-", "".join(re.findall(r'class="region-\d" d="([^"]+)"', html)))
    assert sum(float(width) * float(height) for width, height in squares) == pytest.approx(SIDE**2)
    assert f"v{SIDE / ACROSS:g}h" in html
    assert 'class="kind-1"' in html
    assert 'class="kind-2"' in html


def test_the_slider_stands_where_it_is_asked_to_and_costs_are_those_of_then(service: Service) -> None:
    job = service.train(body(service, inputs=["a", "b"]))
    costs = service.costs(job["id"])
    html = page(service, f"/jobs/{job['id']}/learn?step=0")
    assert "k</i> = 0, <i>J</i>" in html
    assert f"= {costs[0]['cost']:.5g}" in html
    assert 'value="0"' in html
    assert 'href="?step=1"' in html
    part = page(service, f"/jobs/{job['id']}/learn/look?step=1")
    assert "k</i> = 1," in part
    assert "<html" not in part
    assert "k</i> = 20," in page(service, f"/jobs/{job['id']}/learn?step=999")


def test_reconstructions_are_drawn_beside_their_rows(service: Service) -> None:
    job = service.train(body(service, targets=None, task="reconstruction", inputs=["a", "b", "c"]))
    html = page(service, f"/jobs/{job['id']}/learn")
    assert html.count('class="grid-of-marks"') == 12


def test_more_inputs_give_a_table_of_classes(service: Service) -> None:
    job = service.train(body(service))
    html = page(service, f"/jobs/{job['id']}/learn")
    counts = [int(count) for count in re.findall(r'<td class="figure(?: right| wrong)?">(\d+)</td>', html)]
    assert len(counts) == 4
    assert sum(counts) == 30


def test_numbers_are_predicted_against_actual(service: Service) -> None:
    network = {"layers": [{"units": 2, "activation": "tanh"}, {"activation": "linear"}]}
    job = service.train(body(service, targets=["c"], inputs=["a", "kind"], network=network))
    html = page(service, f"/jobs/{job['id']}/learn")
    assert "predicted against actual" in html
    drawn = re.search(r'class="kind-1" d="([^"]+)"', html)
    assert drawn is not None
    assert drawn[1].count("M") == 30


def test_a_job_without_snapshots_says_so(service: Service) -> None:
    job = service.submit(body(service))
    assert "no snapshot yet" in page(service, f"/jobs/{job['id']}/learn")
    assert page(service, f"/jobs/{job['id']}/learn/look").strip() == ""
    settings = service.settings.model_copy(update={"max_snapshots": 0})
    Service(service.api, service.database, service.artifacts, settings).attempt(job["id"])
    assert "BACKPROP_MAX_SNAPSHOTS" in page(service, f"/jobs/{job['id']}/learn")


def test_a_deleted_dataset_is_told_and_others_see_nothing(service: Service, database: Database) -> None:
    job = service.train(body(service))
    assert service.api.delete(f"/v1/datasets/{job['dataset_id']}").status_code == 204
    assert service.api.get(f"/jobs/{job['id']}/learn").status_code == 409
    stranger = bearing(make_key(database, "other"))
    assert service.api.get(f"/jobs/{job['id']}/learn", headers=stranger).status_code == 404
    assert service.api.get(f"/jobs/{job['id']}/learn/look", headers=stranger).status_code == 404
