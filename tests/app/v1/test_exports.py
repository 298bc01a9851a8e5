"""Models leave over REST: as ONNX, as an MLflow folder, as safetensors with all facts, as a card."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from fastapi.testclient import TestClient
from markdown_it import MarkdownIt
from onnx import load_model_from_string
from safetensors.numpy import load

from domain.models.export import making
from domain.models.export.graph import layers
from infra.artifacts import ArtifactStore
from infra.database import Database
from infra.settings import Settings
from tests.support.apps import open_app
from tests.support.exported import OnnxModel
from tests.support.service import Service, csv_text

ROWS = 40
ATTACK = '<script>alert("1")</script>|`*_[x](javascript:1)'
COLOURS = ["blue", "green", "red"]


def table() -> dict[str, list[Any]]:
    """Columns of every type, some with gaps."""
    rng = np.random.default_rng(4)
    size = rng.normal(size=ROWS)
    return {
        ATTACK: [repr(float(each)) if number % 7 else "" for number, each in enumerate(size)],
        "count": rng.integers(0, 4, ROWS).tolist(),
        "day": [f"20{20 + number % 5}-0{1 + number % 9}-1{number % 10}" for number in range(ROWS)],
        "colour": [COLOURS[number % 3] if number % 5 else "" for number in range(ROWS)],
        "new": ["true" if number % 3 else "false" for number in range(ROWS)],
        "price": [repr(float(2 * each + number % 3)) for number, each in enumerate(size)],
        "grade": [7 if each > 0 else 3 for each in size],
    }


def quoted(cell: object) -> str:
    return '"' + str(cell).replace('"', '""') + '"'


def csv() -> str:
    columns = table()
    rows = zip(*columns.values(), strict=True)
    return csv_text(
        [quoted(name) for name in columns], [[quoted(cell) if cell != "" else "" for cell in row] for row in rows]
    )


def plain_columns() -> dict[str, list[Any]]:
    """The input columns as docs/exports.md says that ONNX takes them."""
    columns = table()
    columns[ATTACK] = [None if cell == "" else float(cell) for cell in columns[ATTACK]]
    columns["day"] = [datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() for day in columns["day"]]
    columns["new"] = [cell == "true" for cell in columns["new"]]
    return columns


INPUTS = [ATTACK, "count", "day", "colour", "new"]
TRAININGS: dict[str, dict[str, Any]] = {
    "classification": {
        "inputs": INPUTS,
        "targets": ["grade"],
        "task": "classification",
        "holdout": 0.25,
        "training": {"iterations": 30, "seed": 9},
    },
    "regression": {"inputs": INPUTS, "targets": ["price"], "training": {"iterations": 30, "dtype": "float32"}},
    "reconstruction": {
        "inputs": [name for name in INPUTS if name != "day"],
        "task": "reconstruction",
        "training": {"preset": "tutorial", "iterations": 30},
    },
}


@dataclass(frozen=True)
class World:
    """A service with a dataset, and a model of each kind that was trained on it."""

    service: Service
    dataset: dict[str, Any]
    models: dict[str, str]

    def ask(self, kind: str, what: str, **headers: str) -> Any:  # noqa: ANN401  # the client's response has no public name
        """An exported file."""
        return self.service.api.get(f"/v1/models/{self.models[kind]}/{what}", headers=headers)

    def exported(self, kind: str, what: str, **headers: str) -> Any:  # noqa: ANN401
        """The same, which must be there."""
        answer = self.ask(kind, what, **headers)
        assert answer.status_code == 200, answer.text
        return answer

    def model(self, kind: str) -> dict[str, Any]:
        """What the service says of the model."""
        found: dict[str, Any] = self.service.api.get(f"/v1/models/{self.models[kind]}").json()
        return found

    def predicted(self, kind: str) -> dict[str, list[Any]]:
        """What the service itself answers for the dataset's rows, by column."""
        answer = self.service.api.post(
            f"/v1/models/{self.models[kind]}/predict",
            content=csv().encode(),
            headers={"Content-Type": "text/csv", "Accept": "application/vnd.apache.parquet"},
        )
        assert answer.status_code == 200, answer.text
        columns: dict[str, list[Any]] = pq.read_table(io.BytesIO(answer.content)).to_pydict()
        return columns


def uploaded(service: Service) -> dict[str, Any]:
    fields = {"name": "<b>prices</b>"}
    answer = service.api.post("/v1/datasets", files={"file": ("prices.csv", csv().encode())}, data=fields)
    dataset: dict[str, Any] = answer.json()
    return dataset


