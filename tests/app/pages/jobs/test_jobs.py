"""The pages about jobs show what there is, of one's own project, and do what their forms say."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.pages.jobs.plan import differences
from backprop_client.wire.jobs import JobOut
from domain.access.keys import Scope
from infra.database import Database
from tests.support.keys import bearing, make_key
from tests.support.service import Service

CSV = "a,b,y\n" + "".join(f"{i % 7},{i % 5},{i % 3}\n" for i in range(40))
HOSTILE = "<script>alert('no')</script>"


@pytest.fixture
def database_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """SQLite alone: what pages read is tested on both databases where it is read."""
    shutil.copy(migrated_sqlite, tmp_path / "test.db")
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture(autouse=True)
def _stays(api: TestClient) -> None:
    api.follow_redirects = False


def asked(service: Service, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    dataset = service.upload_csv(CSV)
    return {
        "dataset_id": dataset["id"],
        "targets": ["y"],
        "task": "regression",
        "network": {"layers": [{"units": 3}, {}]},
        "training": {"preset": "tutorial", "iterations": 12, "learning_rate": 0.5, **more.pop("training", {})},
        **more,
    }


def page(service: Service, address: str, status: int = 200) -> str:
    answer = service.api.get(address)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    return answer.text


def test_an_empty_list_says_how_to_begin(service: Service) -> None:
    text = page(service, "/")
    assert "There are no jobs yet" in text
    assert 'href="/jobs/new"' in text


def test_the_list_shows_each_job_with_its_curve(service: Service) -> None:
    trained = service.train(asked(service, name=HOSTILE, tags=["red"]))
    waiting = service.submit(asked(service, name="waiting"))
    text = page(service, "/")
    assert text.index(waiting["id"]) < text.index(trained["id"])
    assert HOSTILE not in text
    assert "&lt;script&gt;" in text
    assert text.count("<polyline") == 1
    assert text.count('class="status succeeded"') == 1
    assert page(service, f"/jobs/{trained['id']}/row").strip().startswith("<tr")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["second", "first"]),
        ("?status=queued", ["second"]),
        ("?tag=red", ["first"]),
        ("?q=SECO", ["second"]),
        ("?q=&tag=&status=", None),
        ("?q=nobody", []),
    ],
)
def test_the_list_is_filtered(service: Service, query: str, names: list[str] | None) -> None:
    service.train(asked(service, name="first", tags=["red"]))
    service.submit(asked(service, name="second"))
    wanted = ["second", "first"] if names is None else names
    assert re.findall(r'<a href="/jobs/job_\w+">(\w+)</a>', page(service, f"/{query}")) == wanted


@pytest.mark.parametrize("query", ["q=%00", "tag=a%00", "dataset=%00", "after=%00", "status=odd"])
def test_filters_that_no_list_can_have_are_refused(service: Service, query: str) -> None:
    page(service, f"/?{query}", 422)


def test_a_job_is_shown_with_its_curve_its_life_and_what_was_asked(service: Service) -> None:
    job = service.train(asked(service, name=HOSTILE, note=HOSTILE, holdout=0.25))
    text = page(service, f"/jobs/{job['id']}")
    assert HOSTILE not in text
    lines = re.findall(r'<g data-name="([^"]+)" data-x="([\d ]+)" data-y="([^"]+)"', text)
    assert [name for name, _, _ in lines] == ["J", "held-out J"]
    rows = service.costs(job["id"])
    assert [int(k) for k in lines[0][1].split()] == [row["iteration"] for row in rows]
    assert [float(J) for J in lines[0][2].split()] == pytest.approx([row["cost"] for row in rows], rel=1e-8)
    assert [float(J) for J in lines[1][2].split()] == pytest.approx([row["held_out_cost"] for row in rows], rel=1e-8)
    for kind in ("submitted", "started", "succeeded"):
        assert f"<b>{kind}</b>" in text
    assert f'href="/models/{job["model_id"]}"' in text


def test_the_plan_that_a_page_shows_can_be_asked_for_again(service: Service) -> None:
    job = service.train(asked(service))
    text = page(service, f"/jobs/{job['id']}")
    plan = json.loads(re.findall(r"<pre>(.*?)</pre>", text, re.DOTALL)[0].replace("&#34;", '"'))
    assert plan["training"]["iterations"] == 12
    assert plan["dataset_id"] == job["dataset_id"]


def test_terms_smoothing_parts_and_others_are_drawn_when_asked_for(service: Service) -> None:
    other = service.train(asked(service, name="the other"))
    job = service.train(asked(service, training={"weight_decay": 0.01}))
    address = f"/jobs/{job['id']}/curve"
    assert 'data-name="decay term"' in page(service, f"{address}?terms=true")
    assert "raw" in page(service, f"{address}?smoothing=0.6")
    part = page(service, f"{address}?after=3&before=9")
    assert re.findall(r'data-x="([\d ]+)"', part) == ["4 5 6 7 8"]
    assert 'data-name="the other"' in page(service, f"{address}?with={other['id']}")
    assert page(service, f"{address}?before=&with=") == page(service, address)
    assert page(service, f"{address}?with=job_nobodys", 404)
    assert page(service, f"{address}?smoothing=1", 422)
    assert page(service, f"{address}?after=x", 422)


def test_the_costs_are_downloaded_to_the_last_bit(service: Service) -> None:
    job = service.train(asked(service))
    answer = service.api.get(f"/jobs/{job['id']}/costs.csv")
    assert answer.headers["content-disposition"] == f'attachment; filename="{job["id"]}.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [float(row["cost"]) for row in rows] == [row["cost"] for row in service.costs(job["id"])]
    assert service.api.get(f"/jobs/{job['id']}/curve.png").content.startswith(b"\x89PNG")
    assert service.api.get(f"/jobs/{job['id']}/curve.svg").headers["content-type"] == "image/svg+xml"


def test_a_job_that_failed_says_why_and_what_to_try(service: Service) -> None:
    job = service.train(asked(service, training={"learning_rate": 1e6, "weight_decay": 1.0, "iterations": 2000}))
    assert job["status"] == "failed"
    text = page(service, f"/jobs/{job['id']}")
    assert "Why it failed" in text
    assert "<code>diverged</code>" in text


def test_a_job_whose_network_was_chosen_shows_the_candidates(service: Service) -> None:
    dataset = service.upload_csv(CSV)
    job = service.train({"dataset_id": dataset["id"], "targets": ["y"], "task": "regression"})
    text = page(service, f"/jobs/{job['id']}")
    assert "How the network was chosen" in text
    assert text.count(">chosen</span>") == 1
    assert "no hidden layer" in text


def test_forms_cancel_resume_tag_caption_and_delete(service: Service) -> None:
    first, second = service.submit(asked(service)), service.submit(asked(service))

    def sent(action: str, **fields: Any) -> str:  # noqa: ANN401
        answer = service.api.post(f"/jobs/{action}", data=fields)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def job(job_id: str) -> dict[str, Any]:
        told: dict[str, Any] = service.api.get(f"/v1/jobs/{job_id}").json()
        return told

    ids = [first["id"], second["id"]]
    assert sent("tag", job=ids, tag="blue") == "/"
    assert [job(each)["tags"] for each in ids] == [["blue"], ["blue"]]
    sent("caption", job=first["id"], name="named", tags="a b", note="", back=f"/jobs/{first['id']}")
    assert (job(first["id"])["name"], job(first["id"])["tags"], job(first["id"])["note"]) == ("named", ["a", "b"], None)
    sent("cancel", job=ids)
    assert [job(each)["status"] for each in ids] == ["cancelled", "cancelled"]
    assert sent("resume", job=first["id"], iterations="15", back=f"/jobs/{first['id']}") == f"/jobs/{first['id']}"
    assert (job(first["id"])["status"], job(first["id"])["iterations"]) == ("queued", 15)
    sent("delete", job=second["id"])
    assert service.api.get(f"/v1/jobs/{second['id']}").status_code == 404


@pytest.mark.parametrize(
    ("action", "fields", "told"),
    [
        ("cancel", {}, "No job is chosen"),
        ("cancel", {"job": "job_\0"}, "no id of a job"),
        ("tag", {"job": "job_1"}, "There is no tag"),
        ("tag", {"job": "job_1", "tag": "two words"}, "There is no job"),
        ("resume", {"job": "job_1", "iterations": "many"}, "no whole number"),
        ("caption", {"job": "job_1", "name": "x" * 201}, "at most 200"),
        ("delete", {"job": "job_1"}, "There is no job"),
    ],
)
def test_what_is_wrong_with_a_form_is_told_in_words(
    service: Service, action: str, fields: dict[str, str], told: str
) -> None:
    answer = service.api.post(f"/jobs/{action}", data=fields)
    assert answer.status_code in (404, 422)
    assert told in answer.text
    assert "<h1>" in answer.text


def test_what_could_not_be_done_to_one_job_is_done_to_the_others(service: Service) -> None:
    job = service.submit(asked(service))
    answer = service.api.post("/jobs/cancel", data={"job": ["job_nobodys", job["id"]]})
    assert answer.status_code == 404
    assert service.api.get(f"/v1/jobs/{job['id']}").json()["status"] == "cancelled"


def test_jobs_are_compared_by_what_differs(service: Service) -> None:
    first = service.train(asked(service, name="slow", training={"learning_rate": 0.1}))
    second = service.train(asked(service, name="fast"))
    text = page(service, f"/compare?job={first['id']}&job={second['id']}")
    assert text.count("<g data-name=") == 2
    assert "training.learning_rate" in text
    assert "training.iterations" not in text
    assert "R², training" in text
    found = differences([JobOut.model_validate(each) for each in (first, second)])
    assert set(found) == {"dataset_id", "training.learning_rate"}
    assert found["training.learning_rate"] == ["0.1", "0.5"]
    same = service.submit(
        asked(service, training={"learning_rate": 0.1}) | {"dataset_id": first["dataset_id"], "name": "again"}
    )
    assert "all were asked the same" in page(service, f"/compare?job={first['id']}&job={same['id']}")


def test_chosen_jobs_are_compared_at_an_address_that_names_nothing_else(service: Service) -> None:
    answer = service.api.post("/jobs/compare", data={"job": ["job_1", "job_2"], "tag": "x", "csrf_token": "secret"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/compare?job=job_1&job=job_2")


@pytest.mark.parametrize("query", ["", "?job=job_1", "?" + "&".join(f"job=job_{each}" for each in range(7))])
def test_too_few_or_too_many_jobs_are_not_compared(service: Service, query: str) -> None:
    assert "Choose 2 to 6 jobs" in page(service, f"/compare{query}", 422)


def test_jobs_of_other_projects_are_not_there(service: Service, database: Database) -> None:
    job, other = service.train(asked(service)), service.submit(asked(service))
    owner, stranger = bearing(make_key(database, "default")), bearing(make_key(database, "red"))
    parts = ("", "/row", "/progress", "/curve", "/costs.csv", "/curve.svg", "/curve.png")
    for address in [f"/jobs/{job['id']}{part}" for part in parts] + [f"/compare?job={job['id']}&job={other['id']}"]:
        assert service.api.get(address, headers=owner).status_code == 200, address
        assert service.api.get(address, headers=stranger).status_code == 404, address
    assert job["id"] not in service.api.get("/", headers=stranger).text


@pytest.mark.parametrize(
    ("scopes", "can", "cannot"),
    [
        (["read"], [], ["/jobs/cancel", "/jobs/resume", "/jobs/tag", "/jobs/delete"]),
        (["read", "train"], ["/jobs/cancel"], ["/jobs/delete"]),
        (["admin"], ["/jobs/delete"], []),
    ],
)
def test_forms_are_there_for_who_may_send_them_and_refused_to_others(
    service: Service, database: Database, scopes: list[Scope], can: list[str], cannot: list[str]
) -> None:
    job = service.train(asked(service))
    headers = bearing(make_key(database, "default", scopes))
    text = service.api.get("/", headers=headers).text
    for action in can:
        assert f'formaction="{action}"' in text
    for action in cannot:
        assert f'formaction="{action}"' not in text
        refused = service.api.post(action, data={"job": job["id"], "tag": "x"}, headers=headers)
        assert refused.status_code == 403
        assert "<h1>" in refused.text
