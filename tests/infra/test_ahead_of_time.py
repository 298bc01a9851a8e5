"""Looks ahead of time: never two at one subject, and none of them is an error for who asked for it."""

from __future__ import annotations

import threading

from infra.ahead_of_time import AheadOfTime

PATIENCE = 10.0
"""Seconds. A look that has not been taken by then never will be."""


def test_of_one_subject_one_look_is_taken_at_a_time() -> None:
    ahead = AheadOfTime()
    begun, may_end, others_done = threading.Event(), threading.Event(), threading.Event()
    looks: list[str] = []

    def slow() -> None:
        looks.append("first")
        begun.set()
        may_end.wait(PATIENCE)

    ahead.look("model", slow)
    assert begun.wait(PATIENCE)
    for _ in range(100):
        ahead.look("model", lambda: looks.append("again"))
    ahead.look("another", others_done.set)
    may_end.set()
    assert others_done.wait(PATIENCE)
    assert looks == ["first"]


def test_a_look_that_fails_leaves_room_for_the_next() -> None:
    ahead = AheadOfTime()
    failed, looked = threading.Event(), threading.Event()

    def failing() -> None:
        failed.set()
        raise OSError("the database is away")

    ahead.look("model", failing)
    assert failed.wait(PATIENCE)
    while not looked.is_set():  # the failed look may not have left yet
        ahead.look("model", looked.set)
        looked.wait(0.01)


def test_closing_waits_for_the_look_that_is_under_way_and_then_none_is_taken() -> None:
    ahead = AheadOfTime()
    begun, may_end = threading.Event(), threading.Event()
    looks: list[str] = []

    def slow() -> None:
        begun.set()
        may_end.wait(PATIENCE)
        looks.append("first")

    ahead.look("model", slow)
    assert begun.wait(PATIENCE)
    threading.Timer(0.05, may_end.set).start()
    ahead.close()
    assert looks == ["first"]
    ahead.look("another", lambda: looks.append("after"))
    assert looks == ["first"]
