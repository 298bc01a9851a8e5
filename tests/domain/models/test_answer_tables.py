from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.models.answer_tables import PREFIX, names_beside

NAMES = st.lists(
    st.builds(lambda times, end: PREFIX * times + end, st.integers(0, 3), st.sampled_from("abc")), unique=True
)


@given(NAMES, NAMES)
def test_no_two_columns_have_the_same_name(answers: list[str], taken: list[str]) -> None:
    names = names_beside(answers, taken)
    assert list(names) == answers
    assert len({*names.values(), *taken}) == len(answers) + len(taken)
    for name, beside in names.items():
        assert beside.endswith(name)
        assert (beside == name) == (name not in taken)
