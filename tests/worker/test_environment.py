from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from worker.environment import keep_blas_single_threaded

WORKER = """
import json, sys, types
from cli.commands import app

def run_worker(settings, parent):
    import worker.tasks
    from threadpoolctl import threadpool_info
    print(json.dumps([pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]))

process = types.ModuleType("worker.process")
process.run_worker = run_worker
sys.modules["worker.process"] = process
app(["worker"])
"""


def test_the_commands_worker_has_a_blas_without_threads(tmp_path: Path) -> None:
    """NumPy's and SciPy's alike: nothing that the command imports may import them before BLAS is told."""
    env = {"BACKPROP_DATA_DIR": str(tmp_path)}
    said = subprocess.run([sys.executable, "-c", WORKER], capture_output=True, text=True, check=True, env=env)
    assert set(json.loads(said.stdout)) == {1}


def test_it_is_refused_once_numpy_is_there() -> None:
    assert np.__name__ in sys.modules
    with pytest.raises(RuntimeError, match="already"):
        keep_blas_single_threaded()
