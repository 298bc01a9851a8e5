from __future__ import annotations

from worker.rate import Rate


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_it_counts_from_where_the_attempt_began_to_where_it_is() -> None:
    clock = Clock()
    rate = Rate(clock)
    assert not rate.has_begun
    assert rate.at(7) is None
    clock.now = 110.0
    rate.training_begins(50)
    assert rate.has_begun
    clock.now = 114.0
    assert rate.at(50) is None
    assert rate.at(51) == 0.25
    assert rate.at(250) == 50.0


def test_what_comes_after_the_training_takes_none_of_its_time() -> None:
    clock = Clock()
    rate = Rate(clock)
    rate.training_begins(0)
    clock.now = 102.0
    rate.training_ends()
    clock.now = 1_000.0
    assert rate.at(10) == 5.0


def test_a_clock_that_has_not_moved_gives_none() -> None:
    rate = Rate(Clock())
    rate.training_begins(0)
    assert rate.at(10) is None
