from __future__ import annotations

import json
import random
from typing import Any

from tests.support.service import Service


def test_a_thousand_damaged_bodies(service: Service) -> None:
    """Valid requests with bytes changed, cut out and repeated: each is refused or, rarely, still valid."""
    dataset = service.upload_csv("a,b,t\n1,2,x\n2,1,y\n3,5,x\n")
    job = {
        "dataset_id": dataset["id"],
        "targets": ["t"],
        "network": {"layers": [{"units": 2}, {"activation": "tanh"}]},
        "training": {"preset": "tutorial", "iterations": 3, "learning_rate": 0.5},
    }
    model = service.train(job)["model_id"]
    requests: list[tuple[str, Any]] = [
        ("/v1/jobs", job),
        ("/v1/networks", {"name": "n", "layers": [{"units": 2}, {}]}),
        (f"/v1/models/{model}/predict", {"rows": [{"a": 1, "b": 2.5}, [1, 2]]}),
    ]
    seed = random.randrange(10**6)  # noqa: S311
    print(f"seed {seed}")  # noqa: T201  # shown when the test fails
    chance = random.Random(seed)  # noqa: S311
    for _ in range(1000):
        path, body = chance.choice(requests)
        damaged = _damaged(json.dumps(body).encode(), chance)
        response = service.api.post(path, content=damaged, headers={"content-type": "application/json"})
        assert response.status_code < 500, damaged
        if response.is_error:
            assert response.headers["content-type"] == "application/problem+json", damaged


def _damaged(body: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.randint(1, 3)):
        start = chance.randrange(len(body) + 1)
        stop = start + chance.randint(0, 8)
        wrong = chance.choice(
            [b"", b"null", b"-1", b"1e400", b"[", b'"', b"\\u0000", b"\xff", b"true", body[start:stop] * 2]
        )
        body = body[:start] + wrong + body[stop:]
    return body
