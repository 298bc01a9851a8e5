"""What a client sends and gets about models."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, FailFast, Field

from backprop_client.wire.captions import Captioned
from backprop_client.wire.specs import LayerSpec, Task
from backprop_client.wire.strict_models import StrictModel


class ModelSummary(Captioned):
    """A trained model as it is in a list: without its preprocessing, and without the metrics that have many values."""

    id: str
    job_id: str
    from_model_id: str | None = Field(
        description="The model that its training went on from: the one its job named, or the job's own from before it "
        "was resumed; null where training started from random weights."
    )
    dataset_id: str
    task: Task
    sizes: tuple[int, ...] = Field(description="Units of every layer, the coded inputs first.")
    layers: tuple[LayerSpec, ...]
    metrics: dict[str, Any] = Field(
        description="In training on the training rows, in held_out on those held out, null if there are none; in "
        "trivial the same of the trivial model. In the data's own units and labels; docs/jobs.md defines each. Models "
        "from before there were so many have fewer. A list of models leaves out confusion_matrix, roc_curve and "
        "reliability_curve."
    )
    iteration: int = Field(
        description="Updates that the weights have had; with patience, those of the best held-out cost."
    )
    cost: float = Field(
        description="J(W,b) of these weights on the training rows; with mini-batches, on the job's next batch."
    )
    created_at: datetime


class ModelOut(ModelSummary):
    """A trained model: the network, how rows become its inputs, and how good it is."""

    model_config = ConfigDict(title="Model")

    preprocessing: dict[str, Any] = Field(
        description="How rows become inputs and outputs become answers: offsets and scales of numbers (coded = "
        "(value − offset) / scale), categories in the order of their units, the coding of the targets."
    )


class ModelPage(BaseModel):
    """Models, newest first. The preprocessing of each is at its own address."""

    data: list[ModelSummary]
    has_more: bool


def _object_or_array(row: object) -> object:
    """Say so in one error, where the union would give one for each of its members."""
    if not isinstance(row, dict | list):
        raise ValueError("must be a JSON object or array")
    return row


Row = Annotated[dict[str, Any] | list[Any], BeforeValidator(_object_or_array)]


UnknownCategories = Literal["refuse", "as_missing"]


class PredictionRequest(StrictModel):
    """Rows to predict for."""

    rows: Annotated[list[Row], FailFast()] = Field(
        min_length=1,
        description="Each an object from column to value, or an array of values in the order of the model's inputs. "
        "An object may have the dataset's other columns too, which are ignored. null is a missing value.",
        examples=[[{"pixel_0_0": 0, "pixel_0_1": 12}]],
    )
    unknown_categories: UnknownCategories = Field(
        default="refuse",
        description="What is done about a category that the training data did not have. refuse: the request is, with "
        "row and column; as_missing: it counts as a missing value, and the answer says so in unknown.",
    )


class ClassScore(BaseModel):
    """How strongly the network votes for one class."""

    model_config = ConfigDict(populate_by_name=True)

    label: bool | int | str = Field(alias="class")
    score: float = Field(description="In [0, 1]; a probability if the output is softmax, else only a score.")


class UnknownCategory(BaseModel):
    """A value that counts as missing, since the training data did not have it."""

    row: int = Field(description="From 0.")
    column: str


class PredictionResponse(BaseModel):
    """Answers for rows, in the rows' order."""

    model_id: str
    predictions: list[bool | int | float | str | dict[str, Any]] = Field(
        description="One for each row. Classification: the label. Regression: the number; of several targets, from "
        "target to value. Reconstruction: from column to value.",
        examples=[["setosa", "virginica"]],
    )
    classes: list[bool | int | str] | None = Field(
        default=None,
        description="Classification only: all labels, in the order of the scores.",
        examples=[["setosa", "versicolor", "virginica"]],
    )
    scores: list[list[float]] | None = Field(
        default=None,
        description="Classification only: for each row, how strongly the network votes for each class, in [0, 1]. "
        "These are probabilities if the output is softmax, else only scores.",
        examples=[[[0.97, 0.02, 0.01], [0.01, 0.11, 0.88]]],
    )
    unknown: list[UnknownCategory] = Field(
        description="Categories that the training data did not have; none unless unknown_categories is as_missing."
    )


class EffectOut(BaseModel):
    """What permuting a column does to a metric."""

    model_config = ConfigDict(title="Effect")

    mean: float = Field(description="Over the permutations.")
    deviation: float = Field(description="The standard deviation over the permutations; 0 for one.")


class ColumnImportanceOut(BaseModel):
    """How much worse the model is when the values of one input column are permuted among the rows."""

    model_config = ConfigDict(title="ColumnImportance")

    column: str
    score_decrease: EffectOut | None = Field(
        description="By how much the accuracy (classification) or r2_mean (regression) falls; null where these are not "
        "defined, and for a reconstruction."
    )
    cost_increase: EffectOut | None = Field(
        description="By how much the mean of J(W,b;x,y) rises; null where the network overflows."
    )


class ImportanceOut(BaseModel):
    """How much the model needs each of its input columns. docs/jobs.md has the definition."""

    model_config = ConfigDict(title="Importance")

    on: Literal["held_out", "training"] = Field(
        description="On which rows: on those held out, and on the training rows if there are none."
    )
    rows: int = Field(description="r, on how many of these rows.")
    repeats: int = Field(description="How often each column was permuted.")
    seed: int = Field(description="Of the rows and the permutations: that of the job.")
    columns: tuple[ColumnImportanceOut, ...] = Field(
        description="The most important column first: by score_decrease, then by cost_increase."
    )


class DependencePoint(BaseModel):
    """What the model answers on average when the column has this value in all rows."""

    value: bool | int | float | str | None = Field(description="As in the dataset; null where it is missing.")
    scores: list[ClassScore] | None = Field(description="Classification: the mean score of each class.")
    prediction: dict[str, float] | None = Field(description="Regression: from target to mean value, in its units.")


class DependenceOut(BaseModel):
    """How the model's answers depend on one input column. docs/jobs.md has the definition."""

    model_config = ConfigDict(title="Dependence")

    column: str
    rows: int = Field(description="Over how many rows of the dataset the means are.")
    data: list[DependencePoint] = Field(
        description="In the order of the values, categories in the model's order; null comes last."
    )


class FeatureOut(BaseModel):
    """What one unit of the first layer responds to."""

    model_config = ConfigDict(title="Feature")

    unit: int = Field(description="i, from 0 as the rows of W1.")
    norm: float | None = Field(description="√(Σ_j W_ij²); null if it exceeds double precision.")
    values: list[float] = Field(
        description="x_j = W_ij / norm, in the order of `inputs`: of all inputs of length 1 the one that makes the "
        "unit's z greatest. Zeros if all its weights are 0."
    )


class FeaturePage(BaseModel):
    """Features of consecutive units."""

    inputs: list[str] = Field(description="What each unit of the input layer stands for: age, or colour=red.")
    data: list[FeatureOut]
    has_more: bool
