"""The pages of models: what they show of real ones, what their forms do, and what they refuse."""

from __future__ import annotations

import io
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from sqlalchemy import update

from app.pages.models import inputs
from app.pages.models import listing as listing_page
from domain.models import surface
from infra.tables import Model
from tests.support.keys import bearing, make_key
from tests.support.service import Service, csv_text

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def database_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """SQLite alone: what the pages ask the database is tested on both with the routes that ask the same."""
    shutil.copy(migrated_sqlite, tmp_path / "test.db")
    return f"sqlite:///{tmp_path / 'test.db'}"


def trained(service: Service, text: str, target: str | None, **job: Any) -> str:  # noqa: ANN401
    dataset = service.upload_csv(text, job.pop("file", "table.csv"))
    ended = service.train(
        {
            "dataset_id": dataset["id"],
            **({} if target is None else {"targets": [target]}),
            "network": {"layers": [{"units": 4}, {}]},
            "training": {"iterations": 20, "seed": 3},
            "holdout": 0.25,
            **job,
        }
    )
    assert ended["status"] == "succeeded", ended["error"]
    model_id: str = ended["model_id"]
    return model_id


def mixed() -> str:
    rng = np.random.default_rng(1)
    rows = [
        (
            "" if number == 5 else f"{rng.normal():.3f}",
            rng.integers(20, 60),
            ["red", "green", HOSTILE][number % 3],
            ["true", "false"][number % 2],
            f"2026-01-{1 + number % 28:02}T12:00",
            ["no", "yes"][rng.integers(2)],
        )
        for number in range(48)
    ]
    return csv_text(["size", "age", "colour", "smoker", "day", "answer"], rows)


def numbers(columns: int = 2) -> str:
    rng = np.random.default_rng(2)
    X = rng.normal(size=(40, columns)).round(3)
    names = [f"x{place}" for place in range(columns)]
    return csv_text([*names, "height"], [(*row, round(sum(row), 3)) for row in X.tolist()])


def shown(api: TestClient, address: str) -> str:
    response = api.get(address)
    assert response.status_code == 200, response.text
    assert "default-src 'none'" in response.headers["content-security-policy"]
    return response.text


def sent(api: TestClient, address: str, **form: str) -> Any:  # noqa: ANN401  # the test client's response has no public name
    return api.post(address, data=form, follow_redirects=False)


def figures(html: str) -> list[float]:
    """The numbers of a table, in order."""
    return [float(each.replace("−", "-")) for each in re.findall(r'class="figure">([^<]+)<', html)]


def test_the_list_shows_models_with_their_worth(service: Service) -> None:
    assert "There are no models yet" in shown(service.api, "/models")
    model_id = trained(service, mixed(), "answer", name=HOSTILE, tags=["demo"])
    page = shown(service.api, "/models")
    assert f'href="/models/{model_id}"' in page
    assert "classification of answer" in page
    assert "12 rows held out" in page
    assert HOSTILE not in page
    assert "&lt;script&gt;alert(1)" in page


def test_the_list_is_filtered_and_goes_on(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing_page, "MODELS_A_PAGE", 1)
    first = trained(service, numbers(), "height", name="first", tags=["a"])
    second = trained(service, numbers(), "height", name="second", tags=["a", "b"])
    page = shown(service.api, "/models?tag=a")
    assert second in page
    assert first not in page
    (older,) = re.findall(r'href="(/models\?[^"]*)" rel="next"', page)
    assert first in shown(service.api, older.replace("&amp;", "&"))
    assert first in shown(service.api, "/models?q=FIRST")
    assert "No model is like that" in shown(service.api, "/models?tag=none")


def test_a_classifier_shows_what_it_is_worth_and_what_it_takes_for_what(service: Service) -> None:
    model_id = trained(service, mixed(), "answer", name="Mixed")
    page = shown(service.api, f"/models/{model_id}")
    model = service.api.get(f"/v1/models/{model_id}").json()
    assert f"{100 * model['metrics']['held_out']['accuracy']:.1f}\u202f%" in page
    for part in ("Which classes it takes for which", "ROC curve", "Reliability", "What it needs", "balanced accuracy"):
        assert part in page
    assert f'href="/jobs/{model["job_id"]}"' in page
    assert f'href="/datasets/{model["dataset_id"]}"' in page
    assert f"/jobs/new?dataset={model['dataset_id']}&amp;from_model={model_id}" in page
    for export in ("card", "onnx", "mlflow", "weights"):
        assert f"/v1/models/{model_id}/{export}" in page
    assert HOSTILE not in page
    assert '<option value="">(missing)</option>' in page  # `size` had a gap


