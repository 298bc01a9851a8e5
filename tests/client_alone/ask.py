"""Run with the client's wheel alone: import all of it, and ask a service for everything from a table to predictions::

python ask.py http://127.0.0.1:8000
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import tempfile
from pathlib import Path

import backprop_client
from backprop_client import Backprop
from backprop_client.wire.events import CostBatch, End

OURS = {"app", "backprop", "cli", "domain", "infra", "migrations", "worker"}
ESTIMATORS = "backprop_client.estimators"
TABLES = {"numpy", "pandas", "polars", "pyarrow", "rich"}
TABLE = b"a,b,y\n" + b"".join(b"%d,%d,%s\n" % (row, row % 7, (b"no", b"yes")[row % 2]) for row in range(60))


def main(url: str) -> None:
    """Fail if anything is missing."""
    for module in pkgutil.walk_packages(backprop_client.__path__, "backprop_client."):
        if module.name != ESTIMATORS:
            importlib.import_module(module.name)
    needed = ""
    try:
        importlib.import_module(ESTIMATORS)
    except ImportError as error:
        needed = str(error)
    assert "pip install 'backprop-client[local,sklearn]'" in needed, needed
    there = OURS & set(sys.modules)
    assert not there, f"the server came with it: {there}"
    with Backprop(base_url=url) as client:
        dataset = client.datasets.create(TABLE, file_name="table.csv")
        network = {"layers": [{"units": 3, "activation": "tanh"}, {"activation": "softmax"}]}
        training = {"preset": "tutorial", "iterations": 50}
        job = client.jobs.create(dataset_id=dataset.id, targets=["y"], network=network, training=training)
        events = list(client.jobs.events(job.id))
        iterations = [each for event in events if isinstance(event, CostBatch) for each in event.iteration]
        assert iterations == list(range(51)), iterations
        assert isinstance(events[-1], End), events[-1]
        model_id = client.jobs.get(job.id).model_id
        assert model_id is not None
        answer = client.models.predict(model_id, [{"a": 1, "b": 2}])
        assert answer.predictions[0] in ("no", "yes"), answer
        train(client)
    assert not TABLES & set(sys.modules), "none of the libraries is installed"
    print(  # noqa: T201  # a script
        f"Python {sys.version_info.major}.{sys.version_info.minor}: the client does without the server's packages."
    )


def train(client: Backprop) -> None:
    """Train from a path and from columns, with nothing but Python's own library."""
    columns = {
        "size": [0.1 * row for row in range(60)],
        "colour": ["red", "NA", None] * 20,
        "kind": ["apple", "pear"] * 30,
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        path.write_bytes(TABLE)
        assert len(client.train(path, target="y", hidden=[3], iterations=20).wait().predict(path)) == 60
    model = client.train(columns, target="kind", hidden=[3], iterations=20).wait(progress=False)
    assert set(model.predict(columns)) <= {"apple", "pear"}
    assert list(model.predict_scores(columns)) == ["apple", "pear"]
    assert model.promote("fruit", alias="champion").model_id == client.model("fruit@champion").id


if __name__ == "__main__":
    main(sys.argv[1])
