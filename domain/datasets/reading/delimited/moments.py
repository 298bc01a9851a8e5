"""Whole columns of cells as moments, by the patterns of `cells`."""

from __future__ import annotations

import pyarrow as pa
from pyarrow import compute

from domain.datasets.moments import FIRST_MOMENT, LAST_MOMENT, MOMENT
from domain.datasets.reading.delimited.cells import MOMENT_PATTERNS, MomentForm

FORMS_THAT_GO_TOGETHER: tuple[frozenset[MomentForm], ...] = (
    frozenset({"date", "local"}),
    frozenset({"offset"}),
    frozenset({"time"}),
)
"""A column that mixes others stays one of strings: nobody knows the offset of those that have none."""

_UTC = pa.timestamp("us", "UTC")


def forms_of(strings: pa.Array) -> frozenset[MomentForm]:
    """In which forms cells are moments, of those that are."""
    return frozenset(form for form in MOMENT_PATTERNS if compute.any(_are(strings, form)).as_py())


def are_moments(strings: pa.Array) -> pa.Array:
    """For each cell whether it is written as a moment, null where the cell is; without spaces around it."""
    return compute.match_substring_regex(strings, f"^(?:{'|'.join(MOMENT_PATTERNS.values())})$")


def moments_in(strings: pa.Array) -> pa.Array | None:
    """Moments as timestamps; None if one cell is none, or if they are of forms that do not go together."""
    if compute.all(are_moments(strings)).as_py() is False:  # None: there is nothing
        return None
    forms = forms_of(strings)
    if not any(forms <= together for together in FORMS_THAT_GO_TOGETHER):
        return None
    text = strings
    if "time" in forms:
        text = compute.binary_join_element_wise("1970-01-01T", text, "")
    if "date" in forms:
        text = compute.replace_substring_regex(text, r"^([0-9]{4}-[0-9]{2})$", r"\1-01")
    text = compute.replace_substring_regex(text, r"(\.[0-9]{6})[0-9]+", r"\1")
    try:
        return _within_the_calendar(text.cast(_UTC if "offset" in forms else MOMENT).cast(MOMENT))
    except pa.ArrowInvalid:  # the 30th of February
        return None


class MomentForms:
    """In which forms the moments of a column are, batch by batch."""

    def __init__(self) -> None:
        self._forms: frozenset[MomentForm] = frozenset()

    def hold(self, strings: pa.Array) -> bool:
        """Take in a batch of cells; False if one is no moment, or of a form that does not go with the others."""
        if moments_in(strings) is None:
            return False
        self._forms |= forms_of(strings)
        return any(self._forms <= together for together in FORMS_THAT_GO_TOGETHER)

    @property
    def are_times_of_day(self) -> bool:
        """Whether the moments are times without a date."""
        return "time" in self._forms


def _within_the_calendar(moments: pa.Array) -> pa.Array | None:
    """An offset may lead out of the years 1 to 9999."""
    microseconds = moments.cast(pa.int64())
    inside = compute.and_(
        compute.greater_equal(microseconds, FIRST_MOMENT), compute.less_equal(microseconds, LAST_MOMENT)
    )
    return None if compute.all(inside).as_py() is False else moments


def _are(strings: pa.Array, form: MomentForm) -> pa.Array:
    return compute.match_substring_regex(strings, f"^(?:{MOMENT_PATTERNS[form]})$")
