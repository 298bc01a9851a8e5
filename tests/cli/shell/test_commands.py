"""The commands as people type them, beside a service that runs."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyarrow import csv, parquet

from tests.cli.test_serve import serve
from tests.support.waiting import wait_for

SECONDS = 120.0


class Shell:
    """Runs commands for one service, in a folder of their own."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BACKPROP_")}
        self.environment = kept | {"BACKPROP_URL": url, "XDG_CONFIG_HOME": str(folder / "config"), "COLUMNS": "200"}

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "cli", *words],
            cwd=self.folder,
            env=self.environment | {"PYTHONPATH": str(Path.cwd())},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, code: int = 0) -> str:
        """What a command prints, which must end with that code; with what it tells people, where it fails."""
        out, told = (process := self.start(*words)).communicate(timeout=SECONDS)
        assert process.returncode == code, told
        return out.strip() if code == 0 else told.strip()

    def json(self, *words: str) -> object:
        return json.loads(self.run(*words, "--json"))


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    folder = tmp_path_factory.mktemp("shell")
    rng = random.Random(1)  # noqa: S311  # nothing secret
    rows = [(rng.random(), rng.random(), rng.choice("uv")) for _ in range(200)]
    lines = [f"{a:.4f},{b:.4f},{c},{'yes' if a + b > 1 else 'no'}" for a, b, c in rows]
    (folder / "table.csv").write_text("\n".join(["a,b,c,y", *lines]) + "\n")
    with serve(folder / "data", "--port", "0") as (_process, url):
        yield Shell(folder, url)


@pytest.fixture(scope="module")
def model_id(shell: Shell) -> str:
    words = ("train", "table.csv", "--target", "y", "--hidden", "4", "--set", "training.iterations=60", "--watch")
    return shell.run(*words)


def test_from_a_table_to_predictions(shell: Shell, model_id: str) -> None:
    assert model_id.startswith("mdl_")
    shell.run("predict", model_id, "table.csv", "-o", "answers.csv")
    answers = csv.read_csv(shell.folder / "answers.csv").to_pydict()
    assert answers["prediction"].count("yes") > 50
    assert list(answers)[:4] == ["a", "b", "c", "y"]
    assert shell.run("registry", "promote", model_id, "first", "--alias", "champion") == "first@v1 is first@champion"
    said = shell.json("predict", "first@champion", "table.csv", "-o", "answers.parquet", "--no-inputs")
    assert said == {"model_id": model_id, "output": "answers.parquet"}
    assert parquet.read_table(shell.folder / "answers.parquet")["prediction"].to_pylist() == answers["prediction"]
    for form, suffix in (("--onnx", "onnx"), ("--mlflow", "zip"), ("--weights", "safetensors"), ("--card", "md")):
        assert shell.run("export", model_id, form) == f"{model_id}.{suffix}"
        assert (shell.folder / f"{model_id}.{suffix}").stat().st_size > 500


def test_what_there_is_is_shown_to_people_and_programs(shell: Shell, model_id: str) -> None:
    for kind in ("datasets", "jobs", "models", "registry"):
        listed = shell.json(kind, "list")
        assert isinstance(listed, list)
        name = listed[0].get("name") if kind == "registry" else listed[0]["id"]
        table = shell.run(kind, "list").splitlines()
        assert len(table) == len(listed) + 1
        assert table[1].split("\t")[0] == name
        assert name in shell.run(kind, "show", name) or kind == "registry"
    assert "accuracy" in shell.run("models", "show", model_id)


def test_left_with_ctrl_c_a_training_goes_on_until_somebody_ends_it(shell: Shell) -> None:
    words = ("train", "table.csv", "-t", "y", "--hidden", "4", "--set", "training.preset=tutorial")
    job_id = shell.run(*words, "--set", "training.iterations=9000000")
    watching = shell.start("watch", job_id, "--json")
    assert watching.stdout is not None
    seen = [json.loads(watching.stdout.readline())]
    while seen[-1]["event"] != "cost":
        seen.append(json.loads(watching.stdout.readline()))
    watching.send_signal(signal.SIGINT)
    watching.communicate(timeout=SECONDS)
    assert watching.returncode == 130
    job = shell.json("jobs", "show", job_id)
    assert isinstance(job, dict)
    assert job["status"] == "running"
    shell.run("cancel", job_id)

    wait_for("the job to be cancelled", lambda: "cancelled" in shell.run("jobs", "show", job_id), SECONDS)
    assert "cancelled" in shell.run("watch", job_id, code=1)
    ended = shell.run("resume", job_id, "--iterations", "10", code=1)  # it has done more already
    assert "iterations" in ended
    shell.run("jobs", "delete", job_id)
    assert "no job" in shell.run("jobs", "show", job_id, code=1)


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("train", "table.csv", "-t", "nope"), 1, "no column 'nope'"),
        (("train", "nothing.csv", "-t", "y"), 1, "nothing.csv"),
        (("train", "table.csv", "-t", "y", "--set", "iterationz=3"), 1, "iterations"),
        (("train", "table.csv", "-t", "y", "--set", "iterations"), 2, "training.iterations=2000"),
        (("train", "table.csv", "-t", "y", "--hidden", "many"), 2, "32,16"),
        (("export", "mdl_x"), 2, "--onnx"),
        (("predict", "nobody", "table.csv", "-o", "x.csv"), 1, "champion"),
        (("jobs", "list", "--url", "http://127.0.0.1:1"), 1, "backprop serve"),
        (("jobs", "list", "--url", "somewhere"), 1, "address"),
    ],
)
def test_what_is_wrong_is_told_and_has_its_code(shell: Shell, words: tuple[str, ...], code: int, told: str) -> None:
    assert told in shell.run(*words, code=code)
