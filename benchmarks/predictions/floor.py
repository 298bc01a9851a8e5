"""What is left when everything is taken away: a bare FastAPI handler with the same network, and an echo.

Both run under the Uvicorn that serves ours: without keys, limits, checks or errors.
"""

from __future__ import annotations

import os
from typing import Any

import joblib
import numpy as np
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

handler = FastAPI()
_model = joblib.load(os.environ["FITTED_MODEL"]) if "FITTED_MODEL" in os.environ else None


@handler.post("/predict")
async def predict(request: Request) -> JSONResponse:
    """The scores of each row."""
    x = np.asarray((await request.json())["rows"], dtype=np.float64)
    assert _model is not None
    (w1, w2), (b1, b2) = _model.coefs_, _model.intercepts_
    z = np.maximum(x @ w1 + b1, 0.0) @ w2 + b2
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return JSONResponse({"scores": (e / e.sum(axis=1, keepdims=True)).tolist()})


async def echo(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer with the body that has come."""
    if scope["type"] != "http":
        return
    body = b""
    while True:
        message = await receive()
        body += message["body"]
        if not message["more_body"]:
            break
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
