"""What a client sends and gets about networks."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from backprop_client.wire.names import Name
from backprop_client.wire.specs import LayerSpec, NetworkSpec


class NetworkIn(NetworkSpec):
    """A network to store under a name."""

    name: Name = Field(description="For people; need not be unique.", examples=["digits 64-25-10"])


class NetworkOut(BaseModel):
    """A stored network."""

    model_config = ConfigDict(title="Network")

    id: str
    name: str
    layers: tuple[LayerSpec, ...]
    created_at: datetime


class NetworkPage(BaseModel):
    """Networks, newest first."""

    data: list[NetworkOut]
    has_more: bool
