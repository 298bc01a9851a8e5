"""What a job is asked to do: network, training and data, as a client writes it.

`JobSpec` is the body of a request. What becomes of it is in `resolved_jobs`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from typing_extensions import Self

from backprop_client.wire.captions import NAME, NOTE, TAGS, Note
from backprop_client.wire.columns import CATEGORY_LIMIT
from backprop_client.wire.names import Name, Tags
from backprop_client.wire.registration import Registration
from backprop_client.wire.strict_models import StrictModel, at_most

Activation = Literal["sigmoid", "tanh", "relu", "linear", "softmax"]
Task = Literal["classification", "regression", "reconstruction"]
Scaling = Literal["standardize", "min_max", "none"]
Missing = Literal["impute", "drop_rows", "refuse"]
Optimizer = Literal["gradient_descent", "momentum", "adam", "lbfgs"]
CostName = Literal["squared_error", "cross_entropy"]
Preset = Literal["auto", "tutorial"]

HIDDEN_ONLY: tuple[Activation, ...] = ("relu",)
"""No output layer can have these activations: no coding of targets fits their range."""

OUTPUT_ONLY: tuple[Activation, ...] = ("softmax",)
"""No hidden layer can have these activations: a unit's value depends on its neighbours."""

OPTIMIZER_FIELDS: dict[Optimizer, dict[str, float | None]] = {
    "gradient_descent": {"learning_rate": 1.0, "batch_size": None},
    "momentum": {"learning_rate": 0.1, "momentum": 0.9, "batch_size": None},
    "adam": {"learning_rate": 0.001, "batch_size": None},
    "lbfgs": {"corrections": 10},
}
"""The fields of a training that each optimizer reads, with their defaults. Other optimizers may not have them. The
core's own table says the same, and a test compares the two. A client has no core to ask."""

OPTIMIZERS_WITH: dict[str, tuple[Optimizer, ...]] = {
    field: tuple(optimizer for optimizer, read in OPTIMIZER_FIELDS.items() if field in read)
    for field in ("learning_rate", "momentum", "corrections", "batch_size")
}
"""The optimizers that read each field."""

MEANT_BY: dict[str, Optimizer] = {
    "momentum": "momentum",
    "learning_rate": "gradient_descent",
    "corrections": "lbfgs",
    "batch_size": "adam",
}
"""Which optimizer is meant, with the preset auto, where none is given but one of these fields; the first one counts."""

DEFAULT_SPARSITY = 0.01

MOST_ITERATIONS = 1_000_000_000

LARGEST_CLASS_WEIGHT = 1e100
"""The most that a class may weigh: its product with the weight of a row must be a number."""


def refuse_text_and_booleans(value: object) -> object:
    """Keep Pydantic from reading the string "3" or the boolean true as a number."""
    if isinstance(value, bool | str | bytes):
        raise ValueError("must be a number")
    return value


def _refuse_lone_surrogates(name: str) -> str:
    """JSON can spell half of a surrogate pair, which no file, database or answer could hold."""
    if any("\ud800" <= character <= "\udfff" for character in name):
        raise ValueError("is not valid Unicode text")
    return name


_Integer = Annotated[int, BeforeValidator(refuse_text_and_booleans)]
_Number = Annotated[float, BeforeValidator(refuse_text_and_booleans), Field(allow_inf_nan=False)]
_Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
_Name = Annotated[str, AfterValidator(_refuse_lone_surrogates)]
_ColumnNames = Annotated[tuple[_Name, ...], at_most(10_000), Field(min_length=1, max_length=10_000)]


class Spec(StrictModel):
    """What a client may have written; it does not change."""

    model_config = ConfigDict(frozen=True)


class LayerSpec(Spec):
    """One layer of units after the input layer."""

    units: _Integer | None = Field(
        default=None,
        ge=1,
        le=1_000_000_000,
        description="How many units the layer has (the bias is not counted). Required for a hidden layer; "
        "the output layer may leave it out, since its size follows from the targets.",
    )
    activation: Activation | None = Field(
        default=None,
        description="f in a = f(z). Hidden layers: sigmoid, tanh, relu or linear; output: sigmoid, tanh, linear, or "
        "softmax for classes, whose outputs are probabilities. Default: what the job's training.preset gives. auto: "
        "hidden tanh, or relu for more than 5,000 training rows, or sigmoid with a sparsity_weight; output softmax for "
        "classes, linear for others. tutorial: sigmoid.",
    )