def trained(service: Service, dataset: dict[str, Any], kind: str) -> str:
    ended = service.train({"dataset_id": dataset["id"], "network": {"layers": [{"units": 4}, {}]}, **TRAININGS[kind]})
    assert ended["status"] == "succeeded", ended["error"]
    model_id: str = ended["model_id"]
    return model_id


@pytest.fixture(scope="module")
def world(migrated_sqlite: Path, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("exports")
    shutil.copy(migrated_sqlite, folder / "test.db")
    settings = Settings(
        data_dir=folder, database_url=f"sqlite:///{folder / 'test.db'}", redis_url=redis_url, queue_name="exports"
    )
    database = Database(settings.resolved_database_url)
    with TestClient(open_app(settings), raise_server_exceptions=False) as api:
        service = Service(api, database, ArtifactStore(settings.resolved_artifacts_uri), settings)
        dataset = uploaded(service)
        yield World(service, dataset, {kind: trained(service, dataset, kind) for kind in TRAININGS})
    database.close()


@pytest.mark.parametrize("kind", TRAININGS)
def test_an_onnx_file_answers_the_dataset_s_rows_as_the_service_does(world: World, kind: str) -> None:
    answer = world.exported(kind, "onnx")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == f'attachment; filename="{world.models[kind]}.onnx"'
    answers = OnnxModel(answer.content).answers(plain_columns())
    expected = world.predicted(kind)
    if kind == "classification":
        assert answers["label"].tolist() == expected["prediction"]
        scores = np.column_stack([expected["score_3"], expected["score_7"]])
        np.testing.assert_allclose(answers["scores"], scores, rtol=0, atol=1e-9)
        return
    for name, values in expected.items():
        own = answers[name if kind == "regression" else f"predicted_{name}"].tolist()
        if name in ("colour", "new"):
            assert own == ["" if value is None else value for value in values]
        else:
            np.testing.assert_allclose(own, values, rtol=1e-4)


def test_every_file_says_which_model_it_is_and_what_it_was_trained_on(world: World) -> None:
    model = world.model("classification")
    onnx = load_model_from_string(world.exported("classification", "onnx").content)
    told = {each.key: each.value for each in onnx.metadata_props}
    assert told.pop("created_at") == model["created_at"].replace("Z", "+00:00")
    assert told.pop("backprop_version")
    assert told == {
        "model_id": model["id"],
        "job_id": model["job_id"],
        "dataset_id": world.dataset["id"],
        "dataset_name": "<b>prices</b>",
        "dataset_sha256": sha256(csv().encode()).hexdigest(),
        "task": "classification",
        "inputs": json.dumps(INPUTS),
        "targets": '["grade"]',
        "classes": "[3, 7]",
        "seed": "9",
        "iteration": str(model["iteration"]),
    }
    weights = world.exported("classification", "weights").content
    header = json.loads(weights[8 : 8 + int.from_bytes(weights[:8], "little")])["__metadata__"]
    assert header.items() >= told.items()
    assert json.loads(header["coding"]) == model["preprocessing"]
    assert json.loads(header["network"])["sizes"] == model["sizes"]
    assert set(load(weights)) == {"W1", "b1", "W2", "b2"}


def test_a_model_outlives_its_dataset(world: World) -> None:
    dataset = uploaded(world.service)
    alone = replace(world, dataset=dataset, models={"regression": trained(world.service, dataset, "regression")})
    expected = alone.predicted("regression")
    assert world.service.api.delete(f"/v1/datasets/{dataset['id']}").status_code == 204
    answers = OnnxModel(alone.exported("regression", "onnx").content).answers(plain_columns())
    np.testing.assert_allclose(answers["price"], expected["price"], rtol=1e-4)
    assert "The dataset has been deleted" in alone.exported("regression", "card", Accept="text/html").text


class TestRefusals:
    @pytest.mark.parametrize("what", ["onnx", "mlflow"])
    def test_a_file_that_answers_otherwise_is_kept_back(
        self, world: World, what: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(layers.ACTIVATIONS, "softmax", "Sigmoid")
        answer = world.ask("classification", what)
        assert (answer.status_code, answer.json()["code"]) == (409, "onnx_differs")
        assert "differs by" in answer.json()["detail"]

    @pytest.mark.parametrize("what", ["onnx", "mlflow"])
    def test_a_server_without_the_extra_says_what_to_install(
        self, world: World, what: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(making, "NEEDED_FOR_ONNX", ("onnx", "no_such_package"))
        answer = world.ask("classification", what)
        assert (answer.status_code, answer.json()["code"]) == (501, "onnx_not_installed")
        assert "pip install onnx no_such_package" in answer.json()["detail"]

    def test_a_coding_that_is_too_large_for_safetensors(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(making, "MOST_HEADER_BYTES", 1000)
        answer = world.ask("classification", "weights")
        assert (answer.status_code, answer.json()["code"]) == (413, "export_too_large")

    def test_a_card_of_another_type(self, world: World) -> None:
        answer = world.ask("classification", "card", Accept="image/png")
        assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")


def test_an_mlflow_folder_has_what_mlflow_looks_for(world: World) -> None:
    answer = world.exported("classification", "mlflow")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as folder:
        assert set(folder.namelist()) == {"MLmodel", "model.onnx", "requirements.txt", "python_env.yaml"}
        described = yaml.safe_load(folder.read("MLmodel"))
        assert folder.read("model.onnx") == world.exported("classification", "onnx").content
    assert described["flavors"]["python_function"]["loader_module"] == "mlflow.onnx"
    shown = {
        part: {
            each["name"]: (each["tensor-spec"]["dtype"], each["tensor-spec"]["shape"])
            for each in json.loads(described["signature"][part])
        }
        for part in ("inputs", "outputs")
    }
    number, text = ("float64", [-1]), ("str", [-1])
    assert shown["inputs"] == {ATTACK: number, "count": number, "day": number, "colour": text, "new": ("bool", [-1])}
    assert shown["outputs"] == {"label": ("int64", [-1]), "scores": ("float64", [-1, 2])}
    assert answer.content == world.exported("classification", "mlflow").content


class Page(HTMLParser):
    """What a browser would see: the elements, and the texts between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def pages(world: World, kind: str) -> list[Page]:
    """The card in Markdown, as a renderer that lets HTML through shows it, and as HTML."""
    markdown = world.exported(kind, "card")
    html = world.exported(kind, "card", Accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert markdown.headers["content-type"].startswith("text/markdown")
    assert html.headers["content-type"].startswith("text/html")
    assert markdown.headers["vary"] == html.headers["vary"] == "Accept"
    rendered = MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown.text)
    return [Page(rendered), Page(html.text)]


class TestCards:
    @pytest.mark.parametrize("kind", TRAININGS)
    def test_both_forms_say_what_the_model_is(self, world: World, kind: str) -> None:
        model = world.model(kind)
        wanted = [model["id"], model["job_id"], world.dataset["id"], sha256(csv().encode()).hexdigest(), str(ROWS)]
        wanted += [model["layers"][0]["activation"], "blue, green, red", f"{model['cost']:.6g}", "trivial model"]
        if kind == "classification":
            wanted += [f"{model['metrics']['held_out']['accuracy']:.6g}", "3, 7", "accuracy", "2020-01-10 to 2024-"]
        for page in pages(world, kind):
            shown = " ".join(page.texts)
            assert [each for each in wanted if each not in shown] == []
            assert {"h1", "h2", "table", "code", "ul"} <= page.elements

    def test_no_name_becomes_markup(self, world: World) -> None:
        for page in pages(world, "classification"):
            assert not page.elements & {"script", "b", "a", "em", "img"}
            assert not page.attributes & {"onerror", "href", "src"}
            assert any(ATTACK in text for text in page.texts)
            assert any("<b>prices</b>" in text for text in page.texts)

    def test_the_page_has_a_policy_that_lets_its_own_style_in_and_nothing_else(self, world: World) -> None:
        answer = world.exported("regression", "card", Accept="text/html")
        assert " style=" not in answer.text
        style = answer.text.partition("<style>")[2].partition("</style>")[0]
        digest = b64encode(sha256(style.encode()).digest()).decode()
        policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert policy["style-src"] == f"'sha256-{digest}'"
        assert "script-src" not in policy

    def test_the_page_draws_the_curve_and_has_its_numbers(self, world: World) -> None:
        costs = [row["cost"] for row in world.service.costs(world.model("classification")["job_id"])]
        page = Page(world.exported("classification", "card", Accept="text/html").text)
        assert {"svg", "polyline", "title", "desc", "details"} <= page.elements
        assert {f"{costs[0]:.6g}", f"{costs[-1]:.6g}"} <= set(page.texts)
