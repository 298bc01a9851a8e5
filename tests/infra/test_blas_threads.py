from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from infra.blas_threads import keep_blas_single_threaded

COMMAND = """
import json, sys, types
from cli.commands import app

def tell(*_arguments):
    import worker.tasks
    from threadpoolctl import threadpool_info
    print(json.dumps([pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]))

command, module, function = sys.argv[1:4]
instead = types.ModuleType(module)
setattr(instead, function, tell)
instead.__getattr__ = lambda name: type(name, (), {})  # what others import from there besides
sys.modules[module] = instead
app([command, *sys.argv[4:]])
"""


@pytest.mark.parametrize(
    "command", [("worker", "worker.process", "run_worker"), ("api", "app.edge.server", "serve", "--port", "0")]
)
def test_a_command_that_computes_has_a_blas_without_threads(command: tuple[str, ...], tmp_path: Path) -> None:
    """NumPy's and SciPy's alike: nothing that the command imports may import them before BLAS is told."""
    env = {"BACKPROP_DATA_DIR": str(tmp_path)}
    said = subprocess.run(
        [sys.executable, "-c", COMMAND, *command], capture_output=True, text=True, check=True, env=env
    )
    assert set(json.loads(said.stdout)) == {1}


def test_it_is_refused_once_numpy_is_there() -> None:
    assert np.__name__ in sys.modules
    with pytest.raises(RuntimeError, match="already"):
        keep_blas_single_threaded()
