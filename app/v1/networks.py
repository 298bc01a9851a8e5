"""`/v1/networks`."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Response, status

from app.access.dependencies import CanRead, CanTrain
from app.access.idempotency import OnceDep, answered
from app.dependencies import DatabaseDep
from app.errors import responses
from app.v1.answers import network_out
from app.v1.parameters import After, IdPath, Limit
from backprop_client.wire.networks import NetworkIn, NetworkOut, NetworkPage
from backprop_client.wire.specs import NetworkSpec
from domain.access.idempotency import Answer
from domain.networks import rows as networks
from infra.errors import Conflict, NotFound
from infra.ids import new_id
from infra.tables import NetworkRow

router = APIRouter(prefix="/v1/networks", tags=["networks"])


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    response_model=NetworkOut,
    responses=responses(Conflict),
    operation_id="networks_create",
)
def create_network(body: NetworkIn, access: CanTrain, database: DatabaseDep, once: OnceDep) -> Response:
    """Store a network under a name, for jobs to refer to by its id."""
    with once.turn(body.model_dump_json()) as turn:
        if turn.first_answer is not None:
            return answered(turn.first_answer)
        network = NetworkRow(
            id=new_id("net"),
            project=access.project,
            name=body.name,
            spec=NetworkSpec(layers=body.layers).model_dump(mode="json"),
            created_at=datetime.now(UTC),
        )
        with database.writing() as session:
            networks.add(session, network)
            content = network_out(network).model_dump_json().encode()
            location = {"Location": f"/v1/networks/{network.id}"}
            answer = turn.keep(session, Answer(status.HTTP_201_CREATED, content, location))
    return answered(answer)


@router.get("", responses=responses(), operation_id="networks_list")
def list_networks(access: CanRead, database: DatabaseDep, after: After = None, limit: Limit = 20) -> NetworkPage:
    """Stored networks, newest first."""
    with database.reading() as session:
        page = networks.list_page(session, access.project, after, limit)
    return NetworkPage(data=[network_out(network) for network in page.rows], has_more=page.has_more)


@router.get("/{network_id}", responses=responses(NotFound), operation_id="networks_get")
def get_network(network_id: IdPath, access: CanRead, database: DatabaseDep) -> NetworkOut:
    """One stored network."""
    with database.reading() as session:
        return network_out(networks.get(session, access.project, network_id))
