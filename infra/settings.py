"""Every setting of the service, and the only reader of the environment."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

LONGEST_RETENTION_DAYS = 36_500
"""Days. Before so many days nothing was made, and the calendar has every day since."""


class Settings(BaseSettings):
    """Read from environment variables named ``BACKPROP_<FIELD>``; each has a default that suits one machine.

    The descriptions are the README's table of settings.
    """

    model_config = SettingsConfigDict(env_prefix="BACKPROP_", frozen=True, hide_input_in_errors=True)

    data_dir: Path = Field(
        Path("data"),
        description="Folder of the embedded database, the embedded Redis and the uploaded datasets.",
    )
    database_url: str = Field(
        "",
        description="SQLAlchemy URL (`postgresql+psycopg://…` or `sqlite:///…`). Empty: SQLite in `data_dir`.",
    )
    redis_url: str = Field(
        "redis://127.0.0.1:6379/0",
        description="URL of the Redis that carries job ids. `backprop serve` runs its own unless this is set.",
    )
    artifacts_uri: str = Field(
        "",
        description=(
            "Where datasets are: a folder or an `s3://…` URI (see docs/operations.md). Empty: a folder in `data_dir`."
        ),
    )
    queue_name: str = Field("backprop", min_length=1, description="Name of the RQ queue.")
    log_format: str = Field(
        "text", pattern="^(text|json)$", description="`text` for people, `json` for log collectors."
    )
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Least severe level logged.")

    api_processes: int = Field(
        1, gt=0, description="Processes that answer requests, on one socket. As many as there are CPUs for them."
    )
    max_upload_bytes: int = Field(4 * 2**30, gt=0, description="Largest file `POST /v1/datasets` takes, in bytes.")
    max_rows: int = Field(100_000_000, gt=0, description="Most rows a dataset may have.")
    max_columns: int = Field(10_000, gt=0, description="Most columns a dataset may have.")
    max_request_bytes: int = Field(16 * 2**20, gt=0, description="Largest body of every other request, in bytes.")
    max_prediction_rows: int = Field(100_000, gt=0, description="Most rows of one prediction request.")
    max_parameters: int = Field(20_000_000, gt=0, description="Most weights and biases a network may have.")
    max_training_bytes: int = Field(
        8 * 2**30, gt=0, description="Most memory a job may be estimated to need, in bytes."
    )

    max_iterations: int = Field(10_000_000, gt=0, description="Most iterations a job may ask for.")
    max_queued_jobs: int = Field(
        1000, gt=0, description="Most jobs and predictions of one project that may wait for a worker."
    )
    max_uploads: int = Field(
        8, gt=0, description="Most uploads of one project that one API process takes in at the same time."
    )
    max_readings: int = Field(
        2, gt=0, description="Most uploaded files that one API process reads at the same time; others wait."
    )
    max_reading_bytes: int = Field(
        2 * 2**30, ge=2**27, description="Most memory that reading one uploaded file may take, in bytes."
    )
    max_reading_seconds: float = Field(
        1800.0, gt=0, description="Longest time that reading one uploaded file may take, in seconds."
    )
    max_requests_per_second: int = Field(
        500, gt=0, description="Most requests a second of one key, over all API processes that share a Redis."
    )
    max_event_streams: int = Field(
        200, gt=0, description="Most streams of events that one API process keeps open for one key."
    )
    webhook_private_addresses: bool = Field(
        False, description="Whether webhooks may be at addresses of private networks and of this machine."
    )
    slow_body_seconds: float = Field(
        30.0,
        gt=0,
        description="A request must come within so long, and a second more for every 16 KiB of its body.",
    )
    idempotency_hours: float = Field(
        24.0, gt=0, description="How long an answer is kept for requests that repeat its `Idempotency-Key`."
    )

    training_threads: int = Field(
        0, ge=0, description="Threads of one training job. 0: one for each CPU the worker may use."
    )
    flush_seconds: float = Field(
        0.25, gt=0, description="At most this long after an iteration its cost is in the database."
    )
    checkpoint_seconds: float = Field(
        5.0,
        gt=0,
        description="Seconds between two checkpoints: what is done again after a crash. More where a checkpoint takes "
        "longer than a twentieth of that.",
    )
    max_snapshots: int = Field(
        40,
        ge=0,
        le=200,
        description="The weights of a small network are kept at so many iterations of its training, for people to "
        "watch it learn. 0: none.",
    )
    lease_seconds: float = Field(
        10.0, gt=0, description="A running job that has not reported for this long is taken up by another worker."
    )
    reconcile_seconds: float = Field(
        2.0, gt=0, description="How often each worker looks for jobs that Redis has lost or whose worker has died."
    )
    max_crashes: int = Field(
        3,
        gt=0,
        description="A job whose worker has died this often in a row, without a new checkpoint, is given up: it may be "
        "what kills them.",
    )

    retain_failed_jobs_days: float = Field(
        0.0,
        ge=0,
        le=LONGEST_RETENTION_DAYS,
        description="A job that has failed or was cancelled, and has left no model, is deleted so many days after its "
        "end. 0: never.",
    )
    retain_unnamed_models_days: float = Field(
        0.0,
        ge=0,
        le=LONGEST_RETENTION_DAYS,
        description="A model without name, tags and note, which is no version of a registered model, is deleted after "
        "so many days. 0: never.",
    )
    retain_costs_days: float = Field(
        0.0,
        ge=0,
        le=LONGEST_RETENTION_DAYS,
        description="So many days after a job's end its costs are thinned to about 1,000 rows. 0: never.",
    )
    retain_newest: int = Field(
        100,
        ge=0,
        description="So many of a project's newest jobs and models the three settings before leave alone.",
    )

    @property
    def resolved_database_url(self) -> str:
        """The database's SQLAlchemy URL: `database_url`, or SQLite in `data_dir`."""
        return self.database_url or f"sqlite:///{self.embedded_database}"

    @property
    def embedded_database(self) -> Path:
        """The file of the SQLite database that is used without a `database_url`."""
        return self.data_dir.absolute() / "backprop.db"

    @property
    def resolved_artifacts_uri(self) -> str:
        """Where artifacts are kept: `artifacts_uri`, or a folder in `data_dir`."""
        return self.artifacts_uri or str(self.data_dir.absolute() / "artifacts")

    @property
    def uses_data_folder(self) -> bool:
        """Whether the database or the artifacts are in `data_dir`. Uploads on their way always are."""
        return not self.database_url or not self.artifacts_uri
