"""The ten lines of the client's README are run as they stand, against a stack that is served."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.serving import ROOT, serving


def test_ten_lines_lead_from_a_csv_to_predictions(tmp_path: Path) -> None:
    (program,) = re.findall(r"lines\n\n```python\n(.*?)```", (ROOT / "client/README.md").read_text(), re.DOTALL)
    assert len([line for line in program.splitlines() if line]) <= 10
    shutil.copy(ROOT / "cli/examples/digits.csv", tmp_path)
    with serving(tmp_path / "data") as served:
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env=os.environ | {"BACKPROP_URL": served.url},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    accuracy, *predictions = done.stdout.splitlines()
    assert float(accuracy) > 0.93
    rows = (tmp_path / "digits.csv").read_text().splitlines()[1:]
    told = [line.split() for line in predictions if re.fullmatch(r"\d+ +\d", line)]
    assert len(told) == 5
    assert sum(rows[int(row)].rpartition(",")[2] == digit for row, digit in told) >= 4
