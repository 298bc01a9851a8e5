"""KServe's own client, unchanged, in an environment of its own: ``python ask_kserve.py QUESTION``.

QUESTION is a file in JSON that `tests.foreign_clients.run` writes. What does not agree is an AssertionError.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig


def _column(column: list[Any], binary: bool) -> InferInput:
    name, values, datatype = column
    dtype: Any = {"FP64": np.float64, "INT64": np.int64, "BOOL": np.bool_, "BYTES": np.object_}[datatype]
    tensor = np.array(values, dtype).reshape(-1, 1)
    given = InferInput(name, list(tensor.shape), datatype)
    given.set_data_from_numpy(tensor, binary_data=binary)
    return given


def _values(answer: Any, name: str) -> list[Any]:  # noqa: ANN401
    return [
        value.decode() if isinstance(value, bytes) else value
        for value in answer.get_output_by_name(name).as_numpy().ravel().tolist()
    ]


async def _ask(question: dict[str, Any]) -> None:
    url = question["url"]
    async with InferenceRESTClient(RESTConfig(protocol="v2")) as client:
        assert await client.is_server_live(url)
        assert await client.is_server_ready(url)
        for asked in question["models"]:
            assert await client.is_model_ready(url, asked["model"])
            for binary_in in (False, True):
                for binary_out in (False, True):
                    inputs = [_column(column, binary_in) for column in asked["inputs"]]
                    request = InferRequest(
                        asked["model"], inputs, request_id="5", parameters={"binary_data_output": binary_out}
                    )
                    answer = await client.infer(url, request, asked["model"])
                    assert answer.id == "5"
                    assert answer.model_name == asked["model"]
                    for name, values in asked["outputs"].items():
                        assert _values(answer, name) == values, (asked["model"], name)
        assert not await client.is_model_ready(url, "unknown")
        refusal = await _refusal(client.infer(url, InferRequest("unknown", []), "unknown"))
        assert "There is no registered model unknown" in refusal, refusal


async def _refusal(asking: Awaitable[Any]) -> str:
    try:
        await asking
    except httpx.HTTPStatusError as error:
        return str(error)
    raise AssertionError("a model that is not there has answered")


asyncio.run(_ask(json.loads(Path(sys.argv[1]).read_text())))
