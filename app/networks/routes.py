"""`/v1/networks`."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Response, status

from app.dependencies import DatabaseDep
from app.errors import responses
from app.networks.schemas import NetworkIn, NetworkOut, NetworkPage
from app.parameters import After, IdPath, Limit
from infra import networks
from infra.errors import NotFound
from infra.ids import new_id
from infra.specs import NetworkSpec
from infra.tables import Network

router = APIRouter(prefix="/v1/networks", tags=["networks"])


@router.post("", status_code=status.HTTP_201_CREATED, responses=responses())
def create_network(body: NetworkIn, database: DatabaseDep, response: Response) -> NetworkOut:
    """Store a network under a name, for jobs to refer to by its id."""
    spec = NetworkSpec(layers=body.layers)
    network = Network(id=new_id("net"), name=body.name, spec=spec.model_dump(mode="json"), created_at=datetime.now(UTC))
    with database.writing() as session:
        networks.add(session, network)
    response.headers["Location"] = f"/v1/networks/{network.id}"
    return NetworkOut.of(network)


@router.get("", responses=responses())
def list_networks(database: DatabaseDep, after: After = None, limit: Limit = 20) -> NetworkPage:
    """Stored networks, newest first."""
    with database.reading() as session:
        page = networks.list_page(session, after, limit)
    return NetworkPage(data=[NetworkOut.of(network) for network in page.rows], has_more=page.has_more)


@router.get("/{network_id}", responses=responses(NotFound))
def get_network(network_id: IdPath, database: DatabaseDep) -> NetworkOut:
    """One stored network."""
    with database.reading() as session:
        return NetworkOut.of(networks.get(session, network_id))
