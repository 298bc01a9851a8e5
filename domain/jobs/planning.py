"""Checking a job against its dataset before anything is queued, and filling in what the client left out.

`plan` is a pure function of the request and of what is known about the dataset's columns: it reads no data. All
problems are gathered, so that a client can mend them in one go.
"""

from __future__ import annotations

import numpy as np

from backprop.activations import output_range
from backprop.costs import COST_FUNCTIONS
from backprop_client.wire.columns import Column
from backprop_client.wire.presets import Situation, says_how_long
from backprop_client.wire.resolved_jobs import InputColumn, ResolvedJob, TargetColumn
from backprop_client.wire.specs import (
    HeldOutDataset,
    HoldoutBy,
    JobSpec,
    Missing,
    NetworkSpec,
    Scaling,
    Task,
    TrainingSpec,
)
from domain.jobs.candidates import selection_of
from domain.jobs.columns import QUANTITIES, Chosen, check_targets, check_values, named, required_columns
from domain.jobs.columns import inputs as input_columns
from domain.jobs.epochs import no_longer_than, settled
from domain.jobs.holdouts import (
    IS_NO_INPUT,
    Table,
    check_enough_rows,
    column_to_hold_out_by,
    least_held_out,
    other_table,
    usually_held_out,
    way_to_hold_out,
)
from domain.jobs.limits import JobLimits, check_iterations, check_limits, estimated_bytes, trial_bytes
from domain.jobs.problems import Problems, network_path
from domain.jobs.registering import check_registration
from domain.jobs.selection import largest, networks_of
from domain.jobs.translation import coding_plan_of, output_activation, sized_network, sizes_of
from domain.jobs.weighting import IS_NO_INPUT as WEIGHTS_ARE_NO_INPUT
from domain.jobs.weighting import WEIGHT_BYTES, class_weight_of, column_of_weights, vectors_of_weights

INTEGER_CLASSES = 100
"""Distinct values. An integer target with more is taken for a quantity unless the client says otherwise."""


