"""Identifiers that carry their kind and sort by the time they were made: ``job_01ARZ3NDEKTSV4RRFFQ69G5FAV``."""

from __future__ import annotations

from typing import Literal

from ulid import ULID

Kind = Literal["ds", "net", "job", "mdl", "prd", "reg", "key", "wh", "msg", "sin"]


def new_id(kind: Kind) -> str:
    """A fresh id: the kind, an underscore and a ULID (48 bits of milliseconds, 80 random bits)."""
    return f"{kind}_{ULID()}"


def new_delivery_id(job_id: str) -> str:
    """An id for one delivery of a job through the queue: the job's id and a fresh ULID."""
    return f"{job_id}-{ULID()}"


def job_of_delivery(delivery_id: str) -> str:
    """The job that a delivery's id names."""
    return delivery_id.rpartition("-")[0]
