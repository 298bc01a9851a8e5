"""Nothing but the target is given: a model comes out that is as good as what scikit-learn makes, or a sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.support.service import Service, csv_text

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

CLOSE = 0.03
"""Of accuracy or R². With so few rows to judge by, less says nothing."""


def table(numbers: NDArray[Any], target: list[Any]) -> str:
    names = [*(f"x{place}" for place in range(numbers.shape[1])), "y"]
    return csv_text(names, [[*row, value] for row, value in zip(numbers.tolist(), target, strict=True)])


def trained(service: Service, text: str, **job: object) -> dict[str, Any]:
    dataset = service.upload_csv(text)
    ended = service.train({"dataset_id": dataset["id"], "targets": ["y"], **job})
    assert ended["status"] == "succeeded", ended["error"]
    return ended


@pytest.mark.parametrize("load", [load_wine, load_breast_cancer])
def test_classes_are_told_apart_as_well_as_by_a_linear_model(service: Service, load: Any) -> None:  # noqa: ANN401
    X, y = load(return_X_y=True)
    labels = [f"class {label}" for label in y]
    order = np.random.default_rng(0).permutation(len(X))
    known, unseen = order[len(X) // 4 :], order[: len(X) // 4]
    job = trained(service, table(X[known], [labels[row] for row in known]))
    assert job["selection"]["chosen"] is not None
    assert job["network"]["layers"][-1]["activation"] == "softmax"
    answers = service.predict(job["model_id"], X[unseen].tolist())
    right = np.mean([answer == labels[row] for answer, row in zip(answers, unseen, strict=True)])
    linear = make_pipeline(StandardScaler(), LogisticRegression()).fit(X[known], y[known])
    assert right >= linear.score(X[unseen], y[unseen]) - CLOSE


def test_numbers_are_predicted_as_well_as_by_a_linear_model(service: Service) -> None:
    X, y = load_diabetes(return_X_y=True)
    known, unseen = slice(0, 330), slice(330, None)
    job = trained(service, table(X[known], y[known].tolist()), task="regression")
    predicted = np.array(service.predict(job["model_id"], X[unseen].tolist()))
    r2 = 1 - np.sum((predicted - y[unseen]) ** 2) / np.sum((y[unseen] - y[unseen].mean()) ** 2)
    assert r2 >= LinearRegression().fit(X[known], y[known]).score(X[unseen], y[unseen]) - CLOSE


def test_the_resolved_job_gives_the_same_bits_without_trials(service: Service) -> None:
    X, y = load_wine(return_X_y=True)
    first = trained(service, table(X, [f"class {label}" for label in y]), holdout=0.2)
    again = service.train(
        {
            "dataset_id": first["dataset_id"],
            "targets": ["y"],
            "holdout": 0.2,
            "network": first["network"],
            "training": first["training"],
        }
    )
    assert again["selection"] is None
    assert service.costs(again["id"]) == service.costs(first["id"])
    weights, same_weights = service.weights(first["model_id"]), service.weights(again["model_id"])
    assert weights.keys() == same_weights.keys()
    for name, array in weights.items():
        np.testing.assert_array_equal(array, same_weights[name])


def test_many_rows_train_for_the_epochs_that_did_best(service: Service) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(6_000, 4)).round(3)
    y = np.where(np.sin(3 * X[:, 0]) + X[:, 1] > 0, "up", "down")
    job = trained(service, table(X, y.tolist()), holdout=0.1)
    assert job["training"]["optimizer"] == "adam"
    assert job["iterations"] == job["iteration"] == job["training"]["epochs"] * 27
    model = service.api.get(f"/v1/models/{job['model_id']}").json()
    assert model["metrics"]["held_out"]["accuracy"] > 0.9


def test_rows_that_weigh_nothing_take_no_part_in_the_trials(service: Service) -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(80, 2)).round(3)
    weights = np.zeros(80)
    weights[::5] = 1.0
    text = csv_text(["a", "b", "w", "y"], [[*row, w, row[0] + 1] for row, w in zip(x.tolist(), weights, strict=True)])
    ended = trained(service, text, weights="w")
    assert {len(candidate["iterations"]) for candidate in ended["selection"]["candidates"]} <= {1, 2, 3, 4, 5}


RNG = np.random.default_rng(5)
SMALL = RNG.normal(size=(20, 3)).round(3)


@pytest.mark.parametrize(
    ("text", "job"),
    [
        (table(SMALL, (SMALL[:, 0] > 0).tolist()), {}),
        (table(SMALL, SMALL[:, 1].tolist()), {}),
        (table(SMALL[:2], ["a", "b"]), {}),
        (table(SMALL[:9], ["a", "b", "b", "a", "a", "a", "b", "c", "b"]), {}),
        (table(SMALL, [*(["a"] * 12), *(["b"] * 7), "c"]), {}),
        (table(SMALL, [f"class {row}" for row in range(20)]), {}),
        (table(SMALL, [f"class {row // 2}" for row in range(20)]), {"holdout": 0.2}),
        (table(RNG.normal(size=(60, 2_000)).round(2), ["a", "b", "c"] * 20), {}),
        (table(np.c_[SMALL, np.full(20, np.nan)], SMALL[:, 2].tolist()), {}),
        (table(np.where(SMALL > 0.5, np.nan, SMALL), SMALL[:, 2].tolist()), {"missing": "drop_rows"}),
        (table(np.c_[1e200 * SMALL[:, :1], SMALL], SMALL[:, 2].tolist()), {}),
    ],
    ids=[
        "20 rows of two classes",
        "20 rows of numbers",
        "two rows",
        "nine rows",
        "a class of one row",
        "a class for each row",
        "classes of two rows, some held out",
        "2,000 columns",
        "an empty column",
        "rows with gaps dropped",
        "a column out of all bounds",
    ],
)
def test_what_is_small_wide_or_odd_gives_a_model(service: Service, text: str, job: dict[str, Any]) -> None:
    ended = trained(service, text, **job)
    assert np.isfinite(ended["cost"])


@pytest.mark.parametrize(
    ("target", "code"),
    [(["a"] * 20, "one_class_only"), ([1.5] * 20, "constant_target"), ([""] * 20, "missing_values")],
)
def test_what_cannot_be_learned_is_said_when_it_is_asked_for(service: Service, target: list[Any], code: str) -> None:
    dataset = service.upload_csv(table(SMALL, target))
    response = service.api.post("/v1/jobs", json={"dataset_id": dataset["id"], "targets": ["y"]})
    assert response.status_code == 422
    assert response.json()["code"] == code
