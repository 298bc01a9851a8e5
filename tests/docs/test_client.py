"""What is told of the client is run as it stands, against a stack that is served."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backprop_client import AsyncBackprop, Backprop
from tests.support.serving import ROOT, Served, serving

BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


def run(program: str, folder: Path, served: Served) -> list[str]:
    """The lines that a program prints, which runs in a folder with a table."""
    shutil.copy(ROOT / "cli/examples/digits.csv", folder)
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=os.environ | {"BACKPROP_URL": served.url},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """`backprop serve`, with a worker."""
    with serving(tmp_path_factory.mktemp("served")) as stack:
        yield stack


def test_ten_lines_lead_from_a_csv_to_predictions(tmp_path: Path, served: Served) -> None:
    program, another = BLOCK.findall((ROOT / "client/README.md").read_text())
    assert len([line for line in program.splitlines() if line]) <= 10
    accuracy, *predictions = run(program, tmp_path, served)
    assert float(accuracy) > 0.93
    rows = (tmp_path / "digits.csv").read_text().splitlines()[1:]
    told = [line.split() for line in predictions if re.fullmatch(r"\d+ +\d", line)]
    assert len(told) == 5
    assert sum(rows[int(row)].rpartition(",")[2] == digit for row, digit in told) >= 4
    job, refusal = run(another, tmp_path, served)
    assert job.startswith("job_")
    assert refusal.startswith("404 model_not_found There is no model mdl_none.")


def test_each_request_works_as_it_is_told(tmp_path: Path, served: Served) -> None:
    told = run("\n".join(BLOCK.findall((ROOT / "docs/client.md").read_text())), tmp_path, served)
    assert "digits False None" in told
    assert [line for line in told if line.startswith("422 ") and "/targets" in line]
    assert [line for line in told if line.startswith("200 application/json ") and line.endswith(" succeeded")]
    assert told[-1].endswith("status='succeeded'")
    assert (tmp_path / "digits.safetensors").stat().st_size > 1000


def test_estimators_work_as_they_are_told(tmp_path: Path, served: Served) -> None:
    here, there, found = run("\n".join(BLOCK.findall((ROOT / "docs/estimators.md").read_text())), tmp_path, served)
    assert float(here.split()[1]) > 0.93
    assert here.endswith((" patience", " tolerance", " None"))
    assert there.startswith("the same True mdl_")
    assert re.match(r"found \{'weight_decay': 0\.\d+\} 0\.9", found)


@pytest.mark.parametrize("client", [Backprop(), AsyncBackprop()])
def test_every_method_is_named(client: Backprop | AsyncBackprop) -> None:
    rows = re.findall(r"^\| `(\w+)` \| (`.*`) \|$", (ROOT / "docs/client.md").read_text(), re.MULTILINE)
    told = {namespace: sorted(methods.strip("`").split("`, `")) for namespace, methods in rows}
    namespaces = {name: each for name, each in vars(client).items() if name[0] != "_" and name != "connection"}
    assert told == {
        name: sorted(method for method in dir(each) if not method.startswith("_")) for name, each in namespaces.items()
    }
