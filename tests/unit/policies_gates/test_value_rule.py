"""The value rule: exact on an example, and monotone in every cost and probability."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from policies.loader import LIMITS_FILE, PLAYBOOK_FOLDER, load_limits, load_playbooks
from policies.model import PPM, ValueRule
from policies.value import evaluate
from tests.unit.policies_gates.cases import playbook

PLAIN = playbook().value
money = st.integers(0, 100_000)
shares = st.integers(0, PPM)
sent = st.integers(0, 8)
fee = st.integers(0, 100_000)


def rule(**changes: Any) -> ValueRule:
    return PLAIN.model_copy(update=changes)


rules = st.builds(
    rule,
    contact_cost=money,
    p_contact=shares,
    p_contact_after=shares,
    benefit=money,
    fatigue_cost=money,
    harm_cost=money,
    p_harm=shares,
    band=money,
)


def test_the_parts_add_up_on_the_example_of_the_shipping_playbook() -> None:
    value = evaluate(PLAIN, send_cost=400, sent_last_week=1)

    assert value.prevented == 801 * 10_000 * 90_000 // 1_000_000
    assert (value.fatigue_cost, value.harm_cost, value.send_cost) == (600_000, 50_000, 400)
    assert value.total == 720_900 - 400 - 600_000 - 50_000
    assert value.worth_it
    assert value.in_band


def test_a_message_that_makes_more_people_call_is_not_worth_it() -> None:
    value = evaluate(rule(p_contact=100_000, p_contact_after=150_000), send_cost=0, sent_last_week=0)

    assert value.prevented < 0
    assert not value.worth_it


@given(rules, fee, sent)
def test_the_total_is_the_sum_of_its_parts(one: ValueRule, cost: int, before: int) -> None:
    value = evaluate(one, send_cost=cost, sent_last_week=before)

    parts = value.prevented + value.benefit - value.send_cost - value.fatigue_cost - value.harm_cost
    assert value.total == parts
    assert value.worth_it == (value.total > 0)


@pytest.mark.parametrize(
    ("field", "direction"),
    [
        ("fatigue_cost", -1),
        ("harm_cost", -1),
        ("p_harm", -1),
        ("p_contact_after", -1),
        ("p_contact", 1),
        ("benefit", 1),
    ],
)
@given(one=rules, cost=fee, before=sent, more=st.integers(0, 50_000))
def test_each_number_moves_the_value_one_way(
    field: str, direction: int, one: ValueRule, cost: int, before: int, more: int
) -> None:
    raised = getattr(one, field) + more
    assume(not field.startswith("p_") or raised <= PPM)

    low = evaluate(one, send_cost=cost, sent_last_week=before).total
    high = evaluate(one.model_copy(update={field: raised}), send_cost=cost, sent_last_week=before).total

    assert (high - low) * direction >= 0


@given(rules, fee, fee, sent, sent)
def test_dearer_and_more_frequent_messages_are_worth_less(
    one: ValueRule, cost: int, more: int, before: int, again: int
) -> None:
    base = evaluate(one, send_cost=cost, sent_last_week=before).total

    assert evaluate(one, send_cost=cost + more, sent_last_week=before).total == base - more
    assert evaluate(one, send_cost=cost, sent_last_week=before + again).total <= base


@given(rules, fee, sent)
def test_a_wider_band_only_adds_doubt(one: ValueRule, cost: int, before: int) -> None:
    narrow = evaluate(one, send_cost=cost, sent_last_week=before)
    wide = evaluate(one.model_copy(update={"band": one.band + 1}), send_cost=cost, sent_last_week=before)

    assert wide.total == narrow.total
    assert wide.in_band or not narrow.in_band


@pytest.mark.parametrize("scenario", load_playbooks(PLAYBOOK_FOLDER))
def test_a_first_message_of_every_shipped_playbook_is_worth_it_and_a_fourth_is_not(scenario: str) -> None:
    declared = load_playbooks(PLAYBOOK_FOLDER)[scenario].playbook
    costs = load_limits(LIMITS_FILE).send_cost
    dearest = max(getattr(costs, channel.kind.value) for channel in declared.channels)

    first = evaluate(declared.value, send_cost=dearest, sent_last_week=0)
    fourth = evaluate(declared.value, send_cost=dearest, sent_last_week=4)

    assert first.worth_it
    assert not first.in_band
    assert not fourth.worth_it
