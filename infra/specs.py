"""What a job is asked to do: network, training and data, as a client writes it and as a worker reads it.

`JobSpec` is the body of a request. `ResolvedJob` is the same job once it has been checked against its
dataset: every default filled in, every column typed, every layer's size known. The job's row stores the
latter, as JSON.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictStr,
    field_validator,
    model_validator,
)

from infra.columns import ColumnType, Labels

Activation = Literal["sigmoid", "tanh", "relu", "linear"]
Task = Literal["classification", "regression", "reconstruction"]
Scaling = Literal["standardize", "min_max", "none"]
Optimizer = Literal["gradient_descent"]

HIDDEN_ONLY: tuple[Activation, ...] = ("relu",)
"""Activations no output layer can have: no coding of targets fits their range."""


def _refuse_text_and_booleans(value: object) -> object:
    """Keep Pydantic from reading the string "3" or the boolean true as a number."""
    if isinstance(value, bool | str | bytes):
        raise ValueError("must be a number")
    return value


def _refuse_lone_surrogates(name: str) -> str:
    """JSON can spell half of a surrogate pair, which no file, database or answer could hold."""
    if any("\ud800" <= character <= "\udfff" for character in name):
        raise ValueError("is not valid Unicode text")
    return name


_Integer = Annotated[int, BeforeValidator(_refuse_text_and_booleans)]
_Number = Annotated[float, BeforeValidator(_refuse_text_and_booleans), Field(allow_inf_nan=False)]
_Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
_Name = Annotated[str, AfterValidator(_refuse_lone_surrogates)]
_ColumnNames = Annotated[tuple[_Name, ...], Field(min_length=1, max_length=10_000)]


class _Spec(BaseModel):
    """Frozen, and an unknown field is an error: a misspelt option must not be silently ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LayerSpec(_Spec):
    """One layer of units after the input layer."""

    units: _Integer | None = Field(
        default=None,
        ge=1,
        le=1_000_000_000,
        description="How many units the layer has (the bias is not counted). Required for a hidden layer; "
        "the output layer may leave it out, since its size follows from the targets.",
    )
    activation: Activation = Field(
        default="sigmoid",
        description="f in a = f(z). Hidden layers: sigmoid, tanh, relu or linear; output: sigmoid, tanh or linear.",
    )


class NetworkSpec(_Spec):
    """A feed-forward network. Its input size comes from the data."""

    layers: tuple[LayerSpec, ...] = Field(
        min_length=1,
        max_length=100,
        description="The hidden layers in order, then the output layer as the last.",
        examples=[[{"units": 25, "activation": "sigmoid"}, {"activation": "sigmoid"}]],
    )

    @field_validator("layers")
    @classmethod
    def _hidden_sizes_and_output_activation(cls, layers: tuple[LayerSpec, ...]) -> tuple[LayerSpec, ...]:
        without_units = [str(index) for index, layer in enumerate(layers[:-1]) if layer.units is None]
        if without_units:
            raise ValueError(
                f"hidden layers need units, which layer {', '.join(without_units)} (counted from 0) does not "
                "give; only the last layer, the output, may leave them out"
            )
        output = layers[-1].activation
        if output in HIDDEN_ONLY:
            raise ValueError(f"the last layer is the output: use sigmoid, tanh or linear there, not {output}")
        return layers


