"""Models in memory are counted with all that they take: a thousand small ones are no small thing."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Sequence

import pytest

from backprop.coding.inputs import CodedColumn
from backprop.model import TrainedModel
from domain.models.cache import Ready
from domain.models.prediction import Predictor
from domain.models.row_reading import RowReader
from infra.codec import from_bytes, to_bytes
from tests.domain.models.test_prediction import INPUTS, predictor
from tests.support.columns import inputs_scaled

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