def test_a_dependence_is_shown_when_it_is_asked_for(service: Service) -> None:
    model_id = trained(service, mixed(), "answer")
    assert "Dependence on age" not in shown(service.api, f"/models/{model_id}")
    page = shown(service.api, f"/models/{model_id}?column=age")
    assert "<title>Dependence on age</title>" in page
    assert "in all of 48 rows" in page
    of_categories = shown(service.api, f"/models/{model_id}?column=colour")
    assert "<title>Dependence on colour</title>" not in of_categories
    assert "&lt;script&gt;" in of_categories
    assert "is no input of this model" in shown(service.api, f"/models/{model_id}?column=nothing")


def test_the_answers_over_two_inputs_are_a_picture_and_a_table(service: Service) -> None:
    model_id = trained(service, mixed(), "answer")
    assert "surface.png" not in shown(service.api, f"/models/{model_id}")
    page = shown(service.api, f"/models/{model_id}?x=age&y=size")
    assert "Regions of the classes of answer over age and size" in page
    assert "categories at the first one" in page
    (address,) = re.findall(r'href="(/models/[^"]*surface.png[^"]*)"', page)
    picture = service.api.get(address.replace("&amp;", "&"))
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")
    assert Image.open(io.BytesIO(picture.content)).size == (480, 480)
    for wrong in ("x=age", "x=age&y=age", "x=colour&y=age", "x=none&y=age"):
        assert service.api.get(f"/models/{model_id}?{wrong}").status_code == 422
        assert service.api.get(f"/models/{model_id}/surface.png?{wrong}").status_code == 422


def test_the_table_beside_the_picture_says_what_the_model_says(service: Service) -> None:
    model_id = trained(service, numbers(), "height")
    page = shown(service.api, f"/models/{model_id}")  # with two inputs alone it need not be asked for
    assert "Prediction of height over x0 and x1" in page
    table = page[page.index("to the right, x1 upwards") :]
    across = [
        float(each.replace("−", "-")) for each in re.findall(r'<th scope="col" class="figure">([^<]+)', table)[:6]
    ]
    up, *answers = re.findall(r'class="figure">([^<]+)', table[table.index("<tbody>") :])[:7]
    rows = [[x, float(up.replace("−", "-"))] for x in across]
    said = [float(each.replace("−", "-")) for each in answers]
    assert said == pytest.approx(service.predict(model_id, rows), abs=1e-3)


