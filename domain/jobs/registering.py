"""What a job that registers its model must fit, checked before it is queued."""

from __future__ import annotations

from backprop_client.wire.registration import ComparableMetric
from backprop_client.wire.specs import HoldoutBy, JobSpec, NetworkSpec, Task
from domain.jobs.columns import QUANTITIES, Chosen
from domain.jobs.problems import Problems
from domain.jobs.translation import output_activation
from domain.registry.comparing import OF_ONE_TARGET, OF_PROBABILITIES, OF_TASK


def check_registration(
    spec: JobSpec,
    task: Task,
    inputs: list[Chosen],
    targets: list[Chosen],
    network: NetworkSpec,
    holdout_by: HoldoutBy | None,
    problems: Problems,
) -> None:
    """Find out whether the model will have the metric that it is to be compared by."""
    asked = spec.registration
    if asked is None or asked.if_better is None:
        return
    known = comparable_metrics(task, inputs, targets, network)
    if asked.if_better.metric not in known:
        one_of = f"Compare by {', '.join(known)}." if known else "It has no metric to be compared by."
        problems.add(
            "metric_not_comparable",
            "/register/if_better/metric",
            f"The model will not have {asked.if_better.metric} as one number. {one_of}",
        )
    if asked.if_better.split == "held_out" and holdout_by is None:
        problems.add(
            "comparison_needs_holdout",
            "/register/if_better/split",
            "No rows are held out, so that nothing can be measured on them: give a holdout or holdout_by, or the split "
            "training.",
        )


def comparable_metrics(
    task: Task, inputs: list[Chosen], targets: list[Chosen], network: NetworkSpec
) -> tuple[ComparableMetric, ...]:
    """The metrics that a model of this job can be compared by."""
    unknown: tuple[ComparableMetric, ...] = ()
    if task == "regression" and len(targets) > 1:
        unknown = OF_ONE_TARGET
    if task == "classification" and not _scores_are_probabilities(targets, network):
        unknown = OF_PROBABILITIES
    if task == "reconstruction" and not any(chosen.column.type in QUANTITIES for chosen in inputs):
        unknown = OF_TASK[task]
    return tuple(metric for metric in OF_TASK[task] if metric not in unknown)


def _scores_are_probabilities(targets: list[Chosen], network: NetworkSpec) -> bool:
    """Whether the scores of a row add up to 1: those of softmax do, and those of one unit for two classes."""
    classes = targets[0].column.categories or ()
    return output_activation(network) == "softmax" or len(classes) <= 2
