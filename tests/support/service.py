"""Short ways to do through the API what most tests begin with."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from fastapi.testclient import TestClient
from numpy.typing import NDArray

from infra.artifacts import ArtifactStore
from infra.codec import from_bytes
from infra.database import Database
from infra.settings import Settings
from worker.attempt import attempt_job
from worker.prediction import attempt_prediction
from worker.shutdown import Shutdown


@dataclass(frozen=True)
class Service:
    """The API, and the worker's side of a job called directly."""

    api: TestClient
    database: Database
    artifacts: ArtifactStore
    settings: Settings

    def upload_csv(self, text: str, name: str = "table.csv") -> dict[str, Any]:
        """Upload a CSV; gives the dataset."""
        return self._json(self.api.post("/v1/datasets", files={"file": (name, text.encode())}))

    def upload_arrays(self, **arrays: NDArray[Any]) -> dict[str, Any]:
        """Upload arrays `x` and `y` as NPZ; gives the dataset."""
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)  # type: ignore[arg-type]
        return self._json(self.api.post("/v1/datasets", files={"file": ("table.npz", buffer.getvalue())}))

    def submit(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Submit a job that must be accepted; gives it as queued."""
        response = self.api.post("/v1/jobs", json=body)
        assert response.status_code == 202, response.text
        job: dict[str, Any] = response.json()
        return job

    def train(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Submit a job and carry it out at once, in this process; gives it as ended."""
        return self.attempt(self.submit(body)["id"])

    def attempt(self, job_id: str) -> dict[str, Any]:
        """Carry a queued job out, in this process; gives it as ended."""
        attempt_job(job_id, self.database, self.artifacts, self.settings, Shutdown())
        return self._json(self.api.get(f"/v1/jobs/{job_id}"))

    def queue_prediction(self, model_id: str, dataset_id: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
        """Ask for the predictions of a dataset, which must be accepted; gives them as queued."""
        response = self.api.post("/v1/predictions", json={"model_id": model_id, "dataset_id": dataset_id, **more})
        assert response.status_code == 202, response.text
        prediction: dict[str, Any] = response.json()
        return prediction

    def attempt_prediction(self, prediction_id: str) -> dict[str, Any]:
        """Make a queued prediction, in this process; gives it as ended."""
        attempt_prediction(prediction_id, self.database, self.artifacts, self.settings, Shutdown())
        return self._json(self.api.get(f"/v1/predictions/{prediction_id}"))

    def predict_dataset(self, model_id: str, dataset_id: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
        """Have the predictions of a dataset made at once, in this process; gives them as ended."""
        return self.attempt_prediction(self.queue_prediction(model_id, dataset_id, **more)["id"])

    def costs(self, job_id: str) -> list[dict[str, Any]]:
        """Every cost row of the job, page by page."""
        rows: list[dict[str, Any]] = []
        more = True
        while more:
            after = rows[-1]["iteration"] if rows else -1
            page = self._json(self.api.get(f"/v1/jobs/{job_id}/costs", params={"after": after, "limit": 1000}))
            rows += page["data"]
            more = page["has_more"]
        return rows

    def weights(self, model_id: str) -> dict[str, NDArray[Any]]:
        """The model's weights, as downloaded."""
        response = self.api.get(f"/v1/models/{model_id}/weights")
        assert response.status_code == 200, response.text
        return from_bytes(response.content)

    def weight_bits(self, model_id: str) -> dict[str, bytes]:
        """The bytes of the model's weights. The file has more: its metadata name the model."""
        return {name: array.tobytes() for name, array in self.weights(model_id).items()}

    def answer(self, model_id: str, rows: Sequence[Any]) -> dict[str, Any]:
        """The whole answer for these rows."""
        return self._json(self.api.post(f"/v1/models/{model_id}/predict", json={"rows": rows}))

    def predict(self, model_id: str, rows: Sequence[Any]) -> list[Any]:
        """The predictions for these rows: labels, numbers or objects."""
        predictions: list[Any] = self.answer(model_id, rows)["predictions"]
        return predictions

    @staticmethod
    def _json(response: Any) -> dict[str, Any]:  # noqa: ANN401  # the test client's response has no public name
        assert response.is_success, response.text
        answer: dict[str, Any] = response.json()
        return answer


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A plain CSV; floats are written so that they are read back exactly."""
    return "\n".join([",".join(header), *(",".join(map(str, row)) for row in rows)]) + "\n"
