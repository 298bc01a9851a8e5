"""A process that is killed between a deletion's commit and the removal of the artifacts leaves nothing for ever."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import timedelta

import numpy as np
import pytest

from domain import artifact_removals
from domain.predictions import parts
from domain.retention.pruning import clean_up, is_anything_left
from infra.artifacts import ArtifactStore
from infra.errors import Unavailable
from infra.settings import Settings
from tests.support.service import Service

KILLED = """
import os, signal, sys
from domain.access.projects import DEFAULT_PROJECT
from domain.datasets.intake import delete_dataset
from domain.predictions.control import delete as delete_prediction
from infra.artifacts import ArtifactStore
from infra.database import Database

url, uri, before, thing_id = sys.argv[1:]
left = int(before)
really_delete = ArtifactStore.delete

def delete(self, key):
    global left
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    really_delete(self, key)

ArtifactStore.delete = delete
delete_it = delete_dataset if thing_id.startswith("ds_") else delete_prediction
delete_it(DEFAULT_PROJECT, thing_id, Database(url), ArtifactStore(uri))
"""


def stored(artifacts: ArtifactStore, keys: list[str]) -> list[str]:
    return [key for key in keys if artifacts.exists(key)]


@pytest.mark.parametrize("removed_before", [0, 1])
def test_what_a_killed_deletion_left_is_removed_later(
    service: Service, settings: Settings, removed_before: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "PREDICTED_BYTES", 8 * 2 * 10)
    x = np.random.default_rng(0).normal(size=(30, 2))
    dataset_id = service.upload_arrays(x=x, y=x.sum(axis=1))["id"]
    job = service.train(
        {"dataset_id": dataset_id, "targets": ["y"], "network": {"layers": [{"activation": "linear"}]}}
        | {"training": {"preset": "tutorial", "iterations": 2}}
    )
    prediction_id = service.predict_dataset(job["model_id"], dataset_id)["id"]
    keys = [parts.key_of(prediction_id, number) for number in range(3)]
    assert stored(service.artifacts, keys) == keys

    arguments = [settings.resolved_database_url, settings.resolved_artifacts_uri, str(removed_before), prediction_id]
    ended = subprocess.run([sys.executable, "-c", KILLED, *arguments], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert service.api.get(f"/v1/predictions/{prediction_id}").status_code == 404
    assert stored(service.artifacts, keys) == keys[removed_before:]

    clean_up(service.database, service.artifacts)  # it may still be under way
    assert stored(service.artifacts, keys) == keys[removed_before:]
    monkeypatch.setattr(artifact_removals, "LATE", timedelta(0))
    with service.database.reading() as session:
        assert is_anything_left(session)
    clean_up(service.database, service.artifacts)
    assert stored(service.artifacts, keys) == []
    with service.database.reading() as session:
        assert not is_anything_left(session)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_store_that_goes_away_during_a_deletion_is_asked_again_later(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifact_removals, "LATE", timedelta(0))
    dataset_id = service.upload_csv("a,b\n1,2\n3,4\n")["id"]
    key = f"datasets/{dataset_id}.parquet"

    def away(_store: ArtifactStore, _key: str) -> None:
        raise Unavailable("artifacts_unavailable", "away")

    with monkeypatch.context() as outage:
        outage.setattr(ArtifactStore, "delete", away)
        assert service.api.delete(f"/v1/datasets/{dataset_id}").status_code == 204
        with pytest.raises(Unavailable):
            clean_up(service.database, service.artifacts)
    assert service.artifacts.exists(key)
    clean_up(service.database, service.artifacts)
    assert not service.artifacts.exists(key)
