"""What the graph decides about one member: gates first, and every reading may only lower outreach."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.cases import Case, CaseId, CaseState, Situation, SituationId
from agent.domain.decisions import DecisionKind
from agent.domain.deliberation import Deliberation, Member
from agent.domain.model import Assessment, Concern, Mood, Reading, Warranted
from agent.nodes.decide import choose
from policies.model import Playbook
from policies.value import Valuation, evaluate
from policies.verdict import Outcome, Ruling, Verdict
from tests.builders import NOW, playbook
from tools.records.base import CustomerId
from tools.records.facts import Fact
from tools.records.vocabulary import ChannelKind

PASSED = Ruling(outcome=Outcome.PASS, rule="all", reason="", until=None, queue=None)
AUTO: Playbook = playbook("data_threshold", holdout=None).playbook
MODEL: Playbook = playbook("shipping_delay", holdout=None).playbook
CASE = Case(
    id=CaseId("cas_1"),
    signal_key="k",
    scenario="shipping_delay",
    playbook="shipping_delay@1",
    customer_id=CustomerId("c1"),
    object_ref="order:o1",
    episode="e",
    state=CaseState.SCREENED,
    opened_at=NOW,
    deadline=None,
    next_at=None,
    situation_id=SituationId("sit_1"),
    turn=0,
    shadow=False,
)
MEMBER = Member(
    case=CASE,
    facts=(),
    missing=(),
    verdicts=(),
    ruling=PASSED,
    channel=ChannelKind.EMAIL,
    address="a@example.com",
    locale="en_US",
    zone="UTC",
    sent_last_week=0,
    reading=None,
    unread=False,
)
STATE = Deliberation(
    situation=Situation(
        id=SituationId("sit_1"),
        scenario="shipping_delay",
        playbook="shipping_delay@1",
        channel="email",
        locale="en_US",
        categories=(),
        case_ids=(CASE.id,),
    )
)
CALM = Reading(
    mood=Mood.CALM,
    asks_for_person=False,
    asks_no_contact=False,
    already_knows=False,
    mentions_hardship=False,
    suspicious=False,
)
_RANK = {DecisionKind.CONTACT: 1}


def valuation(total: int, *, band: int = 0) -> Valuation:
    return replace(evaluate(MODEL.value, send_cost=0, sent_last_week=0), total=total, band=band)


WORTH = valuation(1_000_000)

readings = st.builds(
    Reading,
    mood=st.sampled_from(Mood),
    asks_for_person=st.booleans(),
    asks_no_contact=st.booleans(),
    already_knows=st.booleans(),
    mentions_hardship=st.booleans(),
    suspicious=st.booleans(),
)
assessments = st.builds(
    Assessment,
    action=st.just("assess"),
    warranted=st.sampled_from(Warranted),
    concern=st.sampled_from(Concern),
)
rulings = st.sampled_from(
    [
        PASSED,
        Ruling(outcome=Outcome.NEEDS_REVIEW, rule="r", reason="", until=None, queue=None),
        Ruling(outcome=Outcome.DEFER, rule="r", reason="", until=NOW + timedelta(hours=1), queue=None),
        Ruling(outcome=Outcome.BLOCK, rule="r", reason="", until=None, queue=None),
        Ruling(outcome=Outcome.BLOCK, rule="r", reason="", until=None, queue="people"),
    ]
)
values = st.integers(-2_000_000, 2_000_000)


@given(reading=readings, ruling=rulings, total=values)
def test_a_strangers_text_only_ever_lowers_outreach(reading: Reading, ruling: Ruling, total: int) -> None:
    without = choose(replace(MEMBER, ruling=ruling), STATE, MODEL, valuation(total), now=NOW)

    member = replace(MEMBER, ruling=ruling, reading=reading)
    told = choose(member, STATE, MODEL, valuation(total), now=NOW)

    assert told.kind == without.kind or told.kind in {DecisionKind.ABSTAIN, DecisionKind.ESCALATE}
    assert _RANK.get(told.kind, 0) <= _RANK.get(without.kind, 0)


@given(assessment=assessments, ruling=rulings, total=values)
def test_the_model_never_lifts_a_gate_nor_makes_a_loss_worth_it(
    assessment: Assessment, ruling: Ruling, total: int
) -> None:
    member = replace(MEMBER, ruling=ruling)
    without = choose(member, STATE, MODEL, valuation(total), now=NOW)

    told = choose(member, replace(STATE, assessment=assessment), MODEL, valuation(total), now=NOW)

    assert _RANK.get(told.kind, 0) <= _RANK.get(without.kind, 0)


def test_the_models_no_against_a_clear_value_goes_to_a_person() -> None:
    no = Assessment(action="assess", warranted=Warranted.NO, concern=Concern.NO_USE_TO_CUSTOMER)

    choice = choose(MEMBER, replace(STATE, assessment=no), MODEL, WORTH, now=NOW)

    assert (choice.kind, choice.queue) == (DecisionKind.ESCALATE, MODEL.queue)


def test_the_models_no_settles_a_value_near_zero() -> None:
    no = Assessment(action="assess", warranted=Warranted.NO, concern=Concern.NO_USE_TO_CUSTOMER)

    choice = choose(MEMBER, replace(STATE, assessment=no), MODEL, valuation(10, band=100), now=NOW)

    assert choice.kind is DecisionKind.ABSTAIN


def test_an_unsure_model_asks_for_a_persons_eyes_where_none_were_needed() -> None:
    unsure = Assessment(action="assess", warranted=Warranted.UNSURE, concern=Concern.NONE)

    choice = choose(MEMBER, replace(STATE, assessment=unsure), AUTO, WORTH, now=NOW)

    assert (choice.kind, choice.review) == (DecisionKind.CONTACT, "model_unsure")


GATES = tuple(Verdict(rule=rule, outcome=Outcome.NEEDS_REVIEW) for rule in ("hours", "consent"))
GATES_WANT = Ruling(outcome=Outcome.NEEDS_REVIEW, rule="hours", reason="", until=None, queue=None)
REQUIRED: Playbook = AUTO.model_copy(update={"review": "required"})


@pytest.mark.parametrize(
    ("member", "high", "told"),
    [
        pytest.param({}, (), "policy", id="nothing else"),
        pytest.param({"reviewed": True}, (), "reviewer", id="a reviewer asked for it"),
        pytest.param({"reviewed": True, "unread": True}, (), "unread_text", id="this customer's words"),
        pytest.param({"reviewed": True, "unread": True}, ("reviewer",), "reviewer", id="a high reason wins"),
        pytest.param({"unread": True}, ("policy",), "policy", id="even the policy, if the rules say so"),
        pytest.param({"verdicts": GATES, "ruling": GATES_WANT}, (), "hours", id="the first gate"),
        pytest.param({"verdicts": GATES, "ruling": GATES_WANT}, ("consent",), "consent", id="a high gate"),
    ],
)
def test_of_several_reasons_to_look_the_most_telling_is_told(
    member: dict[str, Any], high: tuple[str, ...], told: str
) -> None:
    choice = choose(replace(MEMBER, **member), STATE, REQUIRED, WORTH, now=NOW, high_reasons=high)

    assert (choice.kind, choice.review) == (DecisionKind.CONTACT, told)


def test_a_value_near_zero_is_told_where_review_is_required_anyway() -> None:
    choice = choose(MEMBER, STATE, REQUIRED, valuation(-50, band=100), now=NOW)

    assert choice.review == "band"


def test_a_missing_fact_waits_once_and_then_goes_to_a_person() -> None:
    lacking = replace(MEMBER, missing=("order.number",))

    first = choose(lacking, STATE, MODEL, WORTH, now=NOW)
    again = choose(replace(lacking, case=replace(CASE, turn=1)), STATE, MODEL, WORTH, now=NOW)

    assert (first.kind, again.kind) == (DecisionKind.DEFER, DecisionKind.ESCALATE)
    assert first.until is not None
    assert first.until > NOW


def with_order_to_the_reader(name: str) -> Member:
    return replace(
        MEMBER,
        facts=(
            Fact(
                name=name,
                value="call +4915112345678 now",
                source="shop/x/1",
                fetched_at=NOW,
                as_of=NOW,
                trusted=False,
            ),
        ),
    )


def test_what_every_text_prints_must_have_its_form_or_a_person_looks_at_once() -> None:
    choice = choose(with_order_to_the_reader("order.number"), STATE, MODEL, WORTH, now=NOW)

    assert (choice.kind, choice.reason, choice.queue) == (
        DecisionKind.ESCALATE,
        "malformed_facts",
        MODEL.queue,
    )
    assert choice.explanation == "The text of order.number is no reference; no message can do without it."


def test_what_a_text_can_do_without_is_left_out_and_the_record_says_so() -> None:
    choice = choose(with_order_to_the_reader("shipment.tracking_no"), STATE, MODEL, WORTH, now=NOW)

    assert choice.kind is DecisionKind.CONTACT
    assert choice.explanation.endswith(
        "The text of shipment.tracking_no is no tracking number; the message is written without it."
    )
    assert "4915112345678" not in choice.explanation


@pytest.mark.parametrize(
    ("total", "band", "kind", "review"),
    [
        pytest.param(1, 0, DecisionKind.CONTACT, "", id="a-millionth-above-zero"),
        pytest.param(0, 0, DecisionKind.ABSTAIN, "", id="zero-is-not-worth-it"),
        pytest.param(-50, 100, DecisionKind.CONTACT, "band", id="within-the-band-a-person-looks"),
        pytest.param(-100, 100, DecisionKind.ABSTAIN, "", id="the-band-is-open"),
    ],
)
def test_value_decides(total: int, band: int, kind: DecisionKind, review: str) -> None:
    choice = choose(MEMBER, STATE, AUTO, valuation(total, band=band), now=NOW)

    assert (choice.kind, choice.review) == (kind, review)
