"""The running containers as their user sees them: commands to start and stop them, and the API."""

from __future__ import annotations

import re
from secrets import token_hex
from typing import Any

import httpx2

from infra.codec import from_bytes
from tests.compose.project import ROOT, Project, filled_in, free_port
from tests.support.waiting import wait_for

DIGITS = ROOT / "cli" / "examples" / "digits.csv"


class Stack:
    """A project that is configured as `.env.example` says, and its API.

    Attributes:
        port: where the API is published on 127.0.0.1.
        api: a client of it.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.port = free_port()
        self.api = httpx2.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60, trust_env=False)
        project.configure(
            filled_in(
                {
                    "POSTGRES_PASSWORD": token_hex(24),
                    "REDIS_PASSWORD": token_hex(24),
                    "BACKPROP_PORT": str(self.port),
                    "BACKPROP_IMAGE": project.image,
                    "BACKPROP_TRAINING_THREADS": "1",
                }
            )
        )

    def make_key(self, project: str, *options: str) -> str:
        """Make a key as the README says, before anything else has been started or after; gives its text."""
        made = self.project.compose(
            "run", "--rm", "-T", "api", "backprop", "keys", "create", "--project", project, *options
        )
        key: str = re.findall(r"^key_\w+_[0-9a-f]{64}", made, re.MULTILINE)[-1]
        return key

    def up(self, workers: int) -> None:
        """Build what has changed, and start what is not running."""
        self.project.compose("up", "--build", "--detach", "--scale", f"worker={workers}")

    def wait_until_ready(self) -> None:
        """Wait until the API answers that it reaches the database and Redis."""
        wait_for("a ready API", self._is_ready, seconds=60, every=0.5)

    def upload_digits(self) -> dict[str, Any]:
        """Upload the handwritten digits; gives the dataset."""
        with DIGITS.open("rb") as file:
            return self.call("POST", "/v1/datasets", files={"file": ("digits.csv", file)}, data={"name": "digits"})

    def submit(self, dataset_id: str, iterations: int, seed: int) -> str:
        """Submit the training of a classifier of the digits, a fifth of them held out; gives the job's id."""
        job_id: str = self.call(
            "POST",
            "/v1/jobs",
            json={
                "dataset_id": dataset_id,
                "targets": ["digit"],
                "task": "classification",
                "network": {"layers": [{"units": 32, "activation": "sigmoid"}, {"activation": "sigmoid"}]},
                "holdout": 0.2,
                "training": {
                    "preset": "tutorial",
                    "iterations": iterations,
                    "learning_rate": 2.0,
                    "weight_decay": 1e-5,
                    "init": "uniform",
                    "seed": seed,
                },
            },
        )["id"]
        return job_id

    def job(self, job_id: str) -> dict[str, Any]:
        """The job as it is now."""
        return self.call("GET", f"/v1/jobs/{job_id}")

    def wait_for_progress(self, job_id: str, iteration: int) -> None:
        """Wait until the job has come that far."""
        wait_for("progress", lambda: (self.job(job_id)["iteration"] or 0) >= iteration, seconds=60, every=0.1)

    def wait_for_success(self, job_id: str) -> dict[str, Any]:
        """Wait until the job has ended, which must be well; gives it."""
        ended = wait_for("the job's end", lambda: self._ended(job_id), seconds=120, every=0.5)
        assert ended["status"] == "succeeded", ended["error"]
        return ended

    def costs(self, job_id: str) -> list[dict[str, Any]]:
        """Every cost of the job, page by page."""
        rows: list[dict[str, Any]] = []
        more = True
        while more:
            after = rows[-1]["iteration"] if rows else -1
            page = self.call("GET", f"/v1/jobs/{job_id}/costs", params={"after": after, "limit": 1000})
            rows += page["data"]
            more = page["has_more"]
        return rows

    def weights(self, model_id: str) -> dict[str, bytes]:
        """The bytes of the model's weights."""
        response = self.api.get(f"/v1/models/{model_id}/weights")
        assert response.is_success, response.text
        return {name: array.tobytes() for name, array in from_bytes(response.content).items()}

    def call(self, method: str, path: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401  # the HTTP client's own
        """One request, which must succeed; gives the answer."""
        response = self.api.request(method, path, **options)
        assert response.is_success, f"{method} {path}: {response.text}"
        answer: dict[str, Any] = response.json()
        return answer

    def _is_ready(self) -> bool:
        try:
            return self.api.get("/readyz").is_success
        except httpx2.TransportError:
            return False

    def _ended(self, job_id: str) -> dict[str, Any] | None:
        job = self.job(job_id)
        return job if job["status"] not in ("queued", "running") else None