def plan(
    spec: JobSpec,
    given: NetworkSpec | None,
    columns: tuple[Column, ...],
    rows: int,
    limits: JobLimits,
    of_model: tuple[InputColumn, ...] | None = None,
    held_out: Table | None = None,
) -> ResolvedJob:
    """Check a job and fill in its defaults.

    Args:
        spec: the request.
        given: the network in the request, or the stored one it names; None if the preset is to choose.
        columns: of the dataset, in file order.
        rows: of the dataset.
        limits: of this server.
        of_model: the inputs of the model that the job starts from, whatever gaps this dataset has; None without one.
        held_out: the dataset whose rows are held out, where `holdout_by` names one.

    Returns:
        The job with nothing left to infer.

    Raises:
        InvalidRequest: the job does not fit the dataset. Its fields hold every problem, its code is the first
            one's: ``unknown_column``, ``duplicate_column``, ``column_is_input_and_target``, ``no_inputs``,
            ``targets_required``, ``targets_not_allowed``, ``one_target_only``, ``task_required``,
            ``text_column``, ``target_is_datetime``, ``target_not_classes``, ``target_not_numeric``,
            ``too_many_classes``, ``one_class_only``, ``constant_target``, ``missing_values``, ``values_too_large``,
            ``inputs_leave_output_range``, ``too_few_rows``, ``patience_needs_holdout``,
            ``held_out_every_needs_holdout``, ``epsilon_too_small``, ``cost_needs_other_output``,
            ``network_required``, ``softmax_needs_classes``, ``sparsity_needs_sigmoid``, ``output_units``,
            ``iterations_and_epochs``, ``stratified_needs_classes``, ``column_is_target``, ``value_not_in_column``,
            ``comparison_needs_holdout``, ``metric_not_comparable``,
            ``unusable_weights``, ``class_weight_needs_classes``, ``unknown_class``, ``duplicate_class``; of the dataset
            whose rows are held out ``column_type_differs`` or ``unknown_category``.
        TooLarge: ``too_many_iterations``, ``too_many_parameters`` or ``training_too_large``.
    """
    problems = Problems()
    missing = spec.missing or "impute"
    targets = named(spec.targets or (), "/targets", columns, problems)
    held_out_by = column_to_hold_out_by(spec, columns, targets, rows, problems)
    weights = column_of_weights(spec, columns, targets, problems)
    other_uses = {} if held_out_by is None else {held_out_by.name: IS_NO_INPUT}
    if weights is not None:
        other_uses[weights.name] = WEIGHTS_ARE_NO_INPUT
    inputs, left_out = input_columns(spec, columns, targets, rows, missing, problems, other_uses)
    task = _task(spec, [target.column for target in targets], problems)
    holdout_by = way_to_hold_out(spec, task, problems)
    for chosen in (*inputs, *targets):
        check_values(chosen, missing, problems)
    check_targets(targets, task, rows, problems)
    class_weight = class_weight_of(spec, task, targets[0].column.categories if targets else None, problems)
    required = required_columns(inputs, targets, missing)
    used = rows - max((column.missing for column in required), default=0)
    if used < 1:
        problems.add("too_few_rows", "/dataset_id", "No row of the dataset has all the values that it needs.")
    else:
        check_enough_rows(spec, holdout_by, used, targets, rows, problems)
    situation = Situation(
        spec.training.preset,
        task or "regression",
        used - usually_held_out(holdout_by, spec.holdout, used),
        sparse=spec.training.sparsity_weight > 0,
    )
    network = _complete(spec, given, situation, problems)
    scaling = _scaling(spec, task, network, inputs, problems)
    if task is None:
        raise problems.refusal()
    training = situation.training(spec.training, network, len(inputs))
    _check_training(spec, training, holdout_by, network, task, problems)
    check_registration(spec, task, inputs, targets, network, holdout_by, problems)
    if problems:
        raise problems.refusal()

    resolved_inputs = of_model or tuple(_input_column(chosen.column, missing) for chosen in inputs)
    resolved_targets = tuple(_target_column(chosen.column, task) for chosen in targets)
    coding = coding_plan_of(network, resolved_inputs, resolved_targets, scaling, missing)
    sizes = _sizes(network, coding.input_width, coding.output_width)
    training = situation.training(spec.training, network, sizes[0])
    training = _in_updates(
        spec,
        training,
        used - least_held_out(holdout_by, spec.holdout, used),
        is_certain=len(required) < 2 and (holdout_by is None or holdout_by == "random"),
        holds_out=holdout_by is not None,
        problems=problems,
    )
    if spec.training.preset == "auto" and not says_how_long(spec.training):
        training = no_longer_than(training, limits.max_iterations)
    _check_output_units(spec, network, sizes[-1], task, problems)
    held_out_table = None
    if isinstance(holdout_by, HeldOutDataset) and held_out is not None:
        held_out_table = other_table(
            holdout_by, held_out, resolved_inputs, resolved_targets, weights, missing, problems
        )
    if problems:
        raise problems.refusal()
    selection = selection_of(spec, given and network, situation, sizes[0], sizes[-1])
    networks = [_with_output(network, sizes[-1])] if selection is None else networks_of(selection)
    network = largest(networks, sizes[0])
    sizes = sizes_of(network, sizes[0])
    sized = sized_network(network, sizes)
    trained = rows - least_held_out(holdout_by, spec.holdout, rows)
    of_a_row = vectors_of_weights(weights, class_weight)
    weighted = rows + (0 if held_out_table is None else held_out_table.rows) if of_a_row else 0
    estimate = max(
        estimated_bytes(
            sized_network(each, sizes_of(each, sizes[0])),
            training,
            trained,
            held_out=holdout_by is not None,
            weighted=weighted,
        )
        for each in networks
    )
    estimate += of_a_row * WEIGHT_BYTES * weighted + trial_bytes(selection, sizes, training.dtype)
    check_iterations(training.iterations, f"/training/{'iterations' if training.epochs is None else 'epochs'}", limits)
    check_limits(spec, sized, estimate, limits)
    return ResolvedJob(
        dataset_id=spec.dataset_id,
        network=network,
        network_id=spec.network_id,
        inputs=resolved_inputs,
        targets=resolved_targets,
        task=task,
        scaling=scaling,
        missing=missing,
        left_out=tuple(left_out),
        table=_but(targets, columns),
        required=tuple(column.name for column in required),
        holdout=spec.holdout,
        holdout_by=holdout_by,
        held_out_table=held_out_table,
        weights=None if weights is None else weights.name,
        class_weight=class_weight,
        training=training,
        selection=selection,
        gradient_check=spec.gradient_check,
        registration=spec.registration,
        from_model_id=spec.from_model_id,
        sizes=sizes,
        rows=rows,
        parameters=sized.parameter_count,
        estimated_bytes=estimate,
    )


