"""MLflow reads the folders that models leave in, and answers as the service does.

It runs in an environment of its own: `.ci/mlflow` makes one, names its Python in MLFLOW_PYTHON, and runs this.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.support.service import Service, csv_text

PYTHON = os.environ["MLFLOW_PYTHON"]
HEADER = ["size", "count", "day", "colour", "new", "price", "grade"]


def rows() -> list[list[Any]]:
    return [
        [
            round(number * 0.37 - 5, 3) if number % 7 else "",
            number % 4,
            f"202{number % 5}-0{1 + number % 9}-1{number % 10}",
            ["blue", "green", "red", ""][number % 4],
            "true" if number % 3 else "false",
            number * 0.2 + number % 3,
            "yes" if number % 5 > 2 else "no",
        ]
        for number in range(60)
    ]


TRAININGS: dict[str, dict[str, Any]] = {
    "classification": {"inputs": HEADER[:5], "targets": ["grade"]},
    "regression": {"inputs": HEADER[:5], "targets": ["price"], "training": {"iterations": 30, "dtype": "float32"}},
    "one input": {"inputs": ["count"], "targets": ["price", "size"]},
    "reconstruction": {"inputs": ["size", "colour", "new"], "task": "reconstruction"},
}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("kind", TRAININGS)
def test_mlflow_answers_as_the_service_does(service: Service, kind: str, tmp_path: Path) -> None:
    text = csv_text(HEADER, rows())
    dataset = service.upload_csv(text)
    body = {"network": {"layers": [{"units": 4}, {}]}, "training": {"iterations": 30}, **TRAININGS[kind]}
    ended = service.train({"dataset_id": dataset["id"], **body})
    assert ended["status"] == "succeeded", ended["error"]
    folder = service.api.get(f"/v1/models/{ended['model_id']}/mlflow")
    assert folder.status_code == 200, folder.text
    zipfile.ZipFile(io.BytesIO(folder.content)).extractall(tmp_path / "model")
    (tmp_path / "rows.csv").write_text(text)
    done = subprocess.run(
        [PYTHON, str(Path(__file__).with_name("predict.py")), str(tmp_path / "model"), str(tmp_path / "rows.csv")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["told"]["model_id"] == ended["model_id"]
    answer = service.api.post(
        f"/v1/models/{ended['model_id']}/predict",
        content=text.encode(),
        headers={"Content-Type": "text/csv", "Accept": "application/vnd.apache.parquet"},
    )
    expected = pq.read_table(io.BytesIO(answer.content)).to_pydict()
    answers = found["answers"]
    if kind == "classification":
        assert answers["label"] == expected["prediction"]
        scores = np.column_stack([expected["score_no"], expected["score_yes"]])
        np.testing.assert_allclose(answers["scores"], scores, rtol=0, atol=1e-9)
        return
    prefix = "predicted_" if kind == "reconstruction" else ""
    for name, values in expected.items():
        if isinstance(values[0], float):
            np.testing.assert_allclose(answers[f"{prefix}{name}"], values, rtol=1e-4, atol=1e-4)
        else:
            assert answers[f"{prefix}{name}"] == ["" if value is None else value for value in values]
