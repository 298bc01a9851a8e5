"""What a training demands before it has begun: how much memory it takes, and how large its checkpoints are.

Both are counted in vectors of the parameters' size and in blocks of examples. The vectors are what is large in a large
network, and the blocks in a small one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from backprop.costs import measuring_values
from backprop.network import Network
from backprop.optimizers.table import OPTIMIZERS
from backprop.passes.blocks import block_values
from backprop.passes.lanes import LANES, Lanes, block_rows, most_uncut
from backprop.passes.whole import whole_values
from backprop.training import Training

GRADIENT_VECTORS = 1
"""Vectors of the size of the parameters. All passes of a training write to one ∇J."""

DECAY_VECTORS = 2
"""Vectors of the size of the parameters. Every pass of a training has two of its own: λ for each weight, and λW."""

BLOCKWISE_VECTORS = 1
"""Vectors of the size of the parameters. Blocks are multiplied by one copy of the weights."""

WHOLE_VECTORS = 2
"""Vectors of the size of the parameters. One holds the weights as they are multiplied with all examples, the other what
they were scaled by."""

LANE_VECTORS = 2
"""Vectors of the size of the parameters. Each lane has a gradient, and so has each thread. There are at most as many
threads as lanes."""

BLOCKS_OF_A_THREAD = 3
"""Buffers. Blocks have at most three different numbers of rows, and a thread has buffers for each."""

WEIGHT_BYTES = 8
"""Bytes. While the weights of examples are divided by their mean, they are in double precision, besides the result."""

ORDER_BYTES = 8
"""Bytes. Mini-batches take examples in a shuffled order, which has so many for each example."""


def checkpoint_bytes(network: Network, training: Training, dtype: DTypeLike) -> int:
    """How large the state of a run is at most, but for a header and a few numbers of less than a kilobyte."""
    return state_vectors(training) * network.parameter_count * np.dtype(dtype).itemsize


def state_vectors(training: Training) -> int:
    """Vectors of the parameters' size in a state: these, what the optimizer remembers, and early stopping's best."""
    remembered = OPTIMIZERS[training.optimizer].state_vectors(training)
    return 1 + remembered + (0 if training.patience is None else 1)


def training_bytes(
    network: Network, training: Training, dtype: DTypeLike, rows: int, *, held_out: bool, weighted: int = 0
) -> int:
    """How much memory a run and its pass allocate at most, with as many threads as can find work.

    The examples do not count: they may be mapped files, whose pages leave memory when it is needed. A mini-batch does,
    since it is copied from there. A network that trains on all examples is taken to have as many lanes as there can be,
    so that the number of rows does not matter. A state that the run goes on from is the caller's.

    Args:
        network: what is trained.
        training: how.
        dtype: of parameters and examples.
        rows: examples to learn from.
        held_out: whether others are held out, however many.
        weighted: how many examples have a weight of their own, those held out included. These weights are copied.
    """
    n = network.parameter_count
    vectors = GRADIENT_VECTORS + OPTIMIZERS[training.optimizer].work_vectors + state_vectors(training)
    values = vectors * n + _values_of_any_pass(network)
    order = 0
    if held_out:
        values += WHOLE_VECTORS * n + _values_of_all_blocks(network)
    if training.batch_size is not None and training.batch_size < rows:
        passes = sum(_values_of_pass(network, m) for m in {training.batch_size, rows % training.batch_size} - {0})
        values += max(passes - _values_of_any_pass(network), 0)
        values += training.batch_size * (network.inputs + network.outputs + (1 if weighted else 0))
        order = rows * ORDER_BYTES
    return (values + weighted) * np.dtype(dtype).itemsize + order + weighted * WEIGHT_BYTES


def _values_of_any_pass(network: Network) -> int:
    """Numbers that a pass of however many examples holds at most, to get their gradient."""
    n = network.parameter_count
    blockwise = (DECAY_VECTORS + BLOCKWISE_VECTORS + LANE_VECTORS * max(LANES)) * n + _values_of_all_blocks(network)
    whole = (DECAY_VECTORS + WHOLE_VECTORS) * n + _values_of_most_uncut(network)
    return max(blockwise, whole)


def _values_of_all_blocks(network: Network) -> int:
    return _values_of_blocks(network, max(LANES), block_rows(network.sizes))


def _values_of_most_uncut(network: Network) -> int:
    return _values_uncut(network, most_uncut(network.sizes, network.parameter_count))


def _values_of_pass(network: Network, m: int) -> int:
    """Numbers that a pass of m examples holds at most, to get their gradient."""
    n = network.parameter_count
    if m <= most_uncut(network.sizes, n):
        return (DECAY_VECTORS + WHOLE_VECTORS) * n + _values_uncut(network, m)
    lanes = Lanes.for_work(m, network.sizes, n).count
    rows = min(m, block_rows(network.sizes))
    return (DECAY_VECTORS + BLOCKWISE_VECTORS + LANE_VECTORS * lanes) * n + _values_of_blocks(network, lanes, rows)


def _values_of_blocks(network: Network, threads: int, rows: int) -> int:
    held = BLOCKS_OF_A_THREAD * block_values(network.sizes, rows)
    return threads * (held + measuring_values(rows, network.outputs))


def _values_uncut(network: Network, m: int) -> int:
    return whole_values(network.sizes, m) + measuring_values(m, network.outputs)
