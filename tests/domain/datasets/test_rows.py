"""The datasets' repository."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import InvalidRequestError

from domain.access.projects import DEFAULT_PROJECT, Project
from domain.datasets import rows as datasets
from infra.database import Database
from tests.support.service import Service


def test_a_list_counts_columns_and_reads_none(service: Service, database: Database) -> None:
    wide, narrow = service.upload_csv("a,b,c\n1,2,3\n")["id"], service.upload_csv("a\n1\n")["id"]
    with database.reading() as session:
        assert datasets.column_counts(session, DEFAULT_PROJECT, [wide, narrow]) == {wide: 3, narrow: 1}
        assert datasets.column_counts(session, Project("other"), [wide, narrow]) == {}
        (newest, _) = datasets.list_page(session, DEFAULT_PROJECT, None, 10).rows
        with pytest.raises(InvalidRequestError, match="columns"):
            _ = newest.columns
