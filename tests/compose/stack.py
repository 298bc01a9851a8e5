"""The running containers as their user sees them: commands to start and stop them, and the API."""

from __future__ import annotations

import re
from contextlib import ExitStack
from secrets import token_hex

from backprop_client import Backprop, ConnectionFailed, ServerFailed
from backprop_client.wire.jobs import CostOut, JobOut
from cli.own_client import client_of
from infra.codec import from_bytes
from tests.compose.project import ROOT, Project, filled_in, free_port
from tests.support.waiting import wait_for

DIGITS = ROOT / "cli" / "examples" / "digits.csv"


class Stack:
    """A project that is configured as `.env.example` says, and its API.

    Attributes:
        port: where the API is published on 127.0.0.1.
        client: speaks to it, once it has got the key.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.port = free_port()
        self._closing = ExitStack()
        self.client = self.client_with("")
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

    def client_with(self, key: str) -> Backprop:
        """A client of the API with a key, or without one if that is empty. It is closed with the stack."""
        return self._closing.enter_context(client_of(f"http://127.0.0.1:{self.port}", key))

    def close(self) -> None:
        """Close the connections to the API."""
        self._closing.close()

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

    def submit(self, dataset_id: str, iterations: int, seed: int) -> str:
        """Submit the training of a classifier of the digits, a fifth of them held out; gives the job's id."""
        return self.client.jobs.create(
            dataset_id=dataset_id,
            targets=["digit"],
            task="classification",
            network={"layers": [{"units": 32, "activation": "sigmoid"}, {"activation": "sigmoid"}]},
            holdout=0.2,
            training={
                "preset": "tutorial",
                "iterations": iterations,
                "learning_rate": 2.0,
                "weight_decay": 1e-5,
                "init": "uniform",
                "seed": seed,
            },
        ).id

    def wait_for_progress(self, job_id: str, iteration: int) -> None:
        """Wait until the job has come that far."""
        job = self.client.job(job_id)
        wait_for("progress", lambda: (job.refresh().data.iteration or 0) >= iteration, seconds=60, every=0.1)

    def wait_for_success(self, job_id: str) -> JobOut:
        """Wait until the job has ended, which must be well; gives it."""
        job = self.client.job(job_id)
        job.wait(progress=False, timeout=120)
        return job.data

    def costs(self, job_id: str) -> list[CostOut]:
        """Every cost of the job."""
        return list(self.client.jobs.costs(job_id, limit=1000))

    def weights(self, model_id: str) -> dict[str, bytes]:
        """The bytes of the model's weights."""
        content = self.client.models.weights(model_id).read()
        return {name: array.tobytes() for name, array in from_bytes(content).items()}

    def _is_ready(self) -> bool:
        try:
            self.client.health.ready()
        except (ConnectionFailed, ServerFailed):
            return False
        return True
