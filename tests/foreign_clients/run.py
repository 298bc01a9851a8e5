"""Clients that cannot be installed beside the service ask one: `.ci/open-inference-clients` makes their environments.

``python -m tests.foreign_clients.run PYTHON SCRIPT [PYTHON SCRIPT]…`` starts a service, trains models, and has each
SCRIPT of this folder run by the PYTHON before it. The exit status is 1 if what one gets is not what `/v1` answers.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from backprop_client import Backprop
from cli.own_client import client_of
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


def question(client: Backprop) -> dict[str, Any]:
    """What to ask, and what to be answered: a model of each kind, trained by the service."""
    dataset = client.datasets.create(CSV.encode(), file_name="flats.csv").id
    models = []
    for number, job in enumerate(JOBS):
        training = {"preset": "tutorial", "iterations": 20}
        network = {"layers": [{"units": 4, "activation": "tanh"}, {}]}
        submitted = client.jobs.create({"dataset_id": dataset, "network": network, "training": training} | job)
        model = client.job(submitted.id).wait(progress=False, timeout=TRAINING_SECONDS)
        name = f"flats-{number}"
        client.registry.create(name=name)
        client.registry.create_version(name, model_id=model.id)
        rows = [{column: row[column] for column in job["inputs"]} for row in ROWS]
        inputs = [(column, [row[column] for row in ROWS], DATATYPES[column]) for column in job["inputs"]]
        is_numbers = {DATATYPES[column] for column in job["inputs"]} <= {"FP64", "INT64"}
        models.append(
            {
                "model": name,
                "inputs": inputs,
                "outputs": outputs_for(client.models.predict(model.id, rows), job.get("targets", ())),
                "matrix": [list(map(float, row.values())) for row in rows] if is_numbers else None,
            }
        )
    return {"url": client.connection.base_url, "models": models}


def _main() -> int:
    asking = list(zip(sys.argv[1::2], sys.argv[2::2], strict=True))
    with TemporaryDirectory() as name, serving(Path(name) / "data") as served:
        with client_of(served.url) as client:
            file = Path(name) / "question.json"
            file.write_text(json.dumps(question(client)))
        failed = [script for python, script in asking if subprocess.run([python, FOLDER / script, file]).returncode]
    for _, script in asking:
        print(f"{script}: {'failed' if script in failed else 'agrees'}")  # noqa: T201
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(_main())
