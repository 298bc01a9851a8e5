"""What a service that is well answers."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel


class Health(BaseModel):
    """The answer of a healthy service."""

    status: Literal["ok"] = "ok"
