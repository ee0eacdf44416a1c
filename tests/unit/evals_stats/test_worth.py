"""The cost table: every pair of what was due and what was done, and the plain policies."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.stats.worth import CostTable, Due, always_worth, decision_worth, even_false_alarm, never_worth

COSTS = CostTable(currency="EUR", reached=600, false_alarm=50, missed=100, person=20)


@pytest.mark.parametrize(
    ("due", "done", "worth"),
    [
        ("contact", "contact", 600),
        ("contact", "person", 580),
        ("contact", "silence", -100),
        ("person", "contact", -50),
        ("person", "person", -20),
        ("person", "silence", -100),
        ("silence", "contact", -50),
        ("silence", "person", -20),
        ("silence", "silence", 0),
    ],
)
def test_each_decision_has_its_worth(due: Due, done: Due, worth: int) -> None:
    assert decision_worth(COSTS, due=due, done=done) == worth


def test_plain_policies() -> None:
    due: list[Due] = ["contact", "silence", "silence", "person"]

    assert (always_worth(COSTS, due), never_worth(COSTS, due)) == (600 - 150, -200)


KINDS: tuple[Due, ...] = ("contact", "person", "silence")
PAIRS = st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(KINDS)), min_size=1, max_size=30)


@given(PAIRS, st.integers(0, 500))
def test_a_needless_message_has_a_cost_from_which_on_sparing_it_is_better(
    pairs: list[tuple[Due, Due]], spent: int
) -> None:
    due: list[Due] = [one for one, _ in pairs]
    done: list[Due] = [one for _, one in pairs]
    even = even_false_alarm(COSTS, due=due, done=done, spent=spent)

    def lead(false_alarm: int) -> int:
        table = COSTS.model_copy(update={"false_alarm": false_alarm})
        decided = sum(decision_worth(table, due=right, done=kind) for right, kind in pairs) - spent
        return decided - always_worth(table, due)

    if even is None:
        assert lead(0) == lead(1_000)
    else:
        assert lead(math.ceil(even)) >= 0
        assert lead(math.ceil(even) + 1) > 0
        assert even == 0 or lead(math.ceil(even) - 1) <= 0
