"""What is quick is done in the event loop: a thread would take longer. Meanwhile the process answers nobody else."""

from __future__ import annotations

QUICK_JSON = 2**18
"""Bytes. Reading rows or tensors from JSON of this size takes one to four milliseconds."""

QUICK_MULTIPLICATIONS = 10**7
"""Multiplications of a prediction. A core does so many in a millisecond or two."""
