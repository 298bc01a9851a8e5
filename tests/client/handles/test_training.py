"""From what people have to predictions in the form that they had it in, on a service that is served."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx2
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from backprop_client import AsyncBackprop, Backprop, Refused
from backprop_client.handles import predicting
from backprop_client.handles.costs import Costs
from backprop_client.handles.model import Model
from backprop_client.handles.outcomes import JobCancelled, JobFailed
from tests.support.serving import Served
from tests.support.waiting import wait_for

ROWS = 200
BEGIN = datetime(2024, 1, 1)  # noqa: DTZ001  # the service takes it for UTC

COLUMNS: dict[str, list[Any]] = {
    "size": [0.5 + row % 7 for row in range(ROWS)],
    "colour": [("red", "green", None)[row % 3] for row in range(ROWS)],
    "day": [BEGIN + timedelta(days=row) for row in range(ROWS)],
    "fresh": [row % 2 == 0 for row in range(ROWS)],
    "price": [0.25 + 2.0 * (row % 7) + (row % 3) for row in range(ROWS)],
    "weight": [0.25 + row % 5 for row in range(ROWS)],
    "kind": [("apple", "pear", "plum")[row % 3] for row in range(ROWS)],
}
"""Columns of every kind, with gaps."""


def records(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def csv_at(path: Path) -> Path:
    pd.DataFrame(COLUMNS).to_csv(path, index=False)
    return path


def opened(path: Path) -> io.BytesIO:
    return io.BytesIO(csv_at(path).read_bytes())


FORMS: dict[str, Callable[[Path], Any]] = {
    "pandas": lambda _: pd.DataFrame(COLUMNS, index=[f"row {row}" for row in range(ROWS)]),
    "Polars": lambda _: pl.DataFrame(COLUMNS),
    "Polars, lazy": lambda _: pl.DataFrame(COLUMNS).lazy(),
    "Arrow": lambda _: pa.table(COLUMNS),
    "NumPy": lambda _: pd.DataFrame(COLUMNS).to_records(index=False),
    "a dict of columns": lambda _: COLUMNS,
    "a list of dicts": lambda _: records(COLUMNS),
    "a CSV path": lambda folder: csv_at(folder / "table.csv"),
    "an open file": lambda folder: opened(folder / "table.csv"),
}

TYPES: dict[str, tuple[type, ...]] = {
    "pandas": (pd.Series, pd.DataFrame),
    "Polars": (pl.Series, pl.DataFrame),
    "Polars, lazy": (pl.Series, pl.DataFrame),
    "Arrow": (pa.Array, pa.Table),
    "NumPy": (np.ndarray, np.ndarray),
    "a dict of columns": (list, dict),
    "a list of dicts": (list, list),
    "a CSV path": (list, list),
    "an open file": (list, list),
}


@pytest.fixture(scope="module")
def trained(client: Backprop) -> dict[str, Model]:
    """A model of each task, trained from one form."""
    asked: dict[str, dict[str, Any]] = {
        "regression": {"target": "price"},
        "classification": {"target": "kind"},
        "several targets": {"targets": ["price", "weight"]},
        "reconstruction": {"task": "reconstruction", "inputs": ["size", "colour", "weight"]},
    }
    jobs = {task: client.train(COLUMNS, hidden=[4], iterations=20, seed=5, **fields) for task, fields in asked.items()}
    return {task: job.wait(progress=False) for task, job in jobs.items()}


@pytest.mark.parametrize("form", FORMS)
def test_all_forms_train_the_same_model(client: Backprop, trained: dict[str, Model], form: str, tmp_path: Path) -> None:
    job = client.train(FORMS[form](tmp_path), target="price", hidden=[4], iterations=20, seed=5, name=form)
    model = job.wait(progress=False)
    assert model.metrics == trained["regression"].metrics
    assert model.data.cost == trained["regression"].data.cost
    assert job.data.name == form
    assert client.datasets.get(job.data.dataset_id).name == form


@dataclass(frozen=True)
class Answers:
    """What the models tell of the dict of columns."""

    predictions: dict[str, Any]
    scores: dict[str, list[float]]


@pytest.fixture(scope="module")
def answers(trained: dict[str, Model]) -> Answers:
    predictions = {task: model.predict(COLUMNS) for task, model in trained.items()}
    return Answers(predictions, trained["classification"].predict_scores(COLUMNS))


WAYS = [(form, "JSON") for form in FORMS] + [(form, "Arrow") for form in ("pandas", "Polars", "Arrow", "NumPy")]


@pytest.mark.parametrize(("form", "sent_as"), WAYS)
def test_predictions_come_in_the_form_of_the_rows(
    trained: dict[str, Model], answers: Answers, form: str, sent_as: str, tmp_path: Path
) -> None:
    expected, scores = answers.predictions, answers.scores
    hidden = {"pyarrow": None} if sent_as == "JSON" and form != "Arrow" else {}
    data = FORMS[form](tmp_path)
    most_json = predicting.MOST_JSON_CELLS if sent_as == "JSON" else 0
    with patch.dict(sys.modules, hidden), patch.object(predicting, "MOST_JSON_CELLS", most_json):
        told = {task: model.predict(_again(data)) for task, model in trained.items()}
        told_scores = trained["classification"].predict_scores(_again(data))
    one, several = TYPES[form]
    assert isinstance(told["regression"], one)
    assert isinstance(told["classification"], one)
    assert all(isinstance(each, several) for each in (told["several targets"], told["reconstruction"], told_scores))
    regression: Any = told["regression"]
    assert list(regression.to_pylist() if form == "Arrow" else regression) == expected["regression"]
    labels: Any = told["classification"]
    assert [str(label) for label in labels] == expected["classification"]
    for task in ("several targets", "reconstruction"):
        assert as_columns(told[task]) == expected[task]
    assert list(as_columns(told_scores).values()) == list(scores.values())
    if form == "pandas":
        assert regression.index.equals(data.index)
        assert regression.name == "price"
        assert told_scores.index.equals(data.index)
        assert list(told_scores.columns) == ["apple", "pear", "plum"]


def _again(data: Any) -> Any:  # noqa: ANN401
    """A file from its beginning."""
    if hasattr(data, "seek"):
        data.seek(0)
    return data


def as_columns(told: Any) -> dict[str, list[Any]]:  # noqa: ANN401
    """A table of any form, as a dict of lists."""
    if isinstance(told, dict):
        return told
    if isinstance(told, list):
        return {name: [row[name] for row in told] for name in told[0]}
    if isinstance(told, np.ndarray):
        return {name: told[name].tolist() for name in told.dtype.names}
    if isinstance(told, pa.Table):
        return {name: told.column(name).to_pylist() for name in told.column_names}
    if isinstance(told, pl.DataFrame):
        return told.to_dict(as_series=False)
    columns: dict[str, list[Any]] = told.astype(object).where(told.notna(), None).to_dict("list")
    return columns


def test_arrays_have_their_columns_in_order(client: Backprop) -> None:
    x = np.random.default_rng(0).normal(size=(60, 3)).astype("float32")
    y = x @ np.array([1.0, -2.0, 0.5])
    model = client.train(np.column_stack([x, y]), target="column_4", hidden=[], iterations=30).wait(progress=False)
    named = client.train(np.column_stack([x, y]), target="y", columns=["a", "b", "c", "y"], hidden=[], iterations=30)
    assert named.wait(progress=False).inputs == ("a", "b", "c")
    told = model.predict(x)
    assert told.shape == (60,)
    assert np.abs(told - y).max() < 0.01
    assert model.predict(x.tolist()) == told.tolist()
    with pytest.raises(ValueError, match="2 columns without names, and the model has 3 inputs"):
        model.predict(x[:, :2])
    with pytest.raises(ValueError, match="no column 'column_1'"):
        model.predict({"column_2": [1.0]})


def test_many_rows_go_in_parts_and_files_of_any_kind_to_a_worker(
    client: Backprop, trained: dict[str, Model], answers: Answers, tmp_path: Path
) -> None:
    model, expected = trained["classification"], answers.predictions["classification"]
    twice = {name: 2 * values for name, values in COLUMNS.items()}
    assert model.predict(twice) == 2 * expected  # which the service refuses as a whole: it is too large
    frame = pl.DataFrame(COLUMNS)
    frame.write_ndjson(tmp_path / "table.jsonl")
    datasets = len(client.datasets.list(limit=100).data)
    assert model.predict(tmp_path / "table.jsonl") == expected
    written = model.predict_file(frame, tmp_path / "predicted.parquet")
    assert pl.read_parquet(written)["prediction"].to_list() == expected
    assert pl.read_parquet(written).columns[: len(COLUMNS)] == list(COLUMNS)
    assert len(client.datasets.list(limit=100).data) == datasets
    assert not client.predictions.list().data
    job = client.train(frame, target="kind", hidden=[], iterations=1)
    assert model.predict(job.data.dataset_id) == expected
    with pytest.raises(ValueError, match=r"not as 'predicted\.xlsx'"):
        model.predict_file(frame, tmp_path / "predicted.xlsx")
    with pytest.raises(ValueError, match="no classification"):
        trained["regression"].predict_scores(COLUMNS)
    with pytest.raises(Refused, match="orange"):
        model.predict({**COLUMNS, "colour": ["orange"] * ROWS})
    assert len(model.predict({**COLUMNS, "colour": ["orange"] * ROWS}, unknown_categories="as_missing")) == ROWS


def test_a_job_is_followed_drawn_and_come_back_to(client: Backprop, capsys: pytest.CaptureFixture[str]) -> None:
    job = client.train(
        COLUMNS, target="price", hidden=[4], iterations=50, weight_decay=0.01, holdout=0.2, held_out_every=10
    )
    model = job.wait()
    told = capsys.readouterr().err.splitlines()
    assert told[-1].startswith(f"{job.id} succeeded, iteration 50 of 50, J = ")
    assert ", held out " in told[-1]
    costs = job.costs()
    assert costs.iteration == list(range(51))
    assert [cost is not None for cost in costs.held_out_cost] == [iteration % 10 == 0 for iteration in range(51)]
    same_everywhere(costs)
    assert len(job.costs(points=5)) <= 10
    axes = job.plot()
    assert axes.lines[0].get_ydata().tolist() == costs.cost
    assert len(axes.lines[1].get_ydata()) == 6
    again = client.job(job.id)
    assert again.status == "succeeded"
    assert [event.kind for event in again.history()] == ["submitted", "started", "succeeded"]
    assert "<svg" in again._repr_html_()
    assert "rmse price" in model._repr_html_()
    resumed = again.resume(60).wait(progress=False)
    assert resumed.data.iteration == 60
    assert len(again.costs()) == 61


class NoStreams(httpx2.BaseTransport):
    """The way to a service that has as many streams open as it may."""

    def __init__(self) -> None:
        self._over = httpx2.HTTPTransport()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/events"):
            problem = {"title": "t", "status": 429, "code": "too_many_streams", "detail": "No more."}
            return httpx2.Response(429, json=problem)
        return self._over.handle_request(request)

    def close(self) -> None:
        self._over.close()


def test_a_job_is_followed_where_there_is_no_stream_for_it(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    with httpx2.Client(transport=NoStreams()) as over:
        client = Backprop(base_url=served.url, http_client=over, max_retries=0)
        job = client.train(COLUMNS, target="price", hidden=[4], iterations=50, holdout=0.2)
        assert job.wait().data.iteration == 50
    told = capsys.readouterr().err.splitlines()
    assert told[-1].startswith(f"{job.id} succeeded, iteration 50 of 50, J = ")
    assert ", held out " in told[-1]


def same_everywhere(costs: Costs) -> None:
    """A table of costs says the same in each library."""
    array, frame, polars = costs.to_numpy(), costs.to_pandas(), costs.to_polars()
    assert np.asarray(costs).dtype.names == array.dtype.names
    assert array["cost"].tolist() == costs.cost == frame["cost"].tolist() == polars["cost"].to_list()
    assert frame.index.tolist() == costs.iteration
    assert polars["held_out_cost"].to_list() == costs.held_out_cost
    assert np.isnan(array["held_out_cost"]).tolist() == [cost is None for cost in costs.held_out_cost]


def test_a_job_that_has_no_model_says_why(client: Backprop) -> None:
    network = {"layers": [{"units": 4, "activation": "relu"}, {"activation": "linear"}]}
    job = client.train(
        COLUMNS, target="price", preset="tutorial", learning_rate=1e9, network=network, gradient_check=False
    )
    with pytest.raises(JobFailed, match="no longer a finite number") as failure:
        job.wait(progress=False)
    assert failure.value.code == "diverged"
    assert failure.value.job.id == job.id
    assert [note.code for note in failure.value.notes] == ["cost_did_not_fall"]
    with pytest.raises(ValueError, match="it is failed"):
        job.model()
    endless = client.train(COLUMNS, target="price", preset="tutorial", hidden=[2], iterations=10**7)
    wait_for("the first costs", lambda: endless.refresh().data.iteration)
    with pytest.raises(TimeoutError, match="goes on without you"):
        endless.wait(progress=False, timeout=0.2)
    assert endless.status == "running"
    endless.cancel()
    with pytest.raises(JobCancelled):
        endless.wait(progress=False)


def test_a_model_is_promoted_and_found_by_its_names(
    client: Backprop, trained: dict[str, Model], tmp_path: Path
) -> None:
    first, second = trained["regression"], trained["classification"]
    assert first.promote("fruit", alias="champion").aliases == ["champion"]
    assert second.promote("fruit").version == 2
    assert first.promote("fruit", alias="old").version == 1
    assert client.model("fruit@champion").id == client.model("fruit@v1").id == client.model(first.id).id == first.id
    assert client.model("fruit@latest").id == second.id
    second.promote("fruit", alias="champion")
    assert client.model("fruit@champion").id == second.id
    assert first.importance().columns[0].column in first.inputs
    assert first.download(tmp_path / "weights.safetensors").stat().st_size > 100
    assert first.onnx(tmp_path / "model.onnx").stat().st_size > 100
    assert first.id in first.card()


def test_all_of_it_can_be_awaited(served: Served, trained: dict[str, Model], tmp_path: Path) -> None:
    async def working() -> None:
        async with AsyncBackprop(base_url=served.url) as client:
            frame = pd.DataFrame(COLUMNS)
            job = await client.train(frame, target="kind", hidden=[4], iterations=20, seed=5)
            model = await job.wait(progress=False, timeout=60)
            assert (await model.predict(frame)).tolist() == trained["classification"].predict(COLUMNS)
            scores = await model.predict_scores(frame)
            assert scores.to_dict("list") == trained["classification"].predict_scores(COLUMNS)
            assert await model.predict(csv_at(tmp_path / "table.csv")) == trained["classification"].predict(COLUMNS)
            written = await model.predict_file(frame, tmp_path / "predicted.csv", with_inputs=False)
            assert len(written.read_text().splitlines()) == ROWS + 1
            assert len(await job.costs()) == 21
            assert [event.kind for event in await job.history()][-1] == "succeeded"
            await model.promote("awaited", alias="champion")
            for name in ("awaited@champion", "awaited@v1", "awaited@latest", model.id):
                assert (await client.model(name)).id == model.id
            assert (await client.job(job.id)).status == "succeeded"

    asyncio.run(working())
