"""A histogram as small as a word: how the values of a column are spread."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

WIDTH, HEIGHT = 96, 28
"""Units of the picture, which are pixels where nothing stretches it."""

BINS = 16
"""Bars. More would be thinner than one sees at this size."""

GAP = 1.0
"""Units of the picture, between two bars."""


def histogram(counts: Sequence[int], description: str) -> Markup:
    """The picture of how many values are in each part of a range; empty if there are none.

    Args:
        counts: of the parts, in the order of their place.
        description: what the picture shows, for those who do not see it.
    """
    highest = max(counts, default=0)
    if highest == 0:
        return Markup("")
    wide = WIDTH / len(counts)
    bars = Markup("").join(
        Markup('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
            place * wide, HEIGHT - tall, wide - GAP, tall
        )
        for place, count in enumerate(counts)
        if (tall := HEIGHT * count / highest) > 0
    )
    return Markup('<svg class="histogram" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, HEIGHT, description, bars
    )
