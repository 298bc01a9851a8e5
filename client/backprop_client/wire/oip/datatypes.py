"""The datatypes of tensors."""

from __future__ import annotations

from typing import Literal

Datatype = Literal[
    "BOOL",
    "UINT8",
    "UINT16",
    "UINT32",
    "UINT64",
    "INT8",
    "INT16",
    "INT32",
    "INT64",
    "FP16",
    "FP32",
    "FP64",
    "BYTES",
]

BYTES_PER_ELEMENT: dict[Datatype, int] = {
    "BOOL": 1,
    "UINT8": 1,
    "UINT16": 2,
    "UINT32": 4,
    "UINT64": 8,
    "INT8": 1,
    "INT16": 2,
    "INT32": 4,
    "INT64": 8,
    "FP16": 2,
    "FP32": 4,
    "FP64": 8,
}
"""Bytes that an element has in a binary tensor. Of `BYTES` each has its own number."""

LENGTH_BYTES = 4
"""Bytes. Before each element of a binary tensor of `BYTES` stands its length, as an unsigned little-endian number."""

HEADER_LENGTH = "Inference-Header-Content-Length"
"""This header says how many bytes of a body are JSON. Binary tensors follow them."""
