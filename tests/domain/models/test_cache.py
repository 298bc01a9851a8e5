"""Models in memory are counted with all that they take: a thousand small ones are no small thing."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Sequence

import pytest

from backprop.coding.inputs import CodedColumn
from backprop.model import TrainedModel
from domain.access.projects import DEFAULT_PROJECT
from domain.models import cache as cache_module
from domain.models.cache import BELIEVED_SECONDS, ModelCache, Ready
from domain.models.prediction import Predictor
from domain.models.row_reading import RowReader
from infra.codec import from_bytes, to_bytes
from tests.domain.models.test_prediction import INPUTS, predictor
from tests.support.columns import inputs_scaled
from tests.support.service import Service

MODELS = 20
CATEGORIES = CodedColumn("city", tuple(f"a city of the number {number}" for number in range(300)))


def read_back(text: str, table: Sequence[str]) -> Predictor:
    """A model as it is read from the database."""
    network, coding, weights = json.loads(text)
    model = TrainedModel.from_stored(network, coding, from_bytes(bytes.fromhex(weights)))
    return Predictor(model, RowReader(model.coding.inputs, model.coding.targets.columns, tuple(table), None))


@pytest.mark.parametrize(
    ("columns", "others"),
    [(INPUTS.coded_columns, 0), (INPUTS.coded_columns, 1000), ((*INPUTS.coded_columns, CATEGORIES), 0)],
    ids=["small", "of a wide table", "with many categories"],
)
def test_what_is_counted_is_what_it_takes(columns: tuple[CodedColumn, ...], others: int) -> None:
    model = predictor(inputs=inputs_scaled(columns, INPUTS.scaler)).model
    network, coding, weights = model.to_stored()
    text = json.dumps([network, coding, to_bytes(weights).hex()])
    names = [column.name for column in columns]

    def ready() -> Ready:
        read = read_back(text, [*names, *json.loads(json.dumps([f"column {number}" for number in range(others)]))])
        read.predict([dict.fromkeys(names)])
        return Ready(read, 0.0)

    ready()
    tracemalloc.start()
    kept = [ready() for _ in range(MODELS)]
    taken = tracemalloc.get_traced_memory()[0] / MODELS
    tracemalloc.stop()
    counted = kept[0].bytes
    assert counted / 2 < taken < counted * 1.5


class Clock:
    """The monotonic clock of the cache, which goes on when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


def test_a_model_that_is_asked_all_the_time_is_always_at_hand_until_it_is_deleted(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(cache_module, "time", clock)
    dataset = service.upload_csv("x,y\n1,2\n2,3\n3,5\n4,4\n")
    network, training = {"layers": [{"units": 2}, {}]}, {"iterations": 2}
    asked = {"dataset_id": dataset["id"], "targets": ["y"], "task": "regression"}
    job = service.train({**asked, "network": network, "training": training})
    model_id = job["model_id"]
    cache = ModelCache(service.database)
    predictor = cache.get(DEFAULT_PROJECT, model_id)

    def seen_again() -> bool:
        time.sleep(0.01)
        ready = cache._models.get((DEFAULT_PROJECT, model_id))
        return ready is None or ready.seen_at == clock.now

    for _ in range(5):
        clock.now += BELIEVED_SECONDS * 0.75
        assert cache.at_hand(DEFAULT_PROJECT, model_id) is predictor
        while not seen_again():
            pass
    assert service.api.delete(f"/v1/models/{model_id}").status_code == 204
    clock.now += BELIEVED_SECONDS * 0.75
    cache.at_hand(DEFAULT_PROJECT, model_id)
    while not seen_again():
        pass
    assert cache.at_hand(DEFAULT_PROJECT, model_id) is None
    cache.close()
