"""The networks' repository: named specs that jobs can refer to."""

from __future__ import annotations

from sqlalchemy.orm import Session

from domain.access.projects import Project
from infra.errors import NotFound
from infra.paging import Page, page
from infra.tables import NetworkRow


def add(session: Session, network: NetworkRow) -> None:
    """Record a network."""
    session.add(network)
    session.flush()


def get(session: Session, project: Project, network_id: str) -> NetworkRow:
    """The project's network of that id.

    Raises:
        NotFound: there is none (code ``network_not_found``).
    """
    network = session.get(NetworkRow, network_id)
    if network is None or network.project != project:
        raise NotFound("network_not_found", f"There is no network {network_id}.")
    return network


def list_page(session: Session, project: Project, after: str | None, limit: int) -> Page[NetworkRow]:
    """The project's networks, newest first."""
    return page(session, NetworkRow, project, after=after, limit=limit)