def _task(spec: JobSpec, targets: list[Column], problems: Problems) -> Task | None:
    """The task asked for or, where it can be told from the targets, the one inferred."""
    if spec.targets is None:
        if spec.task != "reconstruction":
            problems.add(
                "targets_required",
                "/targets",
                'Name the columns to predict in targets, or give task "reconstruction" to have the network '
                "reproduce its inputs.",
            )
            return None
        return spec.task
    if spec.task == "reconstruction":
        problems.add(
            "targets_not_allowed", "/targets", "For reconstruction the inputs are the targets: leave targets out."
        )
        return None
    if spec.task is not None:
        return spec.task
    if len(spec.targets) > 1:
        return "regression"
    return _inferred_task(targets[0], problems) if targets else None


def _inferred_task(target: Column, problems: Problems) -> Task | None:
    if target.type in ("category", "boolean"):
        return "classification"
    if target.type == "number":
        return "regression"
    if target.type == "integer":
        if target.categories is None or len(target.categories) > INTEGER_CLASSES:
            return "regression"
        problems.add(
            "task_required",
            "/task",
            f"Column {target.name!r} holds {len(target.categories)} different integers, which may be classes or "
            'a quantity: give task "classification" or "regression".',
        )
    return None


def _scaling(
    spec: JobSpec, task: Task | None, network: NetworkSpec, inputs: list[Chosen], problems: Problems
) -> Scaling:
    """The scaling asked for or the task's default; for reconstruction it must stay in the output's range."""
    activation = output_activation(network)
    bounds = output_range(activation) if task == "reconstruction" else None
    if spec.scaling is None:
        return "standardize" if bounds is None else "min_max"
    if bounds is not None and spec.scaling != "min_max":
        low, high = bounds
        numbers = [chosen for chosen in inputs if chosen.column.type in QUANTITIES]
        if spec.scaling == "standardize" and numbers:
            problems.add(
                "inputs_leave_output_range",
                "/scaling",
                f"A {activation} output lies in [{low:g}, {high:g}] and cannot reproduce standardized inputs: use "
                "scaling min_max, or a linear output.",
            )
        if spec.scaling == "none":
            for path, column in numbers:
                if not low <= (column.minimum or 0.0) <= (column.maximum or 0.0) <= high:
                    problems.add(
                        "inputs_leave_output_range",
                        path,
                        f"Column {column.name!r} lies in [{column.minimum:g}, {column.maximum:g}], outside of the "
                        f"[{low:g}, {high:g}] of a {activation} output: use scaling min_max, or a linear output.",
                    )
    return spec.scaling


def _but(targets: list[Chosen], columns: tuple[Column, ...]) -> tuple[str, ...]:
    names = {chosen.column.name for chosen in targets}
    return tuple(column.name for column in columns if column.name not in names)


def _complete(spec: JobSpec, given: NetworkSpec | None, situation: Situation, problems: Problems) -> NetworkSpec:
    """The network with all activations: the one given, or else one that the preset makes do with."""
    if given is not None:
        return situation.complete(given)
    if situation.preset == "tutorial" or spec.task == "reconstruction":
        whose = "task reconstruction" if spec.task == "reconstruction" else "preset tutorial"
        problems.add(
            "network_required",
            "/network",
            f"With the {whose} nobody chooses a network: give its layers in network, such as "
            '{"layers": [{"units": 25}, {}]}, or the id of a stored one in network_id.',
        )
    return situation.usual_network


def _in_updates(
    spec: JobSpec, training: TrainingSpec, most: int, *, is_certain: bool, holds_out: bool, problems: Problems
) -> TrainingSpec:
    """The training with its epochs counted in updates, as far as the number of training rows is known.

    If it is not, the job has the most iterations that it can have, and a worker that has counted the rows settles it.

    Args:
        spec: the request.
        training: with all that applies filled in.
        most: training rows, at most.
        is_certain: whether there are so many.
        holds_out: whether rows are held out.
        problems: where a problem is added.
    """
    at_most = settled(training, most, holds_out=holds_out)
    if training.epochs is not None and "iterations" in spec.training.model_fields_set:
        if training.iterations < at_most.iterations and not is_certain:  # what a worker made of them, sent back
            at_most = settled(training.model_copy(update={"epochs": None}), most, holds_out=holds_out)
        elif training.iterations != at_most.iterations:
            problems.add(
                "iterations_and_epochs",
                "/training/epochs",
                f"{training.epochs:,} epochs of this dataset are {at_most.iterations:,} iterations, and iterations "
                f"says {training.iterations:,}: give one of the two.",
            )
    if not is_certain and training.held_out_every is None and training.batch_size is not None:
        return at_most.model_copy(update={"held_out_every": None})
    return at_most


