"""A job that registers its model does so once, in the transaction that ends it."""

from __future__ import annotations

from typing import Any

import pytest

from domain.jobs import attempts
from infra.errors import Unavailable
from tests.support.faults import job_body
from tests.support.jobs import requeue
from tests.support.service import Service
from worker import attempt as attempt_module
from worker.evaluation import evaluate

REGISTER = {
    "name": "digits",
    "alias": "production",
    "if_better": {"metric": "rmse", "split": "held_out"},
}


def body(service: Service, **training: Any) -> dict[str, Any]:  # noqa: ANN401
    return {**job_body(service, rows=40, **{"iterations": 3, **training}), "holdout": 0.25, "register": REGISTER}


def versions(service: Service) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = service.api.get("/v1/registry/digits/versions").json()["data"]
    return found


def test_the_job_tells_what_came_of_it_and_so_does_its_history(service: Service) -> None:
    asked = body(service)
    plan = service.api.post("/v1/jobs", json=asked, params={"dry_run": True}).json()
    queued = service.submit(asked)
    assert plan["register"] == queued["register"] == REGISTER
    assert queued["registered"] is None
    job = service.attempt(queued["id"])
    came = job["registered"]
    assert (came["name"], came["version"], came["alias"], came["alias_taken"]) == ("digits", 1, "production", True)
    (version,) = versions(service)
    assert (version["model_id"], version["aliases"]) == (job["model_id"], ["production"])
    history = service.api.get(f"/v1/jobs/{job['id']}/history").json()["data"]
    assert (history[-1]["kind"], history[-1]["reason"]) == ("succeeded", came["reason"])
    assert service.api.get("/v1/registry/digits/history").json()["data"][-1]["job_id"] == job["id"]

    worse = service.train({**asked, "training": {**asked["training"], "iterations": 0}})
    same = service.train({**asked, "register": job["register"]})
    for each, number in ((worse, 2), (same, 3)):
        assert (each["registered"]["version"], each["registered"]["alias_taken"]) == (number, False)
        assert "not better" in each["registered"]["reason"]
    assert [each["aliases"] for each in versions(service)] == [[], [], ["production"]]


def test_a_job_that_goes_on_after_it_has_succeeded_registers_its_new_model_too(service: Service) -> None:
    job = service.train(body(service))
    service.api.post(f"/v1/jobs/{job['id']}/resume", json={"iterations": 200})
    again = service.attempt(job["id"])
    assert again["registered"]["version"] == 2
    assert [each["model_id"] for each in versions(service)] == [again["model_id"], job["model_id"]]


def test_a_job_without_a_model_registers_none(service: Service) -> None:
    job = service.train(body(service, learning_rate=1e300))
    assert (job["status"], job["registered"]) == ("failed", None)
    assert service.api.get("/v1/registry/digits").status_code == 404


def test_a_superseded_attempt_registers_nothing(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    job = service.submit(body(service))
    began: list[int] = []

    def evaluate_late(*arguments: Any) -> dict[str, Any]:  # noqa: ANN401
        """While the first attempt measures its model, another one takes the job and ends it."""
        if not began:
            began.append(1)
            requeue(service.database, job["id"])
            service.attempt(job["id"])
        return evaluate(*arguments)

    monkeypatch.setattr(attempt_module, "evaluate", evaluate_late)
    ended = service.attempt(job["id"])
    assert (ended["status"], ended["attempt"]) == ("succeeded", 2)
    assert [each["model_id"] for each in versions(service)] == [ended["model_id"]]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_database_that_goes_away_at_the_end_finds_it_registered_once(
    service: Service, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    succeed, tries = attempts.succeed, []

    def interrupted(*arguments: Any) -> None:  # noqa: ANN401
        tries.append(1)
        if len(tries) == 1 and when == "before":
            raise Unavailable("database_unavailable", "It is away.")
        succeed(*arguments)
        if len(tries) == 1 and when == "after":
            raise Unavailable("database_unavailable", "It is away.")

    monkeypatch.setattr(attempts, "succeed", interrupted)
    job = service.train(body(service))
    assert (job["status"], len(tries)) == ("succeeded", 2)
    assert [(each["version"], each["model_id"]) for each in versions(service)] == [(1, job["model_id"])]


def test_what_cannot_be_registered_is_refused_at_its_field(service: Service) -> None:
    asked = body(service)
    for change, path in (
        ({"name": "a b"}, "/register/name"),
        ({"name": None}, "/register/name"),
        ({"alias": "latest"}, "/register/alias"),
        ({"alias": None}, "/register/if_better"),
        ({"if_better": {"metric": "beauty"}}, "/register/if_better/metric"),
        ({"if_better": {"metric": "accuracy"}}, "/register/if_better/metric"),
        ({"if_better": {"metric": "rmse", "split": "test"}}, "/register/if_better/split"),
        ({"stage": "x"}, "/register/stage"),
    ):
        refused = service.api.post("/v1/jobs", json={**asked, "register": {**REGISTER, **change}})
        assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, path), change
