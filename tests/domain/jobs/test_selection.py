from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from backprop.selection.racing import best
from backprop.selection.trials import Trial
from backprop_client.wire.resolved_jobs import ResolvedJob, Selection
from backprop_client.wire.specs import JobSpec
from domain.jobs.planning import plan
from domain.jobs.selection import choose, folds_done, largest, networks_of, next_candidates, with_trials
from infra.settings import Settings
from tests.support.tables import column_of, people

COLUMNS = tuple(column_of(name, values) for name, values in people(100).items())


def planned(rows: int) -> ResolvedJob:
    spec = JobSpec.model_validate({"dataset_id": "ds_1", "targets": ["height"]})
    return plan(spec, None, COLUMNS, rows, Settings())


def selection_of(job: ResolvedJob) -> Selection:
    assert job.selection is not None
    return job.selection


@given(st.data(), st.sampled_from([100, 1000]))
def test_folds_go_on_until_all_are_done_and_the_best_is_taken(data: st.DataObject, rows: int) -> None:
    job = planned(rows)
    selection = selection_of(job)
    folds = 0
    while positions := next_candidates(selection):
        assert folds_done(selection) == folds
        deviances = [data.draw(st.floats(0.1, 10) | st.just(math.inf)) for _ in positions]
        selection = with_trials(selection, positions, [Trial(deviance, 60) for deviance in deviances])
        folds += 1
    assert folds == selection.folds
    chosen = choose(job.model_copy(update={"selection": selection}), rows, rows)
    taken = selection_of(chosen).chosen
    assert taken is not None
    deviances_of = [
        [math.inf if each is None else each for each in candidate.deviances] for candidate in selection.candidates
    ]
    simple = [at for at, candidate in enumerate(selection.candidates) if len(candidate.layers) == 1]
    assert taken == (best(deviances_of, folds, simple) or 0)
    candidate = selection.candidates[taken]
    assert chosen.network.layers == candidate.layers
    assert chosen.training.weight_decay == candidate.weight_decay
    assert chosen.training.iterations == job.training.iterations
    assert ResolvedJob.model_validate(chosen.model_dump(mode="json")) == chosen


def test_with_few_rows_nobody_drops_out() -> None:
    for rows, those_left in ((500, 8), (501, 1)):
        selection = selection_of(planned(rows))
        trials = [Trial(1.0 if at == 2 else 9.0, 60) for at in range(8)]
        assert len(next_candidates(with_trials(selection, range(8), trials))) == those_left


def test_the_job_has_the_sizes_of_what_was_chosen() -> None:
    job = planned(1000)
    assert job.network == largest(networks_of(selection_of(job)), job.sizes[0])
    trials = [Trial(1.0 + position, 60) for position in range(8)]
    selection = selection_of(job)
    for fold in range(5):
        positions = next_candidates(selection)
        selection = with_trials(selection, positions, [trials[position] for position in positions])
        assert folds_done(selection) == fold + 1
    chosen = choose(job.model_copy(update={"selection": selection}), 1000, 1000)
    assert chosen.sizes == (job.sizes[0], 1)
    assert chosen.parameters == job.sizes[0] + 1
    assert selection_of(chosen).reason == (
        "It has the lowest mean deviance over 5 folds, 1; all others were far behind."
    )


def test_a_network_without_hidden_layers_is_taken_if_it_is_as_good() -> None:
    job = planned(100)
    selection = selection_of(job)
    everybody = list(range(len(selection.candidates)))
    first_hidden = next(at for at in everybody if len(selection.candidates[at].layers) > 1)
    for fold in range(5):
        deviances = {first_hidden: 1.0, 2: 0.9 if fold == 0 else 1.05}
        selection = with_trials(selection, everybody, [Trial(deviances.get(at, 1.2), 60) for at in everybody])
    chosen = choose(job.model_copy(update={"selection": selection}), 100, 100)
    assert selection_of(chosen).chosen == 2
    assert chosen.training.weight_decay == selection.candidates[2].weight_decay
    assert selection_of(chosen).reason == (
        "It has a mean deviance over 5 folds of 1.02, and no hidden layer. 8 tanh units with λ = 0.001 have 1, which "
        "is no more than one standard error lower."
    )


def test_with_mini_batches_the_job_trains_for_as_many_epochs_as_did_best() -> None:
    job = planned(10_000)
    selection = selection_of(job)
    updates = 45  # an epoch of the nine tenths
    selection = with_trials(
        selection, [0, 1, 2], [Trial(0.5, 9 * updates), Trial(0.2, 4 * updates), Trial(0.3, updates)]
    )
    chosen = choose(job.model_copy(update={"selection": selection}), 10_000, 10_000)
    assert selection_of(chosen).chosen == 1
    assert chosen.training.iterations == 4 * 50
    assert selection_of(chosen).reason == (
        "It has the lowest mean deviance on the rows left out, 0.2; next comes 64 relu units and 64 relu units with "
        "λ = 0.0001, with 0.3."
    )


def test_where_nothing_could_be_tried_the_simplest_is_taken() -> None:
    chosen = choose(planned(100), 3, 3)
    assert selection_of(chosen).chosen == 0
    assert selection_of(chosen).reason == (
        "Too few rows are left to try anything on, so that the simplest candidate is taken."
    )


def test_no_job_gets_more_iterations_than_one_may_have_here() -> None:
    job = planned(10_000)
    selection = with_trials(selection_of(job), [0, 1, 2], [Trial(0.5, 45), Trial(0.2, 40 * 45), Trial(0.3, 45)])
    chosen = choose(job.model_copy(update={"selection": selection}), 10_000, 10_000, 120)
    assert (chosen.training.epochs, chosen.training.iterations) == (2, 100)
