"""How a column of numbers is spread, as small as a word: from the least to the greatest, and where most of them are."""

from __future__ import annotations

import math

from markupsafe import Markup

WIDTH, HEIGHT, MARGIN = 96, 16, 3
"""Units of the picture, which are pixels where nothing stretches it."""


def spread(minimum: float | None, maximum: float | None, mean: float | None, deviation: float | None) -> Markup:
    """A line from the least to the greatest value, a bar for mean ± standard deviation, a mark at the mean.

    It is empty where there are no numbers, or all are the same. The numbers themselves stand beside it, so that a
    screen reader passes over it.
    """
    if minimum is None or maximum is None or mean is None or deviation is None:
        return Markup("")
    range_ = maximum - minimum
    if range_ <= 0 or not math.isfinite(range_):
        return Markup("")

    def place(value: float) -> float:
        return MARGIN + (WIDTH - 2 * MARGIN) * (min(max(value, minimum), maximum) - minimum) / range_

    low, high, middle = place(mean - deviation), place(mean + deviation), HEIGHT / 2
    return Markup(
        '<svg class="spread" viewBox="0 0 {w} {h}" aria-hidden="true">'
        '<path class="whole" d="M{m} {y:g}H{r}M{m} {a:g}v6M{r} {a:g}v6"/>'
        '<rect x="{low:.1f}" y="{b:g}" width="{wide:.1f}" height="8" rx="2"/>'
        '<path class="middle" d="M{mean:.1f} {c:g}v12"/></svg>'
    ).format(
        w=WIDTH,
        h=HEIGHT,
        m=MARGIN,
        r=WIDTH - MARGIN,
        y=middle,
        a=middle - 3,
        b=middle - 4,
        c=middle - 6,
        low=low,
        wide=high - low,
        mean=place(mean),
    )
