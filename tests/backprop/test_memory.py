from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

ALLOWED = 2**26
"""Bytes that the training may allocate: a quarter of what the dataset takes."""

PROGRAM = """
import re, resource, sys
from pathlib import Path
import numpy as np
from backprop.network import Layer, Network, initial_parameters
from backprop.passes.usual import usual_pass
from backprop.training import Run, Training

X = np.load(sys.argv[1], mmap_mode="r")
network = Network(X.shape[1], (Layer(8, "sigmoid"), Layer(X.shape[1], "sigmoid")))
start = initial_parameters(network, seed=0, dtype=X.dtype)
training = Training(iterations=2)
run = Run(training, usual_pass(network, X, X, training.objective()), parameters=start)
allocated = int(re.search(r"VmData:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024
resource.setrlimit(resource.RLIMIT_DATA, (allocated + int(sys.argv[2]),) * 2)
print([record.iteration for record in run.records()])
try:
    np.array(X)
except MemoryError:
    print("no copy would have been possible")
"""


def test_a_mapped_dataset_four_times_larger_than_what_may_be_allocated(tmp_path: Path) -> None:
    path = tmp_path / "X.npy"
    np.save(path, np.zeros((4 * ALLOWED // (4 * 64), 64), np.float32))
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path), str(ALLOWED)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert ended.stdout == "[0, 1, 2]\nno copy would have been possible\n", ended.stderr
