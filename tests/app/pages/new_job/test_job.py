"""The form of a job: what it shows, what it asks for, and what becomes of mistakes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.pages.new_job.fields import SIMPLE, pointer
from domain.access.projects import DEFAULT_PROJECT
from infra.database import Database
from infra.settings import Settings
from tests.support.apps import open_app
from tests.support.keys import bearing, make_key
from tests.support.pages import problem_at, sign_in, ticked, value_of
from tests.support.service import Service, csv_text

NAMES = ["passenger", "age", "fare", "constant", "survived"]


def people() -> str:
    """A table with a column that counts the rows, one with gaps, a constant one, and one to predict."""
    choose = Random(0)  # noqa: S311  # no secret
    rows = [
        (row + 1, "" if row % 5 == 0 else choose.randint(1, 80) + 0.5, choose.random(), 7, choose.choice(["no", "yes"]))
        for row in range(60)
    ]
    return csv_text(NAMES, rows)


@pytest.fixture
def dataset_id(service: Service) -> str:
    """Of the people."""
    made: str = service.upload_csv(people())["id"]
    return made


def posted(api: TestClient, dataset_id: str, do: str, fields: dict[str, Any]) -> Any:  # noqa: ANN401
    """The form as a browser sends it: the inputs are ticked as they were when nobody had touched them."""
    form = {"dataset": dataset_id, "input": ["age", "fare", "survived"], "preset": "auto", **fields, "do": do}
    return api.post("/jobs/new", data=form, follow_redirects=False)


def started(api: TestClient, dataset_id: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    """The job that the form has started."""
    answer = posted(api, dataset_id, "start", {"target": "survived", **fields})
    assert answer.status_code == 303, answer.text
    job: dict[str, Any] = api.get(f"/v1{answer.headers['location']}").json()
    return job


def jobs(api: TestClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get("/v1/jobs").json()["data"]
    return found


def test_the_form_shows_the_columns_and_how_the_file_was_read(service: Service, dataset_id: str) -> None:
    page = service.api.get(f"/jobs/new?dataset={dataset_id}").text
    assert "Read as csv, in utf-8, with commas" in page
    assert "60 rows of 5 columns" in page
    assert "It counts the rows. It is no input unless you tick it." in page
    assert "It is constant: every value is 7." in page
    assert '<td class="figure">12</td>' in page  # gaps in `age`
    assert "no, yes" in page
    assert page.count('class="spread"') == 3  # of the numbers that differ
    assert ticked(page, "input") == ["age", "fare", "survived"]
    assert ticked(page, "target") == []
    assert 'aria-invalid="true"' not in page  # nobody has done anything wrong yet


def test_every_field_has_the_apis_description(service: Service, dataset_id: str) -> None:
    page = service.api.get(f"/jobs/new?dataset={dataset_id}").text
    properties = service.api.get("/openapi.json").json()["components"]["schemas"]
    for field in SIMPLE:
        schema = "TrainingSpec" if pointer(field.name).startswith("/training") else "JobSpec"
        described = properties[schema]["properties"][field.name]["description"]
        assert f"{field.first} {field.rest}".strip() == described
        assert f'id="hint-{field.name}"' in page


@pytest.mark.parametrize("wanted", ["ds_nobodys", "no/id", "a" * 65])
def test_a_dataset_that_is_not_there(service: Service, wanted: str) -> None:
    answer = service.api.get("/jobs/new", params={"dataset": wanted})
    assert answer.status_code == 404
    assert posted(service.api, wanted, "start", {}).status_code == 404


def test_other_projects_datasets_are_not_there(service: Service, database: Database, dataset_id: str) -> None:
    theirs = bearing(make_key(database, "theirs"))
    assert service.api.get(f"/jobs/new?dataset={dataset_id}", headers=theirs).status_code == 404


def test_looking_at_the_plan_starts_nothing(service: Service, dataset_id: str) -> None:
    answer = posted(service.api, dataset_id, "look", {"target": "survived"})
    assert answer.status_code == 200
    planned = service.api.post(
        "/v1/jobs", params={"dry_run": True}, json={"dataset_id": dataset_id, "targets": ["survived"]}
    ).json()
    assert f"{planned['parameters']} parameters, about" in answer.text
    assert 'aria-label="Layers of the network: 3 inputs' in answer.text
    assert "are tried on 60 rows" in answer.text
    assert "<b>passenger</b>: It counts the rows." in answer.text
    assert jobs(service.api) == []


def test_a_target_alone_is_enough(service: Service, dataset_id: str) -> None:
    job = started(service.api, dataset_id)
    asked = service.submit({"dataset_id": dataset_id, "targets": ["survived"]})
    own = {"id", "created_at"}
    assert {name: job[name] for name in job.keys() - own} == {name: asked[name] for name in asked.keys() - own}
    assert job["left_out"] != []  # nothing was said of the inputs


def test_all_that_is_typed_is_in_the_job(service: Service, dataset_id: str) -> None:
    job = started(
        service.api,
        dataset_id,
        name="Mine",
        tags="one, two",
        input=["fare", "constant"],
        task="classification",
        preset="tutorial",
        composed="yes",
        units=["5", "3"],
        activation=["tanh", ""],
        output="sigmoid",
        optimizer="momentum",
        epochs="30",
        learning_rate="0.25",
        weight_decay="1e-3",
        batch_size="7",
        seed="9",
        holdout="0.2",
        patience="4",
        more=json.dumps({"note": "So it is.", "training": {"momentum": 0.5}}),
    )
    assert (job["name"], job["tags"], job["note"]) == ("Mine", ["one", "two"], "So it is.")
    assert [each["name"] for each in job["inputs"]] == ["fare", "constant"]
    layers = [(layer["units"], layer["activation"]) for layer in job["network"]["layers"]]
    assert layers == [(5, "tanh"), (3, "sigmoid"), (1, "sigmoid")]
    training = job["training"]
    given = {
        "preset": "tutorial",
        "optimizer": "momentum",
        "epochs": 30,
        "learning_rate": 0.25,
        "weight_decay": 0.001,
        "batch_size": 7,
        "seed": 9,
        "patience": 4,
        "momentum": 0.5,
    }
    assert {name: training[name] for name in given} == given
    assert job["holdout"] == 0.2


def test_unticking_an_input_names_the_others(service: Service, dataset_id: str) -> None:
    job = started(service.api, dataset_id, input=["fare", "survived"])
    assert [each["name"] for each in job["inputs"]] == ["fare"]


@pytest.mark.parametrize(
    ("fields", "name", "message"),
    [
        ({}, "targets", "Name the columns to predict"),
        ({"target": "survived", "learning_rate": "abc"}, "learning_rate", "Must be a number."),
        ({"target": "survived", "iterations": "1.5"}, "iterations", "integer"),
        ({"target": "survived", "iterations": "9" * 50}, "iterations", "Must be a number."),
        ({"target": "survived", "seed": "٣"}, "seed", "Must be a number."),
        ({"target": "survived", "weight_decay": "1e999"}, "weight_decay", "Must be a number."),
        ({"target": "survived", "holdout": "1"}, "holdout", "less than 1"),
        ({"target": "survived", "patience": "3"}, "patience", "Early stopping"),
        ({"target": "survived", "optimizer": "lbfgs", "batch_size": "5"}, "batch_size", "bfgs has no batch_size"),
        ({"target": "survived", "optimizer": "magic"}, "optimizer", "Input should be"),
        ({"target": "survived", "preset": "tutorial"}, "network", "nobody chooses a network"),
        ({"target": "survived", "task": "regression"}, "targets", "regression predicts numbers"),
        ({"target": "age", "input": ["nothing"]}, "inputs", "Must have at least 1 items"),
        ({"target": "survived", "tags": "a " * 200}, "tags", "at most 100"),
        ({"target": ["survived", "nobody"]}, "targets", "no column 'nobody'"),
        ({"target": "survived", "composed": "y", "units": "0", "activation": ""}, "units-0", "greater than or equal"),
        ({"target": "survived", "composed": "y", "units": "2", "activation": "softmax"}, "network", "for the output"),
        ({"target": "survived", "composed": "y", "units": "", "activation": ""}, "network", "Hidden layers need units"),
        ({"target": "age", "composed": "y", "output": "softmax"}, "output", "probabilities of classes"),
        ({"target": "survived", "more": "{"}, "more", "This is not JSON"),
        ({"target": "survived", "more": "[" * 100_000}, "more", "This is not JSON"),
        ({"target": "survived", "more": "[1]"}, "more", "must be a JSON object"),
        ({"target": "survived", "more": '{"dataset_id": "ds_1"}'}, "more", "leave dataset_id out"),
    ],
)
def test_mistakes_are_told_at_their_field(
    service: Service, dataset_id: str, fields: dict[str, Any], name: str, message: str
) -> None:
    answer = posted(service.api, dataset_id, "start", fields)
    assert answer.status_code == 422
    assert message in problem_at(answer.text, name)
    assert "Something in the form is not right yet" in answer.text
    assert "Once nothing is wrong with the job" in answer.text  # there is nothing to copy
    assert jobs(service.api) == []


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"colour": 1}, "/colour"),
        ({"training": {"colour": 1}}, "/training/colour"),
        ({"\ud800": 1}, "unicode string"),
        ({"from_model_id": "mdl_nobodys"}, "no model mdl_nobodys"),
        ({"weights": "nobody"}, "no column 'nobody'"),
    ],
)
def test_mistakes_at_no_field_of_the_form_are_told_above_the_plan(
    service: Service, dataset_id: str, more: dict[str, Any], message: str
) -> None:
    answer = posted(service.api, dataset_id, "start", {"target": "survived", "more": json.dumps(more)})
    assert answer.status_code in (404, 422)
    told = answer.text.partition('<div id="plan">')[2]
    assert 'role="alert"' in told
    assert message in told.replace("&#39;", "'")


def test_what_was_typed_stays(service: Service, dataset_id: str) -> None:
    fields = {
        "target": "survived",
        "input": ["fare"],
        "name": '"><script>alert(1)</script>',
        "learning_rate": "abc",
        "composed": "yes",
        "units": ["5", "x"],
        "activation": ["tanh", ""],
        "more": "</textarea>{",
    }
    page = posted(service.api, dataset_id, "start", fields).text
    assert ticked(page, "target") == ["survived"]
    assert ticked(page, "input") == ["fare"]
    assert value_of(page, "name") == fields["name"]
    assert value_of(page, "learning_rate") == "abc"
    assert '<option value="tanh" selected>' in page
    assert ">&lt;/textarea&gt;{</textarea>" in page
    assert "<script>alert" not in page


def test_layers_are_added_and_removed_by_buttons(service: Service, dataset_id: str) -> None:
    def units(do: str, **fields: Any) -> list[str]:  # noqa: ANN401
        page = posted(service.api, dataset_id, do, {"target": "survived", **fields}).text
        return [part.partition('"')[0] for part in page.split('name="units" value="')[1:]]

    assert units("look") == []
    assert units("compose") == ["16"]
    composed = {"composed": "yes", "activation": ["", "tanh"]}
    assert units("add", units=["5", "3"], **composed) == ["5", "3", "3"]
    assert units("remove-0", units=["5", "3"], **composed) == ["3"]
    assert units("remove-7", units=["5", "3"], **composed) == ["5", "3"]
    assert units("remove-x", units=["5", "3"], **composed) == ["5", "3"]
    assert units("add", composed="yes") == ["16"]
    assert units("choose", units=["5", "3"], **composed) == []
    full = {"composed": "yes", "units": ["1"] * 99, "activation": [""] * 99}
    assert len(units("add", **full)) == 99
    assert jobs(service.api) == []


def test_a_form_that_is_sent_twice_starts_one_job(service: Service, dataset_id: str) -> None:
    page = service.api.get(f"/jobs/new?dataset={dataset_id}").text
    once = {"target": "survived", "once": value_of(page, "once")}
    places = {posted(service.api, dataset_id, "start", once).headers["location"] for _ in range(2)}
    assert places == {f"/jobs/{job['id']}" for job in jobs(service.api)}
    assert len(places) == 1
    changed = posted(service.api, dataset_id, "start", {**once, "name": "Another"})  # after going back
    assert changed.headers["location"] not in places
    assert len(jobs(service.api)) == 2


def test_links_can_name_targets_and_a_model_to_start_from(service: Service, dataset_id: str) -> None:
    page = service.api.get("/jobs/new", params={"dataset": dataset_id, "target": "survived"}).text
    assert ticked(page, "target") == ["survived"]
    assert "parameters, about" in page
    layers = {"layers": [{"units": 2}, {}]}
    trained = service.train({"dataset_id": dataset_id, "targets": ["survived"], "network": layers})
    again = service.api.get("/jobs/new", params={"dataset": dataset_id, "from_model": trained["model_id"]}).text
    assert f"{{&#34;from_model_id&#34;: &#34;{trained['model_id']}&#34;}}" in again
    assert "parameters, about" in again


def test_columns_with_hostile_names_are_shown_and_taken(service: Service) -> None:
    hostile = "<script>alert('1')</script>"
    rows = [(row, Random(row).random(), "yes" if row % 3 else "no") for row in range(60)]  # noqa: S311  # no secret
    dataset = service.upload_csv(csv_text(["n", "x", hostile], rows))
    page = posted(service.api, dataset["id"], "look", {"target": hostile, "input": ["n", "x"]}).text
    assert "<script>alert" not in page
    assert ticked(page, "target") == [hostile]
    assert "parameters, about" in page


def test_of_a_wide_table_the_first_columns_are_shown_and_all_are_taken(service: Service) -> None:
    choose = Random(0)  # noqa: S311  # no secret
    names = [f"c{number}" for number in range(300)]
    rows = [[f"{choose.random():.3f}" for _ in names] for _ in range(20)]
    dataset = service.upload_csv(csv_text(names, rows))
    shown = names[:200]
    fields = {"input": shown[1:], "other_targets": "c299\n\n c298 ", "name": "wide"}
    page = posted(service.api, dataset["id"], "look", fields).text
    assert "The first 200 columns are in the table" in page
    assert "c299\nc298\n</textarea>" in page
    assert "297 columns" in page  # all but the targets and the one that is not ticked


@pytest.fixture
def full_api(settings: Settings) -> Iterator[TestClient]:
    """A service with room for one job in its queue."""
    with TestClient(open_app(settings.model_copy(update={"max_queued_jobs": 1}))) as client:
        yield client


def test_a_full_queue_is_told_on_the_page(full_api: TestClient) -> None:
    upload = full_api.post("/v1/datasets", files={"file": ("people.csv", people().encode())})
    dataset_id = upload.json()["id"]
    started(full_api, dataset_id)
    refused = posted(full_api, dataset_id, "start", {"target": "survived", "name": "Second"})
    assert refused.status_code == 429
    assert value_of(refused.text, "name") == "Second"
    assert 'role="alert"' in refused.text


def test_forms_of_others_and_of_those_who_may_not_are_refused(service: Service, dataset_id: str) -> None:
    token = sign_in(service.api, make_key(service.database, DEFAULT_PROJECT, ["read", "train"]))
    form = {"target": "survived"}
    assert posted(service.api, dataset_id, "start", form).status_code == 403
    assert posted(service.api, dataset_id, "start", {**form, "csrf_token": "other"}).status_code == 403
    assert posted(service.api, dataset_id, "start", {**form, "csrf_token": token}).status_code == 303
    reading = sign_in(service.api, make_key(service.database, DEFAULT_PROJECT, ["read"]))
    assert service.api.get(f"/jobs/new?dataset={dataset_id}").status_code == 403
    assert posted(service.api, dataset_id, "start", {**form, "csrf_token": reading}).status_code == 403
