"""docs/exports.md's recipe predicts from a downloaded file alone, with the service's bits."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.support.service import Service, csv_text

ROOT = Path(__file__).parents[2]
(RECIPE,) = re.findall(
    r"<!-- recipe: begin.*?```python\n(.*?)```\n<!-- recipe: end -->",
    (ROOT / "docs" / "exports.md").read_text(),
    re.DOTALL,
)
BITS = """
import sys
foreign = sorted({"fastapi", "pydantic", "pyarrow", "sqlalchemy", "onnx", "backprop_client"} & set(sys.modules))
values = {name: [each.hex() if isinstance(each, float) else each for each in column.tolist()]
          for name, column in answered.columns.items()}
scores = None if answered.scores is None else [[each.hex() for each in row] for row in answered.scores.scores.tolist()]
print(json.dumps({"values": values, "scores": scores, "foreign": foreign}))
"""


@pytest.mark.parametrize(("target", "dtype"), [("bought", "float32"), ("price", "float64")])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_recipe_has_the_service_s_bits(service: Service, target: str, dtype: str, tmp_path: Path) -> None:
    table = [
        [20 + number if number % 5 else "", ["red", "blue", ""][number % 3], number * 0.37, ["yes", "no"][number % 2]]
        for number in range(30)
    ]
    dataset = service.upload_csv(csv_text(["age", "colour", "price", "bought"], table))
    model_id = service.train(
        {
            "dataset_id": dataset["id"],
            "inputs": ["age", "colour"],
            "targets": [target],
            "network": {"layers": [{"units": 5}, {}]},
            "training": {"preset": "tutorial", "iterations": 20, "dtype": dtype},
        }
    )["model_id"]
    (tmp_path / "model.safetensors").write_bytes(service.api.get(f"/v1/models/{model_id}/weights").content)
    done = subprocess.run(
        [sys.executable, "-c", RECIPE + BITS],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["foreign"] == []
    answer = service.api.post(
        f"/v1/models/{model_id}/predict",
        content=b"age,colour\n31,red\n,\n",
        headers={"Content-Type": "text/csv", "Accept": "application/vnd.apache.parquet"},
    )
    by_service = pq.read_table(io.BytesIO(answer.content)).to_pydict()
    if target == "price":
        assert found["values"]["price"] == [each.hex() for each in by_service["price"]]
    else:
        assert found["values"]["bought"] == by_service["prediction"]
        scores = zip(by_service["score_no"], by_service["score_yes"], strict=True)
        assert found["scores"] == [[each.hex() for each in row] for row in scores]
