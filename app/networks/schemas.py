"""What a client sends and gets about networks."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from app.parameters import Name
from infra.specs import LayerSpec, NetworkSpec
from infra.tables import Network


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

    @classmethod
    def of(cls, network: Network) -> NetworkOut:
        """The row as a client sees it."""
        return cls(
            id=network.id,
            name=network.name,
            layers=NetworkSpec.model_validate(network.spec).layers,
            created_at=network.created_at,
        )


class NetworkPage(BaseModel):
    """Networks, newest first."""

    data: list[NetworkOut]
    has_more: bool
