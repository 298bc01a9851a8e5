"""When checkpoints are due, by a clock of the test's own, and in what order their parts come."""

from __future__ import annotations

import pytest

from domain.jobs import checkpoints
from domain.jobs.checkpoints import Part
from infra.codec import from_bytes
from tests.worker.test_recorder import small_run
from worker.keeper import MOST_SHARE, Keeper


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keeper(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Keeper:
    """One whose parts are small, so that a small state has several."""
    monkeypatch.setattr(checkpoints, "PART_BYTES", 100)
    monkeypatch.setattr("worker.keeper.PART_BYTES", 100)
    return Keeper(5.0, clock)


def write_all(keeper: Keeper, seconds: float) -> list[Part]:
    parts = []
    while (part := keeper.next_part()) is not None:
        assert keeper.next_part() is part  # the same one until it is written
        keeper.written(part, seconds)
        parts.append(part)
    return parts


def test_a_checkpoint_is_due_after_its_time(keeper: Keeper, clock: Clock) -> None:
    assert not keeper.is_due
    clock.now += 4.9
    assert not keeper.is_due
    clock.now += 0.2
    assert keeper.is_due
    keeper.take(small_run(), 0)
    assert not keeper.is_due


def test_checkpoints_take_no_more_than_their_share_of_the_time(keeper: Keeper, clock: Clock) -> None:
    keeper.take(small_run(), 0)
    parts = write_all(keeper, seconds=2.0)
    cost = 2.0 * len(parts)
    clock.now += cost / MOST_SHARE - 0.1
    assert not keeper.is_due
    clock.now += 0.2
    assert keeper.is_due


def test_none_is_due_while_the_last_one_is_being_written(keeper: Keeper, clock: Clock) -> None:
    keeper.take(small_run(), 0)
    part = keeper.next_part()
    assert part is not None
    keeper.written(part, 0.0)
    clock.now += 1_000
    assert not keeper.is_due
    write_all(keeper, 0.0)
    assert keeper.is_due


def test_the_parts_are_the_state(keeper: Keeper) -> None:
    run = small_run()
    keeper.take(run, 3)
    parts = write_all(keeper, 0.0)
    assert len(parts) > 2
    assert parts[-1].completes == 3
    state = from_bytes(b"".join(part.content for part in parts))
    assert {name: array.tobytes() for name, array in state.items()} == {
        name: array.tobytes() for name, array in run.state().items()
    }
    assert keeper.has_stale_parts


def test_a_newer_state_takes_the_place_of_one_that_is_being_written(keeper: Keeper) -> None:
    keeper.take(small_run(), 3)
    first = keeper.next_part()
    assert first is not None
    keeper.written(first, 0.0)
    keeper.take(small_run(), 4)
    parts = write_all(keeper, 0.0)
    assert first.generation not in {part.generation for part in parts}
    assert [part.number for part in parts] == list(range(len(parts)))
    assert parts[-1].completes == 4


def test_what_is_left_takes_as_long_as_its_parts(keeper: Keeper) -> None:
    assert keeper.seconds_left == 0
    keeper.take(small_run(), 3)
    assert keeper.seconds_left == 0  # nobody knows yet
    part = keeper.next_part()
    assert part is not None
    keeper.written(part, 2.0)
    left = keeper.seconds_left
    rest = write_all(keeper, 2.0)
    assert left == 2.0 * len(rest)
    assert keeper.seconds_of_another == 2.0 * (1 + len(rest))
    keeper.take(small_run(), 4)
    assert keeper.seconds_left == 2.0 * (1 + len(rest))


def test_what_is_given_up_is_written_no_more(keeper: Keeper) -> None:
    keeper.take(small_run(), 3)
    part = keeper.next_part()
    assert part is not None
    keeper.written(part, 2.0)
    keeper.give_up()
    assert keeper.next_part() is None
    keeper.take(small_run(), 4)
    keeper.give_up()  # before anything of it was written
    assert keeper.next_part() is None