class TrainingSpec(_Spec):
    """How the network is trained. Symbols are those of the tutorial's page on backpropagation."""

    iterations: _Integer = Field(
        default=400,
        ge=0,
        le=10_000_000,
        description="N, the number of parameter updates. N iterations record N + 1 costs: J at the start and "
        "after each update; 0 gives the initial weights.",
    )
    learning_rate: _Number = Field(
        default=1.0,
        gt=0,
        description="α, the step along the negative gradient of J. The default suits sigmoid networks on scaled "
        "inputs; linear and relu units mostly need 0.1 or less, and more so with many outputs.",
    )
    weight_decay: _Number = Field(
        default=0.0, ge=0, description="λ of the decay term (λ/2) Σ W² in J. Biases are not decayed."
    )
    init: Literal["normal", "uniform"] = Field(
        default="normal",
        description="Initial parameters. normal: every weight and bias ~ N(0, ε²), as on the page; uniform: "
        "weights ~ U[−r, r], r = √(6 / (n_in + n_out + 1)), biases 0.",
    )
    epsilon: _Number = Field(
        default=0.01, gt=0, description="ε, the standard deviation of the normal init; unused by uniform."
    )
    seed: _Integer = Field(
        default=0,
        ge=0,
        le=2**63 - 1,
        description="Decides everything random: the initial parameters and which rows are held out.",
    )
    dtype: Literal["float64", "float32"] = Field(
        default="float64",
        description="Precision of parameters, data and arithmetic. float32 takes about half the time.",
    )
    optimizer: Optimizer = Field(
        default="gradient_descent",
        description="gradient_descent: W −= α ∇J over all training examples at once, as on the page.",
    )


class JobSpec(_Spec):
    """A training job as a client asks for it. What is left out is inferred from the dataset's columns."""

    dataset_id: _Id = Field(description="The dataset to learn from.", examples=["ds_01jd3kz7"])
    network: NetworkSpec | None = Field(
        default=None, description="The network, in place. Give either this or network_id."
    )
    network_id: _Id | None = Field(default=None, description="The id of a stored network.")
    inputs: _ColumnNames | None = Field(
        default=None,
        description="Columns the network sees, in order. Default: all that are not targets, in file order.",
    )
    targets: _ColumnNames | None = Field(
        default=None,
        description="Columns to predict: one for classification, one or more for regression, none for reconstruction.",
    )
    task: Task | None = Field(
        default=None,
        description="Default: classification for one category or boolean target; regression for number "
        "targets and for integer ones with more than 100 distinct values. To be given for other integer "
        "targets and for reconstruction (targets = inputs).",
    )
    scaling: Scaling | None = Field(
        default=None,
        description="How number inputs are scaled; learned from the training rows. standardize: "
        "(x − mean) / sd; min_max: into [0, 1]; none: as they are. Default: standardize; for reconstruction "
        "by a sigmoid or tanh output: min_max, into that output's range, [0, 1] or [−1, 1].",
    )
    holdout: _Number = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="Fraction of the m rows kept out of training and used for metrics only: the first "
        "round(fraction · m) of numpy.random.default_rng(seed).permutation(m), and at least 1.",
    )
    training: TrainingSpec = Field(default_factory=TrainingSpec, description="How to train; every field has a default.")

    @model_validator(mode="after")
    def _one_network(self) -> Self:
        if (self.network is None) == (self.network_id is None):
            raise ValueError("give exactly one of network and network_id")
        return self


class InputColumn(_Spec):
    """A column the network sees, with the categories of a category or boolean column; a number has none."""

    name: str
    type: ColumnType
    categories: tuple[StrictBool, ...] | tuple[StrictStr, ...] | None = None


class TargetColumn(_Spec):
    """A column the network learns to predict, with the sorted classes if the task is classification."""

    name: str
    type: ColumnType
    classes: Labels | None = None


class ResolvedJob(_Spec):
    """A job with nothing left to infer: what the database keeps and the worker trains.

    Attributes:
        network: with the output layer's units filled in.
        targets: empty for reconstruction, where the inputs are the targets.
        sizes: units of every layer, (s_1, …, s_nl): the coded inputs, the hidden layers, the outputs.
        rows: of the dataset, held-out ones included.
        parameters: how many weights and biases the network has.
        estimated_bytes: of memory, estimated, that training takes.
    """

    dataset_id: str
    network: NetworkSpec
    network_id: str | None = None
    inputs: tuple[InputColumn, ...]
    targets: tuple[TargetColumn, ...]
    task: Task
    scaling: Scaling
    holdout: float
    training: TrainingSpec
    sizes: tuple[int, ...]
    rows: int
    parameters: int
    estimated_bytes: int
