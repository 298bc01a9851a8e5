"""What the processes of workers and of the API need before NumPy is imported, and so before most of their modules."""

from __future__ import annotations

import os
import sys

# Not OMP_NUM_THREADS, which Arrow obeys too.
_SINGLE_THREADED_BLAS = {"OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def keep_blas_single_threaded() -> None:
    """Have BLAS start no threads: training has its own, and of predictions many are made at a time.

    Those of BLAS would be started again in every work-horse, as threads do not survive a fork, and look for work on all
    processors during its first tenth of a second. Products would be rounded by how many there are: the API and a worker
    would give a row other bits.

    Raises:
        RuntimeError: NumPy has been imported; what it found then stays.
    """
    if "numpy" in sys.modules:
        raise RuntimeError("BLAS has read its environment already")
    os.environ.update(_SINGLE_THREADED_BLAS)