class NetworkSpec(Spec):
    """A feed-forward network. Its input size comes from the data."""

    layers: Annotated[tuple[LayerSpec, ...], at_most(100)] = Field(
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
            raise ValueError(f"the last layer is the output: use sigmoid, tanh, linear or softmax there, not {output}")
        for index, layer in enumerate(layers[:-1]):
            if layer.activation in OUTPUT_ONLY:
                raise ValueError(f"layer {index} (counted from 0) is hidden, and {layer.activation} is for the output")
        return layers


def _default_of_preset(schema: dict[str, Any]) -> None:
    """Take the default out of a field's schema: which one there is depends on the preset."""
    schema.pop("default", None)


class TrainingSpec(Spec):
    """How the network is trained. Symbols are those of the tutorial's pages on backpropagation and what follows it.

    A field that the optimizer would not read is refused rather than ignored. Fields whose default is null get the one
    that their description names, if they apply (`with_defaults`).

    The defaults in this class are those of the preset tutorial. The preset auto has others for some fields
    (`PRESET_FIELDS`), which depend on the data; a field that was given (`model_fields_set`) keeps what was given.
    """

    preset: Preset = Field(
        default="auto",
        description="Where the values of fields come from that are not given. tutorial: the page to the letter: "
        "sigmoid units, squared error, weights from N(0, 0.01²), batch gradient descent without decay. auto: what does "
        "well on most tables. Up to 5,000 training rows: lbfgs, float64; above: adam on mini-batches of 200, float32; "
        "uniform init. The network, if none is given, and weight_decay are chosen by trials (see select).",
    )
    optimizer: Optimizer = Field(
        default="gradient_descent",
        json_schema_extra=_default_of_preset,
        description="gradient_descent: W −= α ∇J, as on the page. momentum: v = μ v − α ∇J, W += v. adam: Kingma and "
        "Ba's, with β₁ = 0.9, β₂ = 0.999, ε = 1e-8. lbfgs: L-BFGS with a Wolfe line search, which needs no "
        "learning_rate and several evaluations of J an iteration. Default of tutorial: gradient_descent. Default of "
        "auto: momentum, gradient_descent, lbfgs or adam where momentum, learning_rate, corrections or batch_size is "
        "given, the first of these that is; else lbfgs up to 5,000 training rows and adam above.",
    )
    iterations: _Integer = Field(
        default=400,
        ge=0,
        le=MOST_ITERATIONS,
        json_schema_extra=_default_of_preset,
        description="N, the number of parameter updates. N iterations record N + 1 costs: J at the start and "
        "after each update; 0 gives the initial weights. Default of tutorial: 400. Default of auto: 100 for lbfgs; for "
        "adam the number that did best in the trials, or 30 passes over the rows without trials; 400 for the others.",
    )
    epochs: _Integer | None = Field(
        default=None,
        ge=0,
        le=MOST_ITERATIONS,
        description="How many times the training takes every training row, instead of iterations: with mini-batches an "
        "epoch is ⌈m / batch_size⌉ iterations, else one. The job has as many iterations as that is. Not with "
        "iterations. Null: iterations says how many.",
    )
    learning_rate: _Number | None = Field(
        default=None,
        gt=0,
        description="α, the step along the negative gradient of J; not for lbfgs. Default: 1 for gradient_descent, "
        "0.1 for momentum, 0.001 for adam. They suit sigmoid networks on scaled inputs; linear and relu units mostly "
        "need a tenth or less, and more so with many outputs.",
    )
    momentum: _Number | None = Field(
        default=None, ge=0, lt=1, description="μ, the share of the last step that momentum keeps. Default: 0.9."
    )
    corrections: _Integer | None = Field(
        default=None, ge=1, le=1000, description="How many past steps lbfgs remembers. Default: 10, and 20 for auto."
    )
    batch_size: _Integer | None = Field(
        default=None,
        ge=1,
        le=2**31,
        description="Examples of a mini-batch: an iteration then is one update on so many of them, in an order that is "
        "shuffled for every pass. Null: all at every update. Not for lbfgs. Default: null, but 200 for the adam that "
        "auto has chosen.",
    )
    cost: CostName | None = Field(
        default=None,
        description="J(W,b;x,y) of one example. squared_error: ½‖h(x) − y‖², as on the page; cross_entropy: "
        "−Σ y log h(x) for a softmax output, −Σ [y log h(x) + (1 − y) log(1 − h(x))] for a sigmoid one. Default: "
        "cross_entropy for a softmax output, squared_error for all others.",
    )
    weight_decay: _Number = Field(
        default=0.0,
        ge=0,
        json_schema_extra=_default_of_preset,
        description="λ of the decay term (λ/2) Σ W² in J. Biases are not decayed. Default of tutorial: 0. Default of "
        "auto: the one that did best in the trials; without trials 0.01 up to 5,000 training rows, 0.0001 above, and "
        "that of the model that the job starts from.",
    )
    sparsity_weight: _Number = Field(
        default=0.0,
        ge=0,
        description="β of the sparsity term β Σ_j KL(ρ‖ρ̂_j) in J, ρ̂_j being the mean activation of hidden unit j. "
        "Needs hidden layers, all of them sigmoid. 0: no such term.",
    )
    sparsity: _Number | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="ρ, the mean activation that hidden units are drawn to. Only with sparsity_weight. Default: 0.01.",
    )
    tolerance: _Number = Field(
        default=0.0,
        ge=0,
        description="Training ends before the last iteration where ‖∇J‖ ≤ tolerance; 0 for never. Not with batch_size.",
    )
    patience: _Integer | None = Field(
        default=None,
        ge=1,
        le=10_000_000,
        description="Early stopping: training ends after so many iterations without a new lowest cost of the held-out "
        "rows, and the model gets the weights that had it. It ends where these rows are measured (held_out_every), so "
        "it may go on a little longer. Needs a holdout. Null: never.",
    )
    held_out_every: _Integer | None = Field(
        default=None,
        ge=1,
        le=MOST_ITERATIONS,
        description="The held-out rows are measured at the iterations that are multiples of it, 0 included; the costs "
        "of other iterations have null as held_out_cost. Needs a holdout. Default: every iteration, or with "
        "mini-batches once an epoch, which is filled in as soon as the number of training rows is known.",
    )
    init: Literal["normal", "uniform"] = Field(
        default="normal",
        json_schema_extra=_default_of_preset,
        description="Initial parameters. normal: every weight and bias ~ N(0, ε²), as on the page; uniform: "
        "weights ~ U[−r, r], r = √(6 / (n_in + n_out + 1)), biases 0. Default of tutorial: normal; of auto: uniform, "
        "or normal where an epsilon is given.",
    )
    epsilon: _Number = Field(
        default=0.01, gt=0, description="ε, the standard deviation of the normal init; unused by uniform."
    )
    seed: _Integer = Field(
        default=0,
        ge=0,
        le=2**63 - 1,
        description="Decides everything random: the initial parameters, which rows are held out, the order in "
        "which mini-batches take them.",
    )
    dtype: Literal["float64", "float32"] = Field(
        default="float64",
        json_schema_extra=_default_of_preset,
        description="Precision of parameters, data and arithmetic. float32 takes about half the time. Default of "
        "tutorial: float64; of auto: float64, but float32 above 5,000 training rows.",
    )

    @model_validator(mode="before")
    @classmethod
    def _optimizer_that_is_meant(cls, given: object) -> object:
        """With the preset auto, a field that not all optimizers read tells which one is meant."""
        if not isinstance(given, dict) or "optimizer" in given or given.get("preset", "auto") != "auto":
            return given
        meant = next((optimizer for field, optimizer in MEANT_BY.items() if given.get(field) is not None), None)
        return given if meant is None else {**given, "optimizer": meant}

    @field_validator(*OPTIMIZERS_WITH)
    @classmethod
    def _read_by_the_optimizer(cls, value: float | None, info: ValidationInfo) -> float | None:
        optimizer = info.data.get("optimizer")  # absent if it was refused itself
        takers = OPTIMIZERS_WITH[info.field_name or ""]
        if value is not None and optimizer is not None and optimizer not in takers:
            raise ValueError(f"{optimizer} has no {info.field_name}; it is for {', '.join(takers)}")
        return value

    @field_validator("sparsity")
    @classmethod
    def _sparsity_has_a_weight(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is not None and info.data.get("sparsity_weight") == 0:
            raise ValueError("has no effect without a sparsity_weight")
        return value

    @field_validator("tolerance")
    @classmethod
    def _tolerance_is_of_all_examples(cls, value: float, info: ValidationInfo) -> float:
        if value and info.data.get("batch_size") is not None:
            raise ValueError("the gradient of a mini-batch does not vanish at the minimum: give no batch_size")
        return value

    def with_defaults(self, output: Activation) -> TrainingSpec:
        """The same training with every default filled in that applies, for a network with that output."""
        defaults: dict[str, Any] = {
            **OPTIMIZER_FIELDS[self.optimizer],
            "cost": "cross_entropy" if output == "softmax" else "squared_error",
            "sparsity": DEFAULT_SPARSITY if self.sparsity_weight else None,
        }
        return self.model_copy(update={name: value for name, value in defaults.items() if getattr(self, name) is None})


class HeldOutRows(Spec):
    """The rows with a value of a column are held out.

    Attributes:
        column: any of the dataset but a target.
        value: of the column's type; a moment in ISO 8601.
    """

    column: _Name
    value: (
        StrictBool
        | StrictInt
        | Annotated[StrictFloat, Field(allow_inf_nan=False)]
        | Annotated[StrictStr, AfterValidator(_refuse_lone_surrogates)]
    )


class HeldOutDataset(Spec):
    """The rows of another dataset are held out."""

    dataset_id: _Id


def _way_to_hold_out(given: object) -> object:
    """Say in one error what is possible, where the union would give one for each of its members."""
    for form in (HeldOutRows, HeldOutDataset):
        try:
            return form.model_validate(given)
        except ValidationError:
            continue
    if given in ("random", "stratified"):
        return given
    raise ValueError(
        'must be "random", "stratified", {"column": name, "value": a text, number or boolean} or {"dataset_id": id}'
    )


HoldoutBy = Annotated[
    Literal["random", "stratified"] | HeldOutRows | HeldOutDataset,
    BeforeValidator(
        _way_to_hold_out, json_schema_input_type=Literal["random", "stratified"] | HeldOutRows | HeldOutDataset
    ),
]


class ClassWeight(Spec):
    """How much the rows of a class count in J."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    label: StrictBool | StrictInt | Annotated[StrictStr, AfterValidator(_refuse_lone_surrogates)] = Field(alias="class")
    weight: _Number = Field(ge=0, le=LARGEST_CLASS_WEIGHT)


ResolvedClassWeight = Literal["balanced"] | tuple[ClassWeight, ...]
"""`balanced`, or a weight for each class in the order of the classes."""


def _class_weights(given: object) -> object:
    """From label to weight as a list; and say in one error what is possible."""
    listed = given
    if isinstance(given, dict):
        listed = [{"class": label, "weight": weight} for label, weight in given.items()]
    if isinstance(listed, list | tuple) and 0 < len(listed) <= CATEGORY_LIMIT:
        try:
            return tuple(map(ClassWeight.model_validate, listed))
        except ValidationError:
            pass
    if given == "balanced":
        return given
    raise ValueError(
        f'must be "balanced", an object from class to weight or a list of {{"class": label, "weight": w}}, of at most '
        f"{CATEGORY_LIMIT:,} classes; weights are numbers from 0 to {LARGEST_CLASS_WEIGHT:g}"
    )


ClassWeights = Annotated[
    ResolvedClassWeight,
    BeforeValidator(
        _class_weights, json_schema_input_type=Literal["balanced"] | tuple[ClassWeight, ...] | dict[str, float]
    ),
]


class JobSpec(Spec):
    """A training job as a client asks for it. What is left out is inferred from the dataset's columns."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    name: Name | None = Field(default=None, description=f"{NAME} The model will have it too.")
    tags: Tags = Field(default=(), description=f"{TAGS} The model will have them too.")
    note: Note | None = Field(default=None, description=NOTE)
    dataset_id: _Id = Field(description="The dataset to learn from.", examples=["ds_01jd3kz7"])
    network: NetworkSpec | None = Field(
        default=None,
        description="The network, in place. Give either this or network_id, or neither: with from_model_id the model's "
        "is trained, and with the preset auto one is chosen.",
    )
    network_id: _Id | None = Field(default=None, description="The id of a stored network.")
    inputs: _ColumnNames | None = Field(
        default=None,
        description="Columns the network sees, in order. Default: all that are not targets, in file order, but for "
        "those that teach nothing, or nothing that holds for other rows: constant and empty columns, texts, names and "
        "keys, indexes. The job says in left_out which these are. A column named here is taken all the same, unless it "
        "is text.",
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
    missing: Missing | None = Field(
        default=None,
        description="What is done about missing input values. impute: a number counts as the mean of the training "
        "rows, a category as none, and the network is told by one more input that it was missing; drop_rows: rows with "
        "gaps are left out; refuse: the job is. Rows whose target is missing are left out, or with refuse refused. "
        "Default: impute.",
    )
    holdout: _Number = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="Fraction of the m rows used that is kept out of training, for metrics and early stopping only: "
        "round(fraction · m) of them, and at least 1. Which ones, holdout_by says.",
    )
    holdout_by: HoldoutBy | None = Field(
        default=None,
        description="Which rows are held out. random: the first of numpy.random.default_rng(seed).permutation(m); "
        "stratified: of each class its share, the first of the same order, for classification only; "
        '{"column": c, "value": v}: those whose c is v, and c is no input unless it is named in inputs; '
        '{"dataset_id": id}: those of another dataset with the same columns. The last two go without a holdout. '
        "Default: with a holdout, stratified for classification and random for other tasks.",
    )
    weights: _Name | None = Field(
        default=None,
        description="A column of numbers from 0 up: how much each row counts in J, in training and held out; only the "
        "ratios matter. It is no input unless it is named in inputs. Default: all rows count alike.",
    )
    class_weight: ClassWeights | None = Field(
        default=None,
        description="How much the rows of each class count in J, times their own weight. balanced: m / (K · n_k), n_k "
        "of the m training rows being of class k; else from class to weight, as an object (true or 7 as the text "
        '"true" or "7") or as a list of {"class": label, "weight": w}; classes not named weigh 1. For classification.',
    )
    training: TrainingSpec = Field(default_factory=TrainingSpec, description="How to train; every field has a default.")
    select: StrictBool = Field(
        default=True,
        description="With the preset auto: whether to try networks and weight decays on parts of the training rows "
        "before the training, and to take what does best. What is given is not varied, and nothing is tried where the "
        "network is given and the weight_decay or an optimizer too, or for reconstruction, or with a sparsity_weight.",
    )
    gradient_check: StrictBool = Field(
        default=False,
        description="Compare backpropagation's gradient with a numerical one at the initial parameters, before it "
        "trains. The job shows the result, and fails with the code gradient_check_failed if they differ.",
    )
    from_model_id: _Id | None = Field(
        default=None,
        description="Start from the weights of this model instead of random ones, with its network, columns, task and "
        "scaling, all of which may be left out. The rows, of any dataset with these columns, are coded as the model's "
        "were. The optimizer starts afresh: to go on as if nothing had been, resume the model's job.",
    )
    registration: Registration | None = Field(
        default=None,
        alias="register",
        description="Make the model a version of a registered model as soon as it is there, and have an alias point to "
        "it. Null: it is not registered.",
    )

    @field_validator("holdout_by")
    @classmethod
    def _one_holdout(cls, value: HoldoutBy | None, info: ValidationInfo) -> HoldoutBy | None:
        holdout = info.data.get("holdout")  # absent if it was refused itself
        if isinstance(value, HeldOutRows | HeldOutDataset) and holdout:
            raise ValueError("says itself which rows are held out: give no holdout with it")
        if isinstance(value, str) and holdout == 0:
            raise ValueError("has no effect without a holdout")
        if isinstance(value, HeldOutDataset) and value.dataset_id == info.data.get("dataset_id"):
            raise ValueError("is the dataset that the job learns from: its rows cannot be held out too")
        return value

    @model_validator(mode="after")
    def _one_network(self) -> Self:
        if self.network is not None and self.network_id is not None:
            raise ValueError("give one of network and network_id, not both")
        return self
