"""MLServer's own codecs, unchanged, in an environment of their own: ``python ask_mlserver.py QUESTION``.

QUESTION is a file in JSON that `tests.foreign_clients.run` writes. What does not agree is an AssertionError.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
import pandas as pd
from mlserver.codecs import NumpyRequestCodec, PandasCodec, StringCodec
from mlserver.types import InferenceRequest, InferenceResponse, MetadataModelResponse, RequestOutput


def _said(address: str, body: str | None = None) -> bytes:
    asking = Request(address, None if body is None else body.encode(), {"Content-Type": "application/json"})  # noqa: S310
    with urlopen(asking, timeout=30) as answer:  # noqa: S310  # the address is the service's
        content: bytes = answer.read()
        return content


def _infer(url: str, model: str, request: InferenceRequest) -> InferenceResponse:
    answer = _said(f"{url}/v2/models/{model}/infer", request.model_dump_json())
    return InferenceResponse.model_validate_json(answer)


def _ask(question: dict[str, Any]) -> None:
    url = question["url"]
    for asked in question["models"]:
        model, outputs = asked["model"], asked["outputs"]
        metadata = MetadataModelResponse.model_validate_json(_said(f"{url}/v2/models/{model}"))
        assert [each.name for each in metadata.inputs or ()] == [name for name, _, _ in asked["inputs"]]
        frame = pd.DataFrame({name: values for name, values, _ in asked["inputs"]})
        columns = [name for name in outputs if name != "scores"]
        for use_bytes in (False, True):
            request = PandasCodec.encode_request(frame, use_bytes=use_bytes)
            request.outputs = [RequestOutput(name=name) for name in columns]
            decoded = PandasCodec.decode_response(_infer(url, model, request))
            assert list(decoded.columns) == columns
            for name in columns:
                assert decoded[name].tolist() == outputs[name], (model, name)
        whole = _infer(url, model, PandasCodec.encode_request(frame, use_bytes=False))
        for tensor in whole.outputs:
            assert tensor.data.root == outputs[tensor.name], (model, tensor.name)
            if tensor.name == "label":
                assert StringCodec.decode_output(tensor) == outputs["label"]
        if asked["matrix"] is not None:
            single = NumpyRequestCodec.encode_request(np.array(asked["matrix"]))
            assert _infer(url, model, single).outputs[-1].data.root == list(outputs.values())[-1]


_ask(json.loads(Path(sys.argv[1]).read_text()))
