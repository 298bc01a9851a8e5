"""What it costs to measure held-out rows beside mini-batches: seconds an epoch, measured at every update or once.

    python -m benchmarks.held_out [--rounds 5]

60,000 examples of 784-100-10 units in float32, 12,000 of them held out, batches of 200. The ways take turns.
"""

from __future__ import annotations

import argparse
import time
from statistics import median

import numpy as np

from backprop.network import Layer, Network, initial_parameters
from backprop.passes.usual import usual_pass
from backprop.training import Run, Training
from benchmarks.iteration_time import headline
from infra.processes import usable_processors

NETWORK = Network(784, (Layer(100, "sigmoid"), Layer(10, "softmax")))
EXAMPLES, HELD_OUT, BATCH = 60_000, 12_000, 200

WAYS: dict[str, int | None] = {"at every update, as it was": 1, "once an epoch, the default": None, "never": 0}
"""By what they are called: `held_out_every`; 0 for no rows held out."""


def seconds_of_an_epoch(held_out_every: int | None) -> float:
    """Train for one epoch; the first evaluation, which is not part of it, does not count."""
    rng = np.random.default_rng(0)
    X = rng.random((EXAMPLES, NETWORK.inputs), np.float32)
    Y = np.eye(NETWORK.outputs, dtype=np.float32)[rng.integers(0, NETWORK.outputs, EXAMPLES)]
    trained = EXAMPLES - HELD_OUT
    training = Training(
        trained // BATCH,
        learning_rate=0.1,
        batch_size=BATCH,
        cost="cross_entropy",
        held_out_every=held_out_every or None,
    )
    held = {} if held_out_every == 0 else {"X_held": X[trained:], "Y_held": Y[trained:]}
    pass_ = usual_pass(
        NETWORK,
        X[:trained],
        Y[:trained],
        training.objective(),
        batch_size=BATCH,
        threads=usable_processors(),
        **held,
    )
    records = Run(training, pass_, parameters=initial_parameters(NETWORK, seed=0, dtype="float32")).records()
    next(records)
    began = time.perf_counter()
    for _ in records:
        pass
    return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    seconds: dict[str, list[float]] = {name: [] for name in WAYS}
    for _ in range(rounds):
        for name, held_out_every in WAYS.items():
            seconds[name].append(seconds_of_an_epoch(held_out_every))
    print(headline(usable_processors()))
    for name, each in seconds.items():
        print(f"  {name}: {median(each):.2f} s an epoch ({min(each):.2f}–{max(each):.2f})")


if __name__ == "__main__":
    main()