def _check_training(
    spec: JobSpec,
    training: TrainingSpec,
    holdout_by: HoldoutBy | None,
    network: NetworkSpec,
    task: Task | None,
    problems: Problems,
) -> None:
    """What a training needs of the network and of the data."""
    if training.patience is not None and holdout_by is None:
        problems.add(
            "patience_needs_holdout",
            "/training/patience",
            "Early stopping looks at the cost of held-out rows, and none are held out: give a holdout or holdout_by.",
        )
    if training.held_out_every is not None and holdout_by is None:
        problems.add(
            "held_out_every_needs_holdout",
            "/training/held_out_every",
            "No rows are held out, so that none can be measured: give a holdout or holdout_by.",
        )
    least = float(np.finfo(training.dtype).tiny)
    if training.init == "normal" and training.epsilon < least:
        problems.add(
            "epsilon_too_small",
            "/training/epsilon",
            f"Initial weights of the size {training.epsilon:g} are 0 in {training.dtype} or have lost digits, and "
            f"units that start equal stay equal: give an epsilon of {least:.3g} at least.",
        )
    last = len(network.layers) - 1
    output = output_activation(network)
    allowed = COST_FUNCTIONS[training.cost or "squared_error"].activations
    if output not in allowed:
        problems.add(
            "cost_needs_other_output",
            "/training/cost",
            f"{training.cost} goes with an output layer of {' or '.join(allowed)}, not {output}.",
        )
    if output == "softmax" and task not in ("classification", None):
        problems.add(
            "softmax_needs_classes",
            network_path(spec, f"/layers/{last}/activation"),
            f"Softmax outputs are the probabilities of classes, and the task is {task}: use sigmoid, tanh or linear.",
        )
    if training.sparsity_weight:
        _check_sparsity(spec, network, problems)


def _check_sparsity(spec: JobSpec, network: NetworkSpec, problems: Problems) -> None:
    hidden = network.layers[:-1]
    if not hidden:
        problems.add(
            "sparsity_needs_sigmoid",
            "/training/sparsity_weight",
            "The sparsity term is about hidden units, and the network has none.",
        )
    for index, layer in enumerate(hidden):
        if layer.activation != "sigmoid":
            problems.add(
                "sparsity_needs_sigmoid",
                network_path(spec, f"/layers/{index}/activation"),
                f"The sparsity term needs mean activations between 0 and 1: hidden layers must be sigmoid, not "
                f"{layer.activation}.",
            )


def _input_column(column: Column, missing: Missing) -> InputColumn:
    coded = column.type in ("category", "boolean")
    return InputColumn.model_validate(
        {
            "name": column.name,
            "type": column.type,
            "categories": column.categories if coded else None,
            "periods": column.periods or (),
            "times_of_day": column.times_of_day,
            "has_gaps": missing == "impute" and column.missing > 0,
        }
    )


def _target_column(column: Column, task: Task) -> TargetColumn:
    classes = column.categories if task == "classification" else None
    return TargetColumn(name=column.name, type=column.type, classes=classes)


def _with_output(network: NetworkSpec, units: int) -> NetworkSpec:
    """The network with so many output units."""
    *hidden, output = network.layers
    return NetworkSpec(layers=(*hidden, output.model_copy(update={"units": units})))


def _sizes(network: NetworkSpec, inputs: int, outputs: int) -> tuple[int, ...]:
    """Units of every layer; those of the first and the last follow from the data."""
    return (inputs, *(layer.units or 0 for layer in network.layers[:-1]), outputs)


def _check_output_units(spec: JobSpec, network: NetworkSpec, outputs: int, task: Task, problems: Problems) -> None:
    given = network.layers[-1].units
    if given is not None and given != outputs:
        reason = {
            "classification": "one a class, but one only for two classes unless the output is softmax",
            "regression": "one a target",
            "reconstruction": "one for each unit of the coded inputs",
        }[task]
        problems.add(
            "output_units",
            network_path(spec, f"/layers/{len(network.layers) - 1}/units"),
            f"The output layer has {given} units, and this job needs {outputs} ({reason}). Leave units out to have "
            "the right number.",
        )
