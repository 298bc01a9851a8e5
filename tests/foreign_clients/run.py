"""Clients that cannot be installed beside the service ask one: `.ci/open-inference-clients` makes their environments.

``python -m tests.foreign_clients.run PYTHON SCRIPT [PYTHON SCRIPT]…`` starts a service, trains models, and has each
SCRIPT of this folder run by the PYTHON before it. The exit status is 1 if what one gets is not what `/v1` answers.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2

from tests.support.serving import serving
from tests.support.tensors import outputs_for

FOLDER = Path(__file__).parent

TRAINING_SECONDS = 60.0

CSV = "size,rooms,heated,district,grade,price\n" + "".join(
    f"{20 + i * 7 % 90}.25,{1 + i * i % 4},{'true' if i % 2 else 'false'},{'north' if i % 3 else 'old town'},"
    f"{('fail', 'pass', 'good')[i * i % 3]},{i}.5\n"
    for i in range(60)
)
DATATYPES = {"size": "FP64", "rooms": "INT64", "heated": "BOOL", "district": "BYTES"}
ROWS: list[dict[str, Any]] = [
    {"size": 55.5, "rooms": 2, "heated": True, "district": "north"},
    {"size": 0.1, "rooms": 4, "heated": False, "district": "old town"},
    {"size": -1e3, "rooms": 1, "heated": True, "district": "old town"},
]
JOBS: list[dict[str, Any]] = [
    {"targets": ["grade"], "inputs": [*DATATYPES], "task": "classification"},
    {"targets": ["grade"], "inputs": ["size", "rooms"], "task": "classification"},
    {"targets": ["price", "size"], "inputs": ["rooms", "heated", "district"], "task": "regression"},
    {"inputs": [*DATATYPES], "task": "reconstruction"},
]


def question(api: httpx2.Client) -> dict[str, Any]:
    """What to ask, and what to be answered: a model of each kind, trained by the service."""
    dataset = _json(api.post("/v1/datasets", files={"file": ("flats.csv", CSV.encode())}))["id"]
    models = []
    for number, job in enumerate(JOBS):
        training = {"preset": "tutorial", "iterations": 20}
        network = {"layers": [{"units": 4, "activation": "tanh"}, {}]}
        body = {"dataset_id": dataset, "network": network, "training": training} | job
        model_id = _model_of(api, _json(api.post("/v1/jobs", json=body))["id"])
        name = f"flats-{number}"
        _json(api.post("/v1/registry", json={"name": name}))
        _json(api.post(f"/v1/registry/{name}/versions", json={"model_id": model_id}))
        rows = [{column: row[column] for column in job["inputs"]} for row in ROWS]
        inputs = [(column, [row[column] for row in ROWS], DATATYPES[column]) for column in job["inputs"]]
        is_numbers = {DATATYPES[column] for column in job["inputs"]} <= {"FP64", "INT64"}
        models.append(
            {
                "model": name,
                "inputs": inputs,
                "outputs": outputs_for(
                    _json(api.post(f"/v1/models/{model_id}/predict", json={"rows": rows})), job.get("targets", ())
                ),
                "matrix": [list(map(float, row.values())) for row in rows] if is_numbers else None,
            }
        )
    return {"url": str(api.base_url).rstrip("/"), "models": models}


def _model_of(api: httpx2.Client, job_id: str) -> str:
    end = time.monotonic() + TRAINING_SECONDS
    while time.monotonic() < end:
        job = _json(api.get(f"/v1/jobs/{job_id}"))
        if job["status"] == "succeeded":
            model_id: str = job["model_id"]
            return model_id
        assert job["status"] in ("queued", "running"), job
        time.sleep(0.1)
    raise AssertionError(f"{job_id} did not end")


def _json(response: httpx2.Response) -> dict[str, Any]:
    assert response.is_success, response.text
    parsed: dict[str, Any] = response.json()
    return parsed


def _main() -> int:
    asking = list(zip(sys.argv[1::2], sys.argv[2::2], strict=True))
    with TemporaryDirectory() as name, serving(Path(name) / "data") as served:
        with httpx2.Client(base_url=served.url, timeout=30, trust_env=False) as api:
            file = Path(name) / "question.json"
            file.write_text(json.dumps(question(api)))
        failed = [script for python, script in asking if subprocess.run([python, FOLDER / script, file]).returncode]
    for _, script in asking:
        print(f"{script}: {'failed' if script in failed else 'agrees'}")  # noqa: T201
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(_main())
