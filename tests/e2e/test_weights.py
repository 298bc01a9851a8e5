"""Weights of rows and classes, over REST, against the same rows so many times, by ours and another implementation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.support import oracle
from tests.support.service import Service, csv_text

NETWORK = {"layers": [{"units": 5, "activation": "tanh"}, {"activation": "sigmoid"}]}
RNG = np.random.default_rng(4)
X = RNG.normal(size=(40, 3))
LABELS = np.where(X[:, 0] + RNG.normal(size=40) > 0.8, "yes", "no")
TIMES = RNG.integers(0, 4, 40)


def upload(service: Service, rows: np.ndarray, *, times: bool = True) -> dict[str, Any]:
    header = ("a", "b", "c", "label", *(["times"] if times else []))
    table = [(*X[row], LABELS[row], *([TIMES[row]] if times else [])) for row in rows]
    return service.upload_csv(csv_text(header, table))


def job(dataset: dict[str, Any], **more: object) -> dict[str, Any]:
    training = {"iterations": 20, "learning_rate": 0.3, "weight_decay": 1e-3, "init": "uniform"}
    return {
        "dataset_id": dataset["id"],
        "targets": ["label"],
        "inputs": ["a", "b", "c"],
        "scaling": "none",
        "network": NETWORK,
        "training": training,
        **more,
    }


def trained(service: Service, body: dict[str, Any]) -> dict[str, Any]:
    ended = service.train(body)
    assert ended["status"] == "succeeded", ended["error"]
    return ended


def costs(service: Service, ended: dict[str, Any], name: str = "cost") -> list[float]:
    return [row[name] for row in service.costs(ended["id"])]


@pytest.mark.parametrize("holdout", [{}, {"holdout_by": {"dataset_id": "other"}}], ids=["all", "another dataset"])
def test_whole_weights_are_so_many_rows(service: Service, holdout: dict[str, Any]) -> None:
    """In an implementation of the page that shares no line with ours, and in the service itself."""
    everything = np.arange(40)
    one, many = (
        job(upload(service, everything), weights="times"),
        job(upload(service, np.repeat(everything, TIMES), times=False)),
    )
    if holdout:
        few = np.arange(12)
        one["holdout_by"] = {"dataset_id": upload(service, few)["id"]}
        many["holdout_by"] = {"dataset_id": upload(service, np.repeat(few, TIMES[few]), times=False)["id"]}
    start = trained(service, {**one, "training": {**one["training"], "iterations": 0}})
    weighted, repeated = trained(service, one), trained(service, many)
    rows = np.repeat(everything, TIMES)
    data_costs, _, weights = oracle.train(
        service.weights(start["model_id"]),
        ["tanh", "sigmoid"],
        X[rows],
        (LABELS[rows] == "yes").astype(float)[:, np.newaxis],
        learning_rate=0.3,
        weight_decay=1e-3,
        iterations=20,
    )
    np.testing.assert_allclose(costs(service, weighted, "data_cost"), data_costs, rtol=1e-9)
    np.testing.assert_allclose(costs(service, weighted), costs(service, repeated), rtol=1e-9)
    if holdout:
        held_out = [costs(service, each, "held_out_cost") for each in (weighted, repeated)]
        np.testing.assert_allclose(held_out[0], held_out[1], rtol=1e-9)
    for name, value in service.weights(weighted["model_id"]).items():
        np.testing.assert_allclose(value, weights[name], rtol=1e-8, atol=1e-12)


def test_balanced_shows_what_it_has_come_to(service: Service) -> None:
    dataset = upload(service, np.arange(40))
    balanced = trained(service, job(dataset, class_weight="balanced", holdout=0.2))
    assert balanced["class_weight"] == "balanced"
    found = balanced["rows"]["class_weight"]
    kept = balanced["rows"]["training"]
    assert [each["class"] for each in found] == ["no", "yes"]
    shares = [kept / (2 * each["weight"]) for each in found]
    assert sum(shares) == pytest.approx(kept)
    explicit = trained(service, job(dataset, class_weight=found, holdout=0.2))
    assert explicit["class_weight"] == found
    assert explicit["rows"]["class_weight"] is None
    for name in ("cost", "held_out_cost"):
        assert costs(service, balanced, name) == costs(service, explicit, name)
    plain = trained(service, job(dataset, holdout=0.2))
    assert (plain["class_weight"], plain["weights"]) == (None, None)
    assert costs(service, plain) != costs(service, balanced)


@pytest.mark.parametrize("class_weight", [{"yes": 2.5}, "balanced"])
def test_both_count_together_and_the_gradient_is_checked(service: Service, class_weight: object) -> None:
    dataset = upload(service, np.arange(40))
    weights = {"weights": "times", "class_weight": class_weight}
    checked = trained(service, job(dataset, gradient_check=True, **weights))
    assert checked["gradient_check"]["relative_difference"] < 1e-9
    assert checked["gradient_check"]["examples"] == np.count_nonzero(TIMES)
    answer = service.api.post(f"/v1/models/{checked['model_id']}/gradient-check", json={}).json()
    assert answer["relative_difference"] < 1e-7
    assert answer["examples"] == np.count_nonzero(TIMES)


def test_a_plan_says_it_and_a_job_that_goes_on_has_the_same_bits(service: Service) -> None:
    dataset = upload(service, np.arange(40))
    body = job(dataset, weights="times", class_weight="balanced", holdout=0.2)
    body["training"] |= {"optimizer": "adam", "learning_rate": 0.01, "batch_size": 7}
    plan = service.api.post("/v1/jobs", params={"dry_run": True}, json=body).json()
    assert (plan["weights"], plan["class_weight"]) == ("times", "balanced")
    whole = trained(service, body)
    first = trained(service, {**body, "training": {**body["training"], "iterations": 11}})
    service.api.post(f"/v1/jobs/{first['id']}/resume", json={"iterations": 20})
    resumed = service.attempt(first["id"])
    assert costs(service, resumed) == costs(service, whole)
    for name, value in service.weights(whole["model_id"]).items():
        assert service.weights(resumed["model_id"])[name].tobytes() == value.tobytes()


def test_a_job_that_starts_from_a_model_has_weights_of_its_own(service: Service) -> None:
    dataset = upload(service, np.arange(40))
    first = trained(service, job(dataset, weights="times"))
    body = {"dataset_id": dataset["id"], "from_model_id": first["model_id"], "training": {"iterations": 3}}
    plain, weighted = trained(service, body), trained(service, {**body, "weights": "times", "class_weight": "balanced"})
    assert (plain["weights"], weighted["weights"]) == (None, "times")
    assert weighted["inputs"] == first["inputs"]
    assert costs(service, plain)[0] != costs(service, weighted)[0]


def test_what_are_no_weights_is_refused(service: Service) -> None:
    dataset = upload(service, np.arange(40))
    for change, code, path in (
        ({"weights": "a"}, "unusable_weights", "/weights"),
        ({"class_weight": {"maybe": 2}}, "unknown_class", "/class_weight"),
        ({"class_weight": {"yes": -2}}, "invalid_request", "/class_weight"),
    ):
        refused = service.api.post("/v1/jobs", json=job(dataset, **change)).json()
        assert (refused["code"], refused["errors"][0]["path"]) == (code, path)
