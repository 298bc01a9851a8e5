"""What a client sends and gets about predictions for whole datasets."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from backprop_client.wire.jobs import JobError, Status
from backprop_client.wire.models import UnknownCategories
from backprop_client.wire.strict_models import StrictModel

_Id = Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,64}$")]


class QueuedPredictionRequest(StrictModel):
    """A model, and the dataset that it is to predict for."""

    model_id: _Id
    dataset_id: _Id
    unknown_categories: UnknownCategories = Field(
        default="refuse",
        description="What is done about a category that the training data did not have. refuse: the prediction fails, "
        "with row and column; as_missing: it counts as a missing value, and `unknown` says how many did.",
    )


class QueuedPredictionOut(BaseModel):
    """Predictions for all rows of a dataset: what was asked, and how far they have come."""

    model_config = ConfigDict(title="QueuedPrediction")

    id: str
    status: Status
    model_id: str
    dataset_id: str
    unknown_categories: UnknownCategories
    rows: int = Field(description="Of the dataset.")
    rows_done: int = Field(description="Predicted and stored. A worker that dies loses none of these.")
    rate: float | None = Field(description="Rows per second of this attempt so far.")
    eta_seconds: float | None = Field(description="At this rate, how long until the last row; null unless running.")
    unknown: dict[str, int] = Field(
        description="How many values of a column were categories that the training data did not have; none unless "
        "unknown_categories is as_missing."
    )
    attempt: int = Field(description="How many times a worker has taken it up.")
    cancel_requested: bool
    error: JobError | None
    created_at: datetime
    started_at: datetime | None = Field(description="When the current attempt began.")
    finished_at: datetime | None


class QueuedPredictionPage(BaseModel):
    """Queued predictions, newest first."""

    data: list[QueuedPredictionOut]
    has_more: bool
