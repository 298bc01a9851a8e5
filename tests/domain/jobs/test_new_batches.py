from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.jobs.new_batches import category_of


@pytest.mark.parametrize(
    ("value", "categories", "category"),
    [
        (11, ("10", "11", "1A"), "11"),
        (7, ("007", "08"), "007"),
        (7, ("007", "7"), "7"),
        (7, ("007", "07"), None),
        (1.0, ("1", "2A"), "1"),
        (1, ("1.0", "2A"), "1.0"),
        (1.5, ("1.50", "x"), "1.50"),
        (1.5, ("1.5.0", "x"), None),
        (True, ("True", "unknown"), "True"),
        (False, ("no", "yes"), None),
        (1, ("True", "x"), None),
        (3, ("nan", "inf", "1_0"), None),
        (10, ("nan", "inf", "1_0"), None),
    ],
)
def test_the_category_is_the_one_that_was_written_like_it(
    value: bool | float, categories: tuple[str, ...], category: str | None
) -> None:
    assert category_of(value, categories) == category


@given(st.integers(-(2**63), 2**63 - 1), st.sets(st.text(max_size=5), max_size=5))
def test_a_number_s_own_digits_are_its_category(number: int, others: set[str]) -> None:
    assert category_of(number, (*sorted(others), str(number))) == str(number)
