"""Damaged bodies by the hundred thousand: each is answered or refused, and none raises anything else.

Run as a script: ``python -m tests.domain.inference.fuzz --bodies 100000 --seed 7``. The exit status is 1 if a body did
anything else, or took longer than `MOST_SECONDS`.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
from pydantic import ValidationError

from backprop.coding.inputs import CodedColumn
from backprop.coding.scaling import Scaler
from backprop_client.wire.oip.datatypes import BYTES_PER_ELEMENT
from domain.inference.inferring import infer
from domain.inference.json_text import NotJson
from domain.inference.requests import Limits
from domain.inference.responses import Served
from domain.models.prediction import Predictor
from infra.errors import ServiceError
from tests.domain.models.test_prediction import predictor
from tests.support.columns import inputs_scaled

LIMITS = Limits(rows=100, containers=1000)

MOST_SECONDS = 1.0
"""Seconds. A body of some kilobytes takes a thousandth of that; this tells a loop from none."""

COLUMNS = (
    CodedColumn("age", has_gaps=True),
    CodedColumn("colour", ("blue", "red")),
    CodedColumn("member", (False, True)),
    CodedColumn("day", moments="datetime"),
)

ANYTHING: list[Any] = [
    *(None, True, -1, 0, 1, 2, 0.5, 1e300, 2**31, 2**62, 2**63, "", "x", "red", "NaN", "\x00", "é" * 50),
    *([], [[]], [None], [1, "x"], [[[[[]]]]], {}, {"binary_data_size": 8}, [2, 2], [-1], [2**62, 2**62]),
    *BYTES_PER_ELEMENT,
    "BYTES",
    "FP8",
]
"""What may stand where something else should."""


@dataclass
class Tally:
    """How bodies ended.

    Attributes:
        ends: codes of refusals and how often each came; `ANSWERED` for an answer.
        faults: what should not have been.
    """

    ends: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


ANSWERED = "answered"


def models() -> list[Predictor]:
    """A model of mixed columns, and one of numbers alone."""
    mixed = inputs_scaled(COLUMNS, Scaler((40.0, 1.7e9), (10.0, 1e6)))
    numbers = inputs_scaled((CodedColumn("a"), CodedColumn("b")), Scaler((0.0, 1.0), (1.0, 2.0)))
    return [predictor(inputs=mixed), predictor(inputs=numbers)]


def fuzz(seed: int, bodies: int) -> Tally:
    """Ask with so many bodies of that seed."""
    chance = random.Random(seed)  # noqa: S311
    asked = models()
    tally = Tally()
    for number in range(bodies):
        body, json_bytes = _damaged_body(chance)
        began = time.perf_counter()
        try:
            infer(chance.choice(asked), Served("m", "1"), body, json_bytes, LIMITS, 0)
            tally.ends[ANSWERED] += 1
        except ServiceError as error:
            tally.ends[error.code] += 1
        except (NotJson, ValidationError) as error:
            tally.ends[type(error).__name__] += 1
        except Exception:
            tally.faults.append(f"body {number} of seed {seed}: {body!r} ({json_bytes})\n{traceback.format_exc()}")
        if time.perf_counter() - began > MOST_SECONDS:
            tally.faults.append(f"body {number} of seed {seed} took too long: {body!r} ({json_bytes})")
    return tally


def _damaged_body(chance: random.Random) -> tuple[bytes, int | None]:
    """A body and what its header says of it: mostly a right one in which one or two things are wrong."""
    said, binary = _request(chance)
    damages: list[Callable[[random.Random, dict[str, Any]], None]] = [_replace_something, _repeat_something]
    for _ in range(chance.choice((0, 1, 1, 2))):
        chance.choice(damages)(chance, said)
    text = orjson.dumps(said)
    length: int | None = len(text)
    if chance.random() < 0.2:
        text = _cut(chance, text)
    if chance.random() < 0.2:
        binary = _cut(chance, binary)
    if chance.random() < 0.1:
        length = chance.choice((None, 0, len(text) + len(binary), chance.randrange(10_000)))
    if not binary and chance.random() < 0.5:
        length = None
    return text + binary, length


def _request(chance: random.Random) -> tuple[dict[str, Any], bytes]:
    rows = chance.randint(1, 4)
    values: dict[str, list[Any]] = {
        "age": [chance.choice((0.5, 7, None, 1e3)) for _ in range(rows)],
        "colour": [chance.choice(("red", "blue", "")) for _ in range(rows)],
        "member": [chance.choice((True, False)) for _ in range(rows)],
        "day": [chance.choice(("2024-01-31", "", "2024-02-29T12:30Z")) for _ in range(rows)],
    }
    datatypes = {"age": "FP64", "colour": "BYTES", "member": "BOOL", "day": "BYTES"}
    inputs: list[dict[str, Any]] = []
    binary = b""
    if chance.random() < 0.4:
        raw = np.ones((rows, 2)).tobytes()
        inputs.append(
            {"name": "x", "datatype": "FP64", "shape": [rows, 2], "parameters": {"binary_data_size": len(raw)}}
        )
        binary = raw
    else:
        for name, datatype in datatypes.items():
            shape = [rows, 1] if chance.random() < 0.5 else [rows]
            tensor: dict[str, Any] = {"name": name, "datatype": datatype, "shape": shape}
            if datatype == "BYTES" and chance.random() < 0.5:
                encoded = [value.encode() for value in values[name]]
                raw = b"".join(len(each).to_bytes(4, "little") + each for each in encoded)
                tensor["parameters"] = {"binary_data_size": len(raw)}
                binary += raw
            else:
                tensor["data"] = values[name]
            inputs.append(tensor)
    said: dict[str, Any] = {"id": "1", "inputs": inputs, "parameters": {"binary_data_output": chance.random() < 0.5}}
    return said, binary


def _replace_something(chance: random.Random, said: dict[str, Any]) -> None:
    """Put anything at any place, or take it away."""
    place: Any = said
    while True:
        keys = list(place) if isinstance(place, dict) else range(len(place))
        if not keys:
            return
        key = chance.choice(keys)
        if isinstance(place[key], dict | list) and chance.random() < 0.8:
            place = place[key]
        elif chance.random() < 0.2:
            del place[key]
            return
        else:
            place[key] = deepcopy(chance.choice(ANYTHING))
            return


def _repeat_something(chance: random.Random, said: dict[str, Any]) -> None:
    """Have a tensor, or an output, too often."""
    inputs = said.get("inputs")
    if isinstance(inputs, list) and inputs:
        inputs += [chance.choice(inputs)] * chance.choice((1, 2, 50, 2000))
    said["outputs"] = [{"name": chance.choice(("price", "weight", "scores", "é"))}] * chance.randint(0, 3)


def _cut(chance: random.Random, content: bytes) -> bytes:
    start = chance.randrange(len(content) + 1)
    stop = start + chance.randint(0, 8)
    wrong = chance.choice((b"", b"\xff", b"\0\0\0\0", b"[" * 2000, b"1e999", content[start:stop] * 3, b"NaN", b'"'))
    return content[:start] + wrong + content[stop:]


def _main() -> int:
    parser = argparse.ArgumentParser(description="Ask models with damaged bodies.")
    parser.add_argument("--bodies", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311
    options = parser.parse_args()
    tally = fuzz(options.seed, options.bodies)
    print(f"seed {options.seed}: {options.bodies:,} bodies")  # noqa: T201
    for end, times in tally.ends.most_common():
        print(f"  {times:>8,} {end}")  # noqa: T201
    for fault in tally.faults[:20]:
        print(fault)  # noqa: T201
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(_main())