def test_of_a_large_network_fewer_points_are_asked(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    model_id = trained(service, numbers(), "height")
    monkeypatch.setattr(surface, "MOST_WORK", 1)
    picture = service.api.get(f"/models/{model_id}/surface.png?x=x0&y=x1")
    assert Image.open(io.BytesIO(picture.content)).size == (480, 480)


def test_predicted_numbers_are_shown_beside_actual_ones(service: Service) -> None:
    model_id = trained(service, numbers(), "height")
    assert "has no single rows" in shown(service.api, f"/models/{model_id}")
    page = shown(service.api, f"/models/{model_id}?target=height")
    assert "40 rows of the dataset: dots were trained on, rings were held out" in page
    held_out = re.findall(r'<g class="dots dots-2">(.*?)</g>', page)
    assert [each.count("<circle") for each in held_out] == [10, 10]
    assert "is no number that this model predicts" in shown(service.api, f"/models/{model_id}?target=x0")
    table = page[page.index("Actual − predicted</th>") :]
    actual, predicted, left = figures(table[table.index("<tbody>") : table.index("</tbody>")])[:3]
    assert actual - predicted == pytest.approx(left, abs=1e-3)


def test_without_its_dataset_a_model_shows_all_but_what_needs_rows(service: Service) -> None:
    model_id = trained(service, numbers(), "height")
    dataset_id = service.api.get(f"/v1/models/{model_id}").json()["dataset_id"]
    assert service.api.delete(f"/v1/datasets/{dataset_id}").status_code == 204
    page = shown(service.api, f"/models/{model_id}?x=x0&y=x1")
    assert "which has been deleted" in page
    assert "Prediction of height over x0 and x1" in page  # as far as the model itself knows its inputs
    assert "Train again from here" not in page
    for asked in ("column=x0", "target=height"):
        assert "has been deleted, and" in shown(service.api, f"/models/{model_id}?{asked}")


def test_a_reconstruction_shows_what_it_can(service: Service) -> None:
    model_id = trained(service, numbers(16), None, inputs=[f"x{place}" for place in range(16)], task="reconstruction")
    page = shown(service.api, f"/models/{model_id}")
    assert "r2 mean" in page
    assert "How its answers depend" not in page
    assert f'src="/models/{model_id}/tiles.png"' in page  # 16 inputs are a square
    answer = sent(service.api, f"/models/{model_id}/predict", **{f"input-{place}": "0.5" for place in range(16)})
    assert answer.status_code == 200
    assert answer.text.count('<th scope="row">x') == 16


def test_inside_are_the_weights_and_what_units_respond_to(service: Service) -> None:
    model_id = trained(service, numbers(16), "height", network={"layers": [{"units": 30}, {}]})
    page = shown(service.api, f"/models/{model_id}/inside")
    assert "W(1): 30 × 16" in page
    weights = service.weights(model_id)
    assert f"{np.linalg.norm(weights['W2']):.5g}" in page
    (following,) = re.findall(r'href="(/models/[^"]*after=24)#units"', page)
    rest = shown(service.api, following)
    assert rest.count('<th scope="row" class="figure">') == 5
    for picture in ("tiles.png", "weights/1.png", "weights/2.png"):
        response = service.api.get(f"/models/{model_id}/{picture}")
        assert (response.status_code, response.headers["content-type"]) == (200, "image/png")
    assert service.api.get(f"/models/{model_id}/weights/3.png").status_code == 422
    assert 'scope="row" class="figure"' not in shown(service.api, f"/models/{model_id}/inside?after=1000")


def test_a_row_of_the_form_is_predicted_as_by_the_api(service: Service) -> None:
    model_id = trained(service, mixed(), "answer")
    fields = {
        "input-0": "",
        "input-1": "33",
        "input-2": HOSTILE,
        "input-3": "true",
        "input-4": "2026-01-05T12:00",
    }
    page = sent(service.api, f"/models/{model_id}/predict", **fields)
    assert page.status_code == 200
    row = {"size": None, "age": 33, "colour": HOSTILE, "smoker": True, "day": "2026-01-05T12:00"}
    answer = service.answer(model_id, [row])
    assert f"answer: <strong>{answer['predictions'][0]}</strong>" in page.text
    assert f"{max(answer['scores'][0]):.5g}" in page.text
    assert HOSTILE not in page.text
    assert 'value="33"' in page.text


def test_what_cannot_be_read_is_told_at_its_field(service: Service) -> None:
    model_id = trained(service, mixed(), "answer")
    fields = {"input-0": "inf", "input-1": "many", "input-2": "pink", "input-3": "true", "input-4": "2026-01-05"}
    page = sent(service.api, f"/models/{model_id}/predict", **fields)
    assert page.status_code == 422
    assert page.text.count('aria-invalid="true"') == 3
    assert "&#39;many&#39; is not a number" in page.text
    assert 'value="many"' in page.text


def test_models_with_very_many_inputs_have_no_form(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "MOST_FIELDS", 3)
    model_id = trained(service, mixed(), "answer")
    page = shown(service.api, f"/models/{model_id}")
    assert "too many inputs to be filled in by hand" in page
    assert 'name="input-0"' not in page


def test_a_file_is_predicted_row_by_row(service: Service) -> None:
    model_id = trained(service, numbers(), "height")
    address = f"/models/{model_id}/predict-file"
    answer = service.api.post(address, files={"file": ("rows.csv", b"x0,x1\n1,2\n3,4\n", "text/csv")})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"].startswith("attachment")
    lines = answer.text.splitlines()
    assert lines[0].strip('"') == "height"
    assert [float(line) for line in lines[1:]] == service.predict(model_id, [[1, 2], [3, 4]])
    assert service.api.post(address, data={"other": "1"}).status_code == 422
    wrong = service.api.post(address, files={"file": ("rows.csv", b"x0\n1\n", "text/csv")})
    assert wrong.status_code == 422
    assert wrong.headers["content-type"].startswith("text/html")


def test_a_model_is_captioned(service: Service) -> None:
    model_id = trained(service, numbers(), "height")
    address = f"/models/{model_id}/caption"
    answer = sent(service.api, address, name="Hills", tags="b a", note="one\ntwo")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/models/{model_id}")
    model = service.api.get(f"/v1/models/{model_id}").json()
    assert (model["name"], model["tags"], model["note"]) == ("Hills", ["a", "b"], "one\ntwo")
    sent(service.api, address, name="", tags="", note="")
    model = service.api.get(f"/v1/models/{model_id}").json()
    assert (model["name"], model["tags"], model["note"]) == (None, [], None)
    refused = sent(service.api, address, tags="a,b")
    assert refused.status_code == 422
    assert "no spaces or commas" in refused.text


def test_a_model_is_registered_and_pointed_to(service: Service) -> None:
    model_id = trained(service, numbers(), "height")
    assert "registered under no name" in shown(service.api, f"/models/{model_id}")
    answer = sent(service.api, f"/models/{model_id}/register", name="hills", alias="production")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/models/{model_id}#registry")
    sent(service.api, f"/models/{model_id}/alias", name="hills", version="1", alias="canary")
    page = shown(service.api, f"/models/{model_id}")
    assert 'href="/registry/hills"' in page
    for alias in ("production", "canary"):
        assert f'<span class="tag">{alias}</span>' in page
        assert service.api.get(f"/v1/registry/hills/aliases/{alias}").json()["version"] == 1
    assert sent(service.api, f"/models/{model_id}/delete").status_code == 409  # it is registered


@pytest.mark.parametrize(
    ("action", "form", "status"),
    [
        ("register", {"name": "no name"}, 422),
        ("register", {}, 422),
        ("register", {"name": "hills", "alias": "latest"}, 422),
        ("alias", {"name": "hills", "alias": "a", "version": "x"}, 422),
        ("alias", {"name": "hills", "alias": "a", "version": "9" * 30}, 422),
        ("alias", {"name": "hills", "alias": "a", "version": "1"}, 404),
    ],
)
def test_wrong_forms_change_nothing(service: Service, action: str, form: dict[str, str], status: int) -> None:
    model_id = trained(service, numbers(), "height")
    answer = sent(service.api, f"/models/{model_id}/{action}", **form)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert service.api.get("/v1/registry").json()["data"] == []


def test_a_model_is_deleted(service: Service) -> None:
    model_id = trained(service, numbers(), "height")
    shown(service.api, f"/models/{model_id}/inside")
    answer = sent(service.api, f"/models/{model_id}/delete")
    assert (answer.status_code, answer.headers["location"]) == (303, "/models")
    assert service.api.get(f"/models/{model_id}").status_code == 404


ADDRESSES = ("", "/inside", "/tiles.png", "/weights/1.png", "/surface.png?x=x0&y=x1")
ACTIONS = ("caption", "register", "alias", "delete", "predict", "predict-file")
FORM = {"name": "n", "alias": "a", "version": "1", "input-0": "1"}


def test_models_of_other_projects_are_not_there(service: Service) -> None:
    model_id = trained(service, numbers(16), "height")
    other = bearing(make_key(service.database, "other"))
    assert model_id not in service.api.get("/models", headers=other).text
    for address in ADDRESSES:
        assert service.api.get(f"/models/{model_id}{address}", headers=other).status_code == 404
    for action in ("caption", "register", "delete", "predict"):
        assert service.api.post(f"/models/{model_id}/{action}", data=FORM, headers=other).status_code == 404
    file = {"file": ("rows.csv", b"x0\n1\n", "text/csv")}
    assert service.api.post(f"/models/{model_id}/predict-file", files=file, headers=other).status_code == 404
    mine = bearing(make_key(service.database, "default"))
    assert service.api.get(f"/models/{model_id}", headers=mine).status_code == 200


def test_what_a_key_may_not_do_is_neither_shown_nor_done(service: Service) -> None:
    model_id = trained(service, numbers(), "height")
    reads = bearing(make_key(service.database, "default", ["read"]))
    page = service.api.get(f"/models/{model_id}", headers=reads).text
    assert '<form method="post"' not in page
    for action in ACTIONS:
        assert service.api.post(f"/models/{model_id}/{action}", data=FORM, headers=reads).status_code == 403
    trains = bearing(make_key(service.database, "default", ["read", "train"]))
    page = service.api.get(f"/models/{model_id}", headers=trains).text
    assert f"/models/{model_id}/caption" in page
    assert "Delete the model" not in page
    predicts = bearing(make_key(service.database, "default", ["predict"]))
    assert service.api.get(f"/models/{model_id}", headers=predicts).status_code == 403


def test_models_from_before_importance_was_measured_show_the_rest(service: Service) -> None:
    model_id = trained(service, numbers(), "height")
    with service.database.writing() as session:
        session.execute(update(Model).where(Model.id == model_id).values(importance=None))
    assert "What it needs" not in shown(service.api, f"/models/{model_id}")
