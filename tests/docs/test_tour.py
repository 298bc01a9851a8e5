"""The README's tour is run as it stands: by bash, against a stack that is served."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.serving import ROOT, Served, serving

README = (ROOT / "README.md").read_text()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("data")) as stack:
        yield stack


def path_with_our_curl(folder: Path, first: bool) -> str:
    """A search path on which our small curl comes before the machine's, or is the last resort."""
    curl = folder / "curl"
    curl.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT / "tests/support/curl.py"}" "$@"\n')
    curl.chmod(0o755)
    machine = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return os.pathsep.join([str(folder), machine] if first else [machine, str(folder)])


@pytest.mark.parametrize("our_curl_first", [False, True])
def test_the_tour_leads_to_predictions(served: Served, tmp_path: Path, our_curl_first: bool) -> None:
    blocks = re.findall(r"```sh\n(api=.*?)```", README, re.DOTALL)
    assert len(blocks) == 1
    tour = blocks[0].replace("http://127.0.0.1:8000", served.url)
    (tmp_path / "cli").symlink_to(ROOT / "cli")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", tour],
        cwd=tmp_path,
        env=dict(os.environ) | {"PATH": path_with_our_curl(tmp_path, our_curl_first)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r'"iteration":100,', done.stdout), done.stdout
    fractions = re.findall(r"^0\.\d+$", done.stdout, re.MULTILINE)  # times left, then the accuracy
    assert fractions, done.stdout
    assert float(fractions[-1]) > 0.95
    answer = json.loads(done.stdout.splitlines()[-1])
    assert len(answer["predictions"]) == len(answer["scores"]) == 3
    assert answer["classes"] == list(range(10))
    assert (tmp_path / "digits.safetensors").stat().st_size > 1000


def test_the_service_says_where_its_interface_is_described(served: Served) -> None:
    assert served.get("/docs").status_code == 200
    assert f"{served.url}/docs" in served.greeting


def test_the_tour_from_python_and_from_the_shell(served: Served, tmp_path: Path) -> None:
    (tmp_path / "cli").symlink_to(ROOT / "cli")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    command = tmp_path / ".venv" / "bin" / "backprop"
    command.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m cli "$@"\n')
    command.chmod(0o755)
    (python,) = re.findall(r"```python\n(import pandas.*?)```", README, re.DOTALL)
    (shell,) = re.findall(r"```sh\n(model=.*?)```", README, re.DOTALL)
    environment = dict(os.environ) | {"BACKPROP_URL": served.url, "XDG_CONFIG_HOME": str(tmp_path)}
    done = [
        subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False)
        for words in ([sys.executable, "-c", python], ["bash", "-euo", "pipefail", "-c", shell])
    ]
    assert [each.returncode for each in done] == [0, 0], done
    accuracy, *series = done[0].stdout.splitlines()
    assert float(accuracy) > 0.95
    assert [line.split()[-1] for line in series[:3]] == ["8", "9", "8"]
    assert re.search(r"accuracy \(held out\) +0\.9", done[1].stdout), done[1].stdout
    assert len((tmp_path / "predictions.csv").read_text().splitlines()) == 1798
