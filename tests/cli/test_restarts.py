from __future__ import annotations

from cli.restarts import MOST_DEATHS, WINDOW_SECONDS, Restarts


def test_the_more_often_something_dies_the_later_it_is_started_again() -> None:
    restarts = Restarts()
    assert [restarts.next_delay(100.0 + second) for second in range(5)] == [0.0, 0.5, 1.0, 2.0, 4.0]


def test_what_dies_too_often_is_given_up() -> None:
    restarts = Restarts()
    delays = [restarts.next_delay(100.0) for _ in range(MOST_DEATHS)]
    assert None not in delays[:-1]
    assert delays[-1] is None


def test_what_dies_now_and_then_is_started_again_at_once_for_ever() -> None:
    restarts = Restarts()
    assert {restarts.next_delay(number * (WINDOW_SECONDS + 1)) for number in range(100)} == {0.0}
