"""The cost table: every pair of what was due and what was done, and the plain policies."""

import pytest

from evals.stats.worth import CostTable, Due, always_worth, decision_worth, never_worth

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
