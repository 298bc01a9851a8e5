"""Axes: where numbers stand in a picture, and which of them are written beside it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

ScaleName = Literal["linear", "log"]

_STEPS = (1, 2, 5)
"""Numbers between ticks, times a power of ten: what people count in."""


_LEAST, _GREATEST = 1e-300, 1e300
"""Numbers beyond these are drawn on a linear axis: their powers of ten are no numbers any more."""


@dataclass(frozen=True)
class Axis:
    """A stretch of numbers that is drawn on a stretch of a picture.

    Attributes:
        low: the number at `start`.
        high: the number at `end`; above `low`.
        start: in units of the picture.
        end: likewise; below `start` where the axis goes up.
        scale: ``log`` for numbers that are all above 0.
    """

    low: float
    high: float
    start: float
    end: float
    scale: ScaleName = "linear"

    def place(self, value: float) -> float:
        """Where a number is drawn; of those outside the axis the end that is nearer."""
        low, high, at = self._measured(self.low), self._measured(self.high), self._measured(value)
        share = min(1.0, max(0.0, (at - low) / (high - low)))
        return self.start + share * (self.end - self.start)

    def ticks(self, about: int) -> list[float]:
        """Round numbers on the axis, some `about` of them."""
        if self.scale == "log":
            found = _log_ticks(self.low, self.high, about)
            if len(found) >= 2:
                return found
        return linear_ticks(self.low, self.high, about)

    def _measured(self, value: float) -> float:
        if self.scale == "linear":
            return value
        return math.log10(max(value, self.low))


def axis_of(values: Iterable[float], start: float, end: float, scale: ScaleName = "linear") -> Axis:
    """An axis on which all these finite numbers have room. It is linear if not all of them are above 0."""
    numbers = list(values)
    low, high = (min(numbers), max(numbers)) if numbers else (0.0, 1.0)
    if scale == "log" and not _can_be_told_apart_by_logarithms(low, high):
        scale = "linear"
    if low == high:
        low, high = (low / 2, high * 2) if scale == "log" else (low - _around(low), high + _around(high))
    return Axis(low, high, start, end, scale)


def tick_text(value: float) -> str:
    """A tick as it is written."""
    size = abs(value)
    text = f"{value:.0e}" if size and (size >= 1e7 or size < 1e-4) else f"{value:.10g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        return f"{mantissa}e{int(exponent)}".replace("-", "−")
    whole, point, rest = text.partition(".")
    return (f"{int(whole):,}".replace(",", "\u202f") if size >= 1 else whole).replace("-", "−") + point + rest


def _can_be_told_apart_by_logarithms(low: float, high: float) -> bool:
    """Whether both have a logarithm, and it is the same only if they are. With room around them they stay finite."""
    if not _LEAST <= low <= high <= _GREATEST:
        return False
    return low == high or math.log10(low) < math.log10(high)


def _around(value: float) -> float:
    return abs(value) / 2 or 1.0


def linear_ticks(low: float, high: float, most_steps: int) -> list[float]:
    """Round numbers from `low` to `high`, as far from each other as makes so many steps at most."""
    rough = (high - low) / most_steps
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (*_STEPS, 10) if factor * power >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def _log_ticks(low: float, high: float, about: int) -> list[float]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    powers: Sequence[int] = range(first, last + 1)
    factors = _STEPS if len(powers) <= about / 2 else (1,)
    every = max(1, len(powers) // max(1, about))
    ticks = [factor * 10.0**power for power in powers[::every] for factor in factors]
    return [tick for tick in ticks if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]
