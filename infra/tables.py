"""The database schema. Every table of the service, and nothing else; how they are used is in the repositories."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in time, always in UTC and aware; SQLite keeps it naive."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give back the time zone that SQLite dropped."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """What all tables share: constraint names that migrations can refer to."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  # SQLAlchemy's own way of declaring this
        datetime: UtcDateTime,
        dict[str, Any]: JSON,
        list[Any]: JSON,
        float: Double,
        str: String,
        bool: Boolean,
    }


class Key(Base):
    """What lets a client in.

    Attributes:
        project: what it gives access to.
        scopes: what it allows there, `domain.access.keys.Scope` each.
        secret_sha256: of its secret part, in hexadecimal.
        expires_at: from when on it is refused; None: never.
        revoked_at: since when it is refused; None: it is not.
    """

    __tablename__ = "keys"

    id: Mapped[str] = mapped_column(primary_key=True)
    project: Mapped[str]
    scopes: Mapped[list[Any]]
    secret_sha256: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class SignIn(Base):
    """What a browser holds after somebody has typed a key into it: it may do what the key may.

    Attributes:
        key_id: of that key. A sign-in lasts no longer than its key.
        secret_sha256: of its secret part, in hexadecimal.
        expires_at: from when on it is refused.
    """

    __tablename__ = "sign_ins"
    __table_args__ = (Index(None, "expires_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    key_id: Mapped[str] = mapped_column(ForeignKey("keys.id"))
    secret_sha256: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class IdempotencyRecord(Base):
    """A creating request that came with an Idempotency-Key, and its answer once there is one.

    Attributes:
        key: as the client sent it.
        fingerprint: SHA-256 of what was asked, in hexadecimal.
        token: names the process that may give the answer; anybody else's writes change no row.
        lease_expires_at: when that process, not heard of since, is taken to be dead.
        status: of the answer; None while there is none.
        headers: of the answer, those that are its own.
        body: of the answer.
        expires_at: from when on the key may be used for something else.
    """

    __tablename__ = "idempotency_records"
    __table_args__ = (Index(None, "expires_at"),)

    project: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    token: Mapped[str]
    lease_expires_at: Mapped[datetime]
    status: Mapped[int | None] = mapped_column(Integer)
    headers: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime]


class Captioned:
    """What people say of a thing, besides its name. Only `domain.captions` writes this, and the name.

    Attributes:
        tags: short words, sorted. `Tagging` has them too, and `SearchedText` has all three.
        note: what people have written to it.
    """

    tags: Mapped[list[Any]] = mapped_column(JSON, default=list, server_default="[]")
    note: Mapped[str | None] = mapped_column(Text)


class Tagging(Base):
    """A tag of a dataset, a job or a model: what lists are filtered by.

    Attributes:
        thing_id: its id, which says what it is. No foreign key, as there are several tables of things.
    """

    __tablename__ = "taggings"
    __table_args__ = (Index(None, "project", "tag", "thing_id"),)

    thing_id: Mapped[str] = mapped_column(primary_key=True)
    tag: Mapped[str] = mapped_column(primary_key=True)
    project: Mapped[str]


class SearchedText(Base):
    """What is searched for in a dataset, a job or a model, in a table of its own: its rows are short, and read fast.

    Attributes:
        thing_id: its id, which says what it is. No foreign key, as there are several tables of things.
        text: its id, its name, its note and its tags, see `domain.captions`.
    """

    __tablename__ = "searched_texts"
    __table_args__ = (Index(None, "project"), {"sqlite_with_rowid": False})

    thing_id: Mapped[str] = mapped_column(primary_key=True)
    project: Mapped[str]
    text: Mapped[str] = mapped_column(Text)


class ArtifactRemoval(Base):
    """An artifact that no database row names any more, and that is to be removed, see `domain.removals`."""

    __tablename__ = "artifact_removals"

    key: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]


