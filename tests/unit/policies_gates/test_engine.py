"""All gates together: which channel wins, what the record shows, and what may never happen."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.engine import CHANNEL_GATES, GATES, evaluate_gates
from policies.gates.candidate import Candidate, Reach
from policies.model import Limits
from policies.verdict import Outcome
from tests.unit.policies_gates.cases import (
    DAY,
    HOUR,
    MARKETING,
    NOW,
    candidate,
    limits,
    playbook,
    reach,
)
from tools.records.vocabulary import ChannelKind, ConsentState, CustomerStatus, ProtectedFlag, Purpose

EMAIL, SMS = ChannelKind.EMAIL, ChannelKind.SMS
PASS, REVIEW, DEFER, BLOCK = Outcome.PASS, Outcome.NEEDS_REVIEW, Outcome.DEFER, Outcome.BLOCK
USABLE = {PASS, REVIEW}
RULES = (
    "cleared",
    "deadline",
    "kill_switch",
    "customer_known",
    "customer_status",
    "protected",
    "open_ticket",
    "source_freshness",
    "cap_day",
    "cap_week",
    "budget",
    "quiet_hours",
    "channel_switch",
    "second_channel",
    "address",
    "suppression",
    "consent",
    "shared_address",
)


def test_an_ordinary_candidate_passes_by_the_first_channel_with_every_gate_on_record() -> None:
    gated = evaluate_gates(candidate(), playbook(), limits(), now=NOW)

    assert gated.channel is EMAIL
    assert (gated.ruling.outcome, gated.ruling.rule) == (PASS, "all")
    assert tuple(verdict.rule for verdict in gated.verdicts) == RULES
    assert len(RULES) == len(GATES) + len(CHANNEL_GATES)


def test_the_next_channel_is_used_when_the_first_may_not_be_and_the_record_says_why() -> None:
    reaches = (reach(EMAIL, consent=ConsentState.OPTED_OUT), reach(SMS))

    gated = evaluate_gates(candidate(reaches=reaches), playbook(), limits(), now=NOW)

    assert (gated.channel, gated.ruling.outcome) == (SMS, PASS)
    assert [verdict.rule for verdict in gated.verdicts[len(RULES) :]] == ["consent.email"]


def test_a_channel_that_needs_a_person_comes_before_a_later_one_that_passes() -> None:
    rules = playbook(purpose=Purpose.COLLECTIONS)
    reaches = (reach(EMAIL), reach(SMS, consent=ConsentState.OPTED_IN))

    gated = evaluate_gates(candidate(reaches=reaches), rules, limits(), now=NOW)

    assert (gated.channel, gated.ruling.outcome) == (EMAIL, REVIEW)


def test_a_later_hour_on_one_channel_counts_before_a_refusal_on_another() -> None:
    night = datetime(2026, 11, 2, 22, tzinfo=UTC)
    reaches = (reach(EMAIL, suppressed=True), reach(SMS))

    gated = evaluate_gates(candidate(reaches=reaches), playbook(), limits(), now=night)

    assert gated.channel is None
    assert (gated.ruling.outcome, gated.ruling.rule) == (DEFER, "quiet_hours")
    assert gated.ruling.until == datetime(2026, 11, 3, 7, tzinfo=UTC)


def test_a_refusal_of_the_case_overrides_every_channel() -> None:
    gated = evaluate_gates(candidate(protected=(ProtectedFlag.MINOR,)), playbook(), limits(), now=NOW)

    assert gated.channel is None
    assert (gated.ruling.outcome, gated.ruling.rule) == (BLOCK, "protected")
    assert gated.ruling.queue == "specialist"


def test_the_end_of_the_trouble_is_the_reason_even_when_much_else_forbids() -> None:
    bad = candidate(cleared=True, killed="x", open_ticket="T1", status=CustomerStatus.TEST)

    gated = evaluate_gates(bad, playbook(), limits(), now=NOW)

    assert gated.ruling.rule == "cleared"
    assert {verdict.rule for verdict in gated.verdicts if verdict.outcome is BLOCK} == {
        "cleared",
        "kill_switch",
        "open_ticket",
        "customer_status",
    }


def test_the_latest_of_several_waits_counts() -> None:
    waiting = candidate(source_age=DAY, sent_last_day=2)

    gated = evaluate_gates(waiting, playbook(), limits(), now=NOW)

    assert (gated.ruling.rule, gated.ruling.until) == ("cap_day", datetime(2026, 11, 3, 7, tzinfo=UTC))


@pytest.mark.parametrize(
    ("only", "channel", "rule"),
    [(EMAIL, None, "suppression"), (SMS, SMS, "all"), (ChannelKind.PUSH, None, "address")],
)
def test_at_send_time_one_channel_alone_is_asked(
    only: ChannelKind, channel: ChannelKind | None, rule: str
) -> None:
    reaches = (reach(EMAIL, suppressed=True), reach(SMS))

    gated = evaluate_gates(candidate(reaches=reaches), playbook(), limits(), now=NOW, only=only)

    assert (gated.channel, gated.ruling.rule) == (channel, rule)
    assert len(gated.verdicts) <= len(RULES)


def test_a_candidate_without_channels_is_refused() -> None:
    gated = evaluate_gates(candidate(reaches=()), playbook(), limits(), now=NOW)

    assert (gated.channel, gated.ruling.outcome, gated.ruling.rule) == (None, BLOCK, "address")


@pytest.mark.parametrize("channels", [(), (reach(EMAIL, address=None),)], ids=["none", "no address"])
def test_a_customer_not_seen_yet_is_waited_for_and_not_given_up(channels: tuple[Reach, ...]) -> None:
    unseen = candidate(customer_known=False, reaches=channels)

    gated = evaluate_gates(unseen, playbook(), limits(), now=NOW)

    assert (gated.ruling.outcome, gated.ruling.rule) == (DEFER, "customer_known")


reaches = st.builds(
    Reach,
    kind=st.sampled_from([EMAIL, SMS]),
    address=st.sampled_from([None, "a"]),
    shared=st.booleans(),
    consent=st.sampled_from(ConsentState),
    suppressed=st.booleans(),
    killed=st.sampled_from([None, None, "x"]),
)
hours = st.integers(-30, 60).map(lambda count: count * HOUR)
candidates = st.builds(
    Candidate,
    customer_known=st.sampled_from([True, True, False]),
    status=st.sampled_from([CustomerStatus.ACTIVE, *CustomerStatus]),
    protected=st.sampled_from([(), (), (ProtectedFlag.FRAUD_HOLD,)]),
    zones=st.sampled_from([(), ("Europe/Berlin",), ("America/New_York", "Pacific/Honolulu")]),
    reaches=st.lists(reaches, max_size=2).map(tuple),
    sent_last_day=st.integers(0, 3),
    sent_last_week=st.integers(0, 6),
    open_ticket=st.sampled_from([None, None, "T1"]),
    source_age=st.none() | st.integers(0, 100).map(lambda count: timedelta(minutes=count)),
    killed=st.sampled_from([None, None, "x"]),
    budget_left=st.booleans(),
    deadline=st.none() | hours.map(lambda span: NOW + span),
    cleared=st.booleans(),
)
# most values of a random candidate forbid something, so the good cases start from an ordinary one
nearly_good = candidates.map(
    lambda one: replace(
        candidate(),
        zones=one.zones,
        sent_last_day=one.sent_last_day,
        source_age=one.source_age,
        reaches=one.reaches,
    )
)
everyone = candidates | nearly_good
moments = hours.map(lambda span: NOW + span)
purposes = st.sampled_from(Purpose)


def tighter(loose: Limits, by: str) -> Limits:
    return {
        "per_day": limits(per_day=1),
        "per_week": limits(per_week=1),
        "later end": limits(end="10:00"),
        "earlier start": limits(start="18:30"),
        "younger sources": limits(source_max_age=timedelta(minutes=10)),
        "no exemption from caps": loose.model_copy(
            update={"caps": loose.caps.model_copy(update={"exempt": ()})}
        ),
        "no exemption from quiet hours": loose.model_copy(
            update={"quiet_hours": loose.quiet_hours.model_copy(update={"exempt": ()})}
        ),
    }[by]


@pytest.mark.parametrize(
    "by",
    [
        "per_day",
        "per_week",
        "later end",
        "earlier start",
        "younger sources",
        "no exemption from caps",
        "no exemption from quiet hours",
    ],
)
@given(one=everyone, purpose=purposes, now=moments)
def test_tightening_a_limit_never_allows_what_was_forbidden(
    by: str, one: Candidate, purpose: Purpose, now: datetime
) -> None:
    rules, loose = playbook(purpose=purpose), limits()

    before = evaluate_gates(one, rules, loose, now=now)
    after = evaluate_gates(one, rules, tighter(loose, by), now=now)

    assert after.ruling.outcome not in USABLE or before.ruling.outcome in USABLE


@given(one=everyone, now=moments)
def test_what_is_allowed_as_marketing_is_allowed_as_service(one: Candidate, now: datetime) -> None:
    marketing = evaluate_gates(one, playbook(purpose=MARKETING), limits(), now=now)
    service = evaluate_gates(one, playbook(), limits(), now=now)

    assert marketing.channel is None or service.channel is not None


@given(one=everyone, purpose=purposes, now=moments)
def test_one_no_is_enough_and_nothing_is_decided_without_a_reason(
    one: Candidate, purpose: Purpose, now: datetime
) -> None:
    gated = evaluate_gates(one, playbook(purpose=purpose), limits(), now=now)

    own = [verdict for verdict in gated.verdicts if "." not in verdict.rule]
    forbidding = {verdict.outcome for verdict in own} & {DEFER, BLOCK}
    assert (gated.channel is None) == bool(forbidding)
    assert (gated.ruling.outcome in USABLE) == (gated.channel is not None)
    assert gated.ruling.outcome is PASS or gated.ruling.reason
    assert gated.ruling.outcome is not DEFER or (gated.ruling.until is not None and gated.ruling.until > now)


@given(one=everyone, purpose=purposes, now=moments)
def test_the_same_question_has_the_same_answer(one: Candidate, purpose: Purpose, now: datetime) -> None:
    rules = playbook(purpose=purpose)

    assert evaluate_gates(one, rules, limits(), now=now) == evaluate_gates(one, rules, limits(), now=now)
