"""A program that trains, as its user sees it: on Ctrl-C, and where nothing but the client is installed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from backprop_client import Backprop
from tests.support.serving import ROOT, Served
from tests.support.waiting import wait_for

ENDLESS = """
from backprop_client import Backprop

with Backprop() as client:
    table = {"x": [k / 64 for k in range(64)], "y": [(k / 64) ** 2 for k in range(64)]}
    client.train(table, target="y", preset="tutorial", hidden=[8], iterations=10_000_000, name="endless").wait()
"""

BARE = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("numpy", "pandas", "polars", "pyarrow", "rich", "IPython", "matplotlib"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())

from backprop_client import Backprop

with Backprop() as client:
    model = client.train("fruit.csv", target="kind", hidden=[4], iterations=30).wait()
    print(model.predict([{"size": 1.0, "colour": "NA"}, {"size": 7.5, "colour": "green"}]))
    table = {"size": [1.0, 7.5] * 30, "colour": ["NA", "green"] * 30, "kind": ["plum", "pear"] * 30}
    model = client.train(table, target="kind", hidden=[4], iterations=30).wait()
    print(model.predict(table)[:2])
    try:
        model.predict_scores(table) and client.job(model.data.job_id).plot()
    except ImportError as error:
        print(error)
"""


def program(text: str, served: Served, folder: Path) -> subprocess.Popen[str]:
    """The program in a process of its own, which knows the service by its environment."""
    return subprocess.Popen(
        [sys.executable, "-c", text],
        cwd=folder,
        env=os.environ | {"BACKPROP_URL": served.url, "PYTHONPATH": f"{ROOT / 'client'}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_ctrl_c_leaves_the_training_running_and_says_how_to_come_back(
    served: Served, client: Backprop, tmp_path: Path
) -> None:
    process = program(ENDLESS, served, tmp_path)
    job = client.job(wait_for("the job", lambda: [each.id for each in client.jobs.list(name="endless").data])[0])
    wait_for("iterations", lambda: job.refresh().data.iteration)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT
    assert f'client.job("{job.id}").wait()' in told.splitlines()[-1]
    reached = job.refresh().data.iteration
    assert reached is not None
    wait_for("further iterations", lambda: (job.refresh().data.iteration or 0) > reached)
    assert job.status == "running"
    job.cancel()


def test_nothing_but_the_client_is_needed(served: Served, tmp_path: Path) -> None:
    rows = "".join(
        f"{size},{colour},{kind}\n" for size, colour, kind in [(1, "red", "plum"), (7.5, "green", "pear")] * 30
    )
    (tmp_path / "fruit.csv").write_text("size,colour,kind\n" + rows)
    process = program(BARE, served, tmp_path)
    told, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert told.splitlines() == [
        "['plum', 'pear']",
        "['plum', 'pear']",
        "A drawing of costs needs matplotlib, which is not installed: pip install matplotlib",
    ]
    assert " succeeded, iteration 30 of 30, J = " in errors
