"""The phases of `backprop.coding.periods` as nodes: the same arithmetic, so that the bits are the same."""

from __future__ import annotations

import numpy as np

from backprop.coding.periods import DAY_SECONDS, FIRST_MONDAY, WEEK_SECONDS, Period
from domain.datasets.moments import FIRST_MOMENT, LAST_MOMENT
from domain.models.export.graph.builder import GraphBuilder

FIRST_SECOND, LAST_SECOND = FIRST_MOMENT / 1e6, LAST_MOMENT / 1e6
"""Seconds since 1970. Outside of these there is no moment, neither in a dataset nor in a row to predict."""

_DAYS_TO_1970 = 719_162
"""Days from 0001-01-01 to 1970-01-01 in the Gregorian calendar."""

_DAYS_OF_400_YEARS = 146_097
_DAYS_OF_100_YEARS = 36_524
_DAYS_OF_4_YEARS = 1_461


def phase(graph: GraphBuilder, period: Period, seconds: str) -> str:
    """The share of its period that has passed at each moment, see `backprop.coding.periods.phase`.

    Args:
        graph: to add to.
        period: which one.
        seconds: a matrix of doubles, finite and within the years 1 to 9999.
    """
    if period == "year":
        return _of_year(graph, seconds)
    if period == "week":
        from_monday = graph.node("Sub", seconds, _double(graph, FIRST_MONDAY))
        return _share(graph, _modulo(graph, from_monday, WEEK_SECONDS), _double(graph, WEEK_SECONDS))
    return _share(graph, _modulo(graph, seconds, DAY_SECONDS), _double(graph, DAY_SECONDS))


def out_of_calendar(graph: GraphBuilder, seconds: str) -> str:
    """Where a matrix of seconds has what is no moment; false where the value is missing."""
    before = graph.node("Less", seconds, _double(graph, FIRST_SECOND))
    return graph.node("Or", before, graph.node("Greater", seconds, _double(graph, LAST_SECOND)))


def _of_year(graph: GraphBuilder, seconds: str) -> str:
    # Whole seconds first: a moment just before midnight, divided, may be rounded up to it.
    days = graph.node("Floor", graph.node("Div", graph.node("Floor", seconds), _double(graph, DAY_SECONDS)))
    days = graph.cast(days, np.int64)
    year = _years_since_1(graph, graph.node("Add", days, _integer(graph, _DAYS_TO_1970)))
    begin = _begin(graph, year)
    end = _begin(graph, graph.node("Add", year, _integer(graph, 1)))
    return _share(graph, graph.node("Sub", seconds, begin), graph.node("Sub", end, begin))


def _years_since_1(graph: GraphBuilder, days: str) -> str:
    """Whole years from 0001-01-01 to so many days later.

    A cycle of 400 years has 4 centuries, the last of them a day longer; a century has 25 groups of 4 years, the last of
    them mostly a day shorter; a group has 4 years, the last of them a day longer. The day that is too many for the
    shorter ones belongs to the last one: hence the minima.
    """
    three = _integer(graph, 3)

    def divided(value: str, length: int) -> tuple[str, str]:
        return graph.node("Div", value, _integer(graph, length)), graph.node("Mod", value, _integer(graph, length))

    cycles, rest = divided(days, _DAYS_OF_400_YEARS)
    centuries = graph.node("Min", graph.node("Div", rest, _integer(graph, _DAYS_OF_100_YEARS)), three)
    rest = graph.node("Sub", rest, graph.node("Mul", centuries, _integer(graph, _DAYS_OF_100_YEARS)))
    groups, rest = divided(rest, _DAYS_OF_4_YEARS)
    years = graph.node("Min", graph.node("Div", rest, _integer(graph, 365)), three)
    for count, length in ((groups, 4), (centuries, 100), (cycles, 400)):
        years = graph.node("Add", years, graph.node("Mul", count, _integer(graph, length)))
    return years


def _begin(graph: GraphBuilder, years: str) -> str:
    """Seconds from 1970 to the beginning of a year, as doubles; years are counted from the year 1, which is 0."""
    days = graph.node("Mul", years, _integer(graph, 365))
    for length, operator in ((4, "Add"), (100, "Sub"), (400, "Add")):
        days = graph.node(operator, days, graph.node("Div", years, _integer(graph, length)))
    since_1970 = graph.node("Sub", days, _integer(graph, _DAYS_TO_1970))
    return graph.cast(graph.node("Mul", since_1970, _integer(graph, DAY_SECONDS)), np.float64)


def _share(graph: GraphBuilder, passed: str, length: str) -> str:
    # A moment just before the end may be rounded up to it, and there the next period begins.
    return graph.node("Mod", graph.node("Div", passed, length), _double(graph, 1), fmod=1)


def _modulo(graph: GraphBuilder, value: str, divisor: int) -> str:
    """The remainder from 0 on, as NumPy has it; that of ONNX has the sign of the dividend."""
    by = _double(graph, divisor)
    remainder = graph.node("Mod", value, by, fmod=1)
    negative = graph.node("Less", remainder, _double(graph, 0))
    return graph.node("Where", negative, graph.node("Add", remainder, by), remainder)


def _double(graph: GraphBuilder, value: float) -> str:
    return graph.constant(np.array(value, np.float64))


def _integer(graph: GraphBuilder, value: int) -> str:
    return graph.constant(np.array(value, np.int64))