class Dataset(Captioned, Base):
    """An uploaded table in its canonical form.

    Attributes:
        name: the file's name, where people call it nothing else.
        columns: `backprop_client.wire.columns.Column` each, as JSON.
        read_as: `backprop_client.wire.datasets.ReadAs` as JSON; None for what was read before migration 0007.
        remarks: `backprop_client.wire.datasets.Remark` each, as JSON.
    """

    __tablename__ = "datasets"
    __table_args__ = (Index(None, "project", "id"), Index(None, "project", "name", "id"))

    id: Mapped[str] = mapped_column(primary_key=True)
    project: Mapped[str]
    name: Mapped[str]
    format: Mapped[str]
    filename: Mapped[str]
    bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    rows: Mapped[int] = mapped_column(BigInteger)
    columns: Mapped[list[Any]]
    read_as: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    remarks: Mapped[list[Any]] = mapped_column(JSON, server_default="[]")
    artifact: Mapped[str]
    created_at: Mapped[datetime]


class NetworkRow(Base):
    """A named network spec. `spec` holds an `backprop_client.wire.specs.NetworkSpec` as JSON."""

    __tablename__ = "networks"
    __table_args__ = (Index(None, "project", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    project: Mapped[str]
    name: Mapped[str]
    spec: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class Job(Captioned, Base):
    """A training job. This row is the truth about it, whatever Redis or a worker believes.

    Attributes:
        name: what people call it, if anything.
        dataset_id: no foreign key, since a finished job outlives its dataset.
        spec: an `backprop_client.wire.specs.ResolvedJob` as JSON: the request with every default filled in.
        iteration: last iteration whose cost is in the database; None before the first.
        cost: J(W, b) at `iteration`.
        rate: iterations per second over the last flushes.
        attempt: how many times a worker has claimed the job.
        crashes: how many attempts since the last checkpoint have ended without a word.
        token: names the attempt that may write; anybody else's writes change no row.
        lease_expires_at: when the attempt, not heard of since, is taken to be dead.
        gradient_check: an `domain.jobs.gradient_checks.GradientCheckResult` as JSON, if the job asked for a check.
        stopped_by: what ended the training before its last iteration, a `backprop.training.StopReason`.
        row_counts: what became of the dataset's rows, a `backprop_client.wire.jobs.RowCounts` as JSON, once a worker
            has counted them.
        notes: what there is to say of it, a `backprop_client.wire.jobs.JobNote` each as JSON; empty until it has ended.
        model_id: the newest model; it has more than one if it was resumed after it had succeeded.
        thinned_before: of the costs of the iterations below it only some are kept, see `domain.jobs.cost_thinning`.
        removed_at: when it was deleted. From then on nobody sees it; the row goes last, see `domain.jobs.removal`.
        registered: as what version that model was registered, a `backprop_client.wire.registration.Registered` as JSON;
            None if the job did not ask for it, or has none.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index(None, "removed_at"),
        Index(None, "project", "removed_at", "id"),  # every list wants those that are not removed
        Index(None, "project", "name", "id"),
        Index(None, "status", "lease_expires_at"),
        Index(None, "dataset_id", "status"),
        Index(None, "project", "status"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    project: Mapped[str]
    name: Mapped[str | None]
    dataset_id: Mapped[str]
    network_id: Mapped[str | None]
    spec: Mapped[dict[str, Any]]
    status: Mapped[str]
    iteration: Mapped[int | None] = mapped_column(BigInteger)
    iterations: Mapped[int] = mapped_column(BigInteger)
    cost: Mapped[float | None]
    rate: Mapped[float | None]
    attempt: Mapped[int] = mapped_column(Integer)
    crashes: Mapped[int] = mapped_column(Integer)
    token: Mapped[str | None]
    lease_expires_at: Mapped[datetime | None]
    cancel_requested: Mapped[bool]
    error_code: Mapped[str | None]
    error_message: Mapped[str | None] = mapped_column(Text)
    gradient_check: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    stopped_by: Mapped[str | None]
    row_counts: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    notes: Mapped[list[Any]] = mapped_column(JSON, default=list, server_default="[]")
    model_id: Mapped[str | None]
    thinned_before: Mapped[int | None] = mapped_column(BigInteger)
    removed_at: Mapped[datetime | None]
    registered: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class JobEvent(Base):
    """One step in a job's life, see `domain.jobs.transitions`. Events are added and never changed.

    Attributes:
        sequence: 1, 2, 3, … of the job.
        kind: which step.
        from_status: of the job before it; None for the first.
        to_status: of the job after it.
        at: when, by the database's clock.
        attempt: the attempt that was under way or began with it; 0 before the first.
        reason: why: an error's code for a failure, else a sentence for a person.
        iteration: the last iteration whose cost had been recorded before it; None if none had.
        number: its place among the events of all jobs, in the order of their commits, see `EventNumber`.
    """

    __tablename__ = "job_events"
    __table_args__ = (Index(None, "number", unique=True),)

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    sequence: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str]
    from_status: Mapped[str | None]
    to_status: Mapped[str]
    at: Mapped[datetime]
    attempt: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str | None] = mapped_column(Text)
    iteration: Mapped[int | None] = mapped_column(BigInteger)
    number: Mapped[int] = mapped_column(BigInteger)


class EventNumber(Base):
    """The number of the newest event of all jobs, in a single row.

    Whoever records an event holds the row until its commit. So events are seen in the order of their numbers: who has
    seen one will never see an earlier one that is new.
    """

    __tablename__ = "event_number"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    newest: Mapped[int] = mapped_column(BigInteger)


class CostRow(Base):
    """J(W, b) of one job at one iteration: a `backprop.training.Record`, column by column."""

    __tablename__ = "costs"
    # Rows are read and written in the order of the key only: no separate row id needed.
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    iteration: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    cost: Mapped[float]
    data_cost: Mapped[float]
    decay_cost: Mapped[float]
    sparsity_cost: Mapped[float]
    held_out_cost: Mapped[float | None]
    evaluations: Mapped[int] = mapped_column(BigInteger)


class CostExtremes(Base):
    """Where J of one job is least and greatest in a block of iterations, see `domain.jobs.cost_extremes`.

    Attributes:
        level: the block has 32 · 2^level iterations.
        block: its number: it begins with iteration block · 32 · 2^level.
        least_at: the iteration where J is least, of equal ones the first.
        greatest_at: likewise where J is greatest.
    """

    __tablename__ = "cost_extremes"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    level: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    block: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    least_at: Mapped[int] = mapped_column(BigInteger)
    least: Mapped[float]
    greatest_at: Mapped[int] = mapped_column(BigInteger)
    greatest: Mapped[float]


class Checkpoint(Base):
    """The last saved state of a job's training. Its content is in the parts of that generation.

    Attributes:
        generation: names this state among all of the job's.
        iteration: of which it is the state.
    """

    __tablename__ = "checkpoints"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    generation: Mapped[str]
    iteration: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]


class CheckpointPart(Base):
    """A part of a state. All parts together are safetensors of everything that decides the rest of the run."""

    __tablename__ = "checkpoint_parts"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    generation: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class SnapshotRow(Base):
    """The weights of a job at one iteration, for people to look at, see `domain.jobs.snapshots`.

    Attributes:
        iteration: which one.
        cost: J there.
        coding: of the columns, as JSON text.
        weights: safetensors of W1, b1, W2, b2, …
    """

    __tablename__ = "snapshots"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    iteration: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    cost: Mapped[float]
    coding: Mapped[str] = mapped_column(Text)
    weights: Mapped[bytes] = mapped_column(LargeBinary)


class Model(Captioned, Base):
    """What a job has trained. But for its caption it never changes: a job that is resumed makes another one.

    Attributes:
        name: what people call it, if anything.
        from_model_id: the model that its training went on from: an earlier one of its job, or the one the job names.
        network: the network with its input and output sizes, as JSON.
        preprocessing: how rows become inputs and outputs become answers, as JSON.
        metrics: what `worker.evaluation` measured, as JSON.
        listed_metrics: those that a list shows: without what has many values.
        iteration: updates that the weights have had; with patience not always the job's last.
        cost: J(W, b) in the cost row of that iteration.
        weights: safetensors of W1, b1, W2, b2, …; loaded only when asked for.
        importance: how much it needs each of its input columns, as JSON; None of models from before this was measured.
            Loaded only when asked for.
    """

    __tablename__ = "models"
    __table_args__ = (Index(None, "project", "id"), Index(None, "project", "name", "id"), Index(None, "dataset_id"))

    id: Mapped[str] = mapped_column(primary_key=True)
    project: Mapped[str]
    name: Mapped[str | None]
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), index=True)
    from_model_id: Mapped[str | None]
    dataset_id: Mapped[str]
    task: Mapped[str]
    network: Mapped[dict[str, Any]]
    preprocessing: Mapped[dict[str, Any]]
    metrics: Mapped[dict[str, Any]]
    listed_metrics: Mapped[dict[str, Any]] = mapped_column(JSON, server_default="{}")
    iteration: Mapped[int] = mapped_column(BigInteger)
    cost: Mapped[float]
    weights: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    importance: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), deferred=True)
    created_at: Mapped[datetime]


class RegisteredModel(Base):
    """A name under which models follow each other, as numbered versions.

    Attributes:
        name: what it is asked for by; no other one of the project has it.
        tags: texts.
        last_version: the greatest number that a version of it has had; 0 before the first. So no number comes twice.
    """

    __tablename__ = "registered_models"
    __table_args__ = (UniqueConstraint("project", "name"), Index(None, "project", "id"))

    id: Mapped[str] = mapped_column(primary_key=True)
    project: Mapped[str]
    name: Mapped[str]
    description: Mapped[str | None] = mapped_column(Text)
    tags: Mapped[list[Any]] = mapped_column(JSON)
    last_version: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class ModelVersion(Base):
    """A model under the name of a registered model, with a number.

    Attributes:
        registered_id: of which registered model.
        number: 1, 2, 3, … of it.
        model_id: the model, which cannot be deleted as long as it is a version.
        tags: texts.
    """

    __tablename__ = "model_versions"

    registered_id: Mapped[str] = mapped_column(ForeignKey("registered_models.id"), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    model_id: Mapped[str] = mapped_column(ForeignKey("models.id"), index=True)
    description: Mapped[str | None] = mapped_column(Text)
    tags: Mapped[list[Any]] = mapped_column(JSON)
    created_at: Mapped[datetime]


class ModelAlias(Base):
    """A name that points to one version of a registered model, and can be moved.

    Attributes:
        registered_id: of which registered model.
        version: where it points to. That version cannot be deleted meanwhile.
        revision: the sequence number of the event that moved it there. No two states of an alias have the same.
        moved_at: when that was.
    """

    __tablename__ = "model_aliases"
    __table_args__ = (
        ForeignKeyConstraint(["registered_id", "version"], ["model_versions.registered_id", "model_versions.number"]),
    )

    registered_id: Mapped[str] = mapped_column(primary_key=True)
    alias: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    revision: Mapped[int] = mapped_column(BigInteger)
    moved_at: Mapped[datetime]


class RegistryEvent(Base):
    """Something that was changed under a registered model's name. Events are added and never changed.

    They are kept by name, not by id: they outlive the registered model, and tell who has deleted it.

    Attributes:
        name: of the registered model.
        sequence: 1, 2, 3, … of that name in its project.
        kind: a `backprop_client.wire.registry.RegistryEventKind`.
        alias: which one was moved; None for other kinds.
        from_version: where the alias pointed to, or the version that was deleted; None if there was none.
        to_version: where the alias points to, or the version that was created; None if there is none.
        model_id: the model of the version that was created or deleted, or that an alias points to.
        key_id: of the key that asked for it; None for a job, and for requests without a key.
        job_id: the job that did it at its end; None for a request.
        at: when, by the database's clock.
    """

    __tablename__ = "registry_events"

    project: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    kind: Mapped[str]
    alias: Mapped[str | None]
    from_version: Mapped[int | None] = mapped_column(BigInteger)
    to_version: Mapped[int | None] = mapped_column(BigInteger)
    model_id: Mapped[str | None]
    key_id: Mapped[str | None]
    job_id: Mapped[str | None]
    at: Mapped[datetime]


class QueuedPrediction(Base):
    """A model's predictions for all rows of a dataset. This row is the truth about them, as a job's is.

    The answers are artifacts, one for each `part_rows` rows, see `domain.predictions.parts`.

    Attributes:
        model_id: no foreign key, since predictions that are done outlive the model.
        dataset_id: likewise.
        unknown_categories: what is done about categories that the training data did not have.
        rows: of the dataset.
        part_rows: rows of each part but the last.
        rows_done: those whose parts are stored. The first rows are done first.
        rate: rows a second of this attempt.
        unknown: how many values have counted as missing because their category was not known, by column, as JSON.
        attempt: how many times a worker has claimed it.
        crashes: how many attempts since the last part have ended without a word.
        token: names the attempt that may write; anybody else's writes change no row.
        lease_expires_at: when the attempt, not heard of since, is taken to be dead.
    """

    __tablename__ = "predictions"
    __table_args__ = (
        Index(None, "status", "lease_expires_at"),
        Index(None, "dataset_id", "status"),
        Index(None, "project", "status"),
        Index(None, "project", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    project: Mapped[str]
    model_id: Mapped[str]
    dataset_id: Mapped[str]
    unknown_categories: Mapped[str]
    status: Mapped[str]
    rows: Mapped[int] = mapped_column(BigInteger)
    part_rows: Mapped[int] = mapped_column(BigInteger)
    rows_done: Mapped[int] = mapped_column(BigInteger)
    rate: Mapped[float | None]
    unknown: Mapped[dict[str, Any]]
    attempt: Mapped[int] = mapped_column(Integer)
    crashes: Mapped[int] = mapped_column(Integer)
    token: Mapped[str | None]
    lease_expires_at: Mapped[datetime | None]
    cancel_requested: Mapped[bool]
    error_code: Mapped[str | None]
    error_message: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class Webhook(Base):
    """An address that is told when something has ended.

    Attributes:
        events: of what it is told, `backprop_client.wire.webhooks.WebhookEvent`.
        disabled_reason: why the service has disabled it; None if it has not.
        secret: signs what it is told, see `domain.webhooks.secrets`.
        previous_secret: signs too, until `previous_until`.
    """

    __tablename__ = "webhooks"
    __table_args__ = (Index(None, "project", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    project: Mapped[str]
    url: Mapped[str] = mapped_column(Text)
    events: Mapped[list[Any]]
    description: Mapped[str | None] = mapped_column(Text)
    enabled: Mapped[bool]
    disabled_reason: Mapped[str | None] = mapped_column(Text)
    secret: Mapped[str]
    previous_secret: Mapped[str | None]
    previous_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class WebhookDelivery(Base):
    """Something that a webhook is to be told.

    Attributes:
        id: the same at every try.
        type: of the event.
        body: the JSON that is sent, to the byte.
        status: a `backprop_client.wire.webhooks.DeliveryStatus`.
        tries: how many there have been.
        next_try_at: when the next is due; None if there is to be none.
        token: names the process that is trying; None if none is.
        taken_until: from then on another may.
        last_status: of the last answer; None if none came.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (Index(None, "status", "next_try_at"), Index(None, "webhook_id", "id"), Index(None, "finished_at"))

    id: Mapped[str] = mapped_column(primary_key=True)
    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhooks.id"))
    project: Mapped[str]
    type: Mapped[str]
    body: Mapped[str] = mapped_column(Text)
    status: Mapped[str]
    tries: Mapped[int] = mapped_column(Integer)
    next_try_at: Mapped[datetime | None]
    token: Mapped[str | None]
    taken_until: Mapped[datetime | None]
    last_status: Mapped[int | None] = mapped_column(Integer)
    last_error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
