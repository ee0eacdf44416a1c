"""Golden cases of the gates on one channel."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.engine import evaluate_gates
from policies.gates import reach as gates
from policies.gates.candidate import Reach
from policies.model import Channel, Playbook
from policies.verdict import Outcome
from tests.unit.policies_gates.cases import (
    COLLECTIONS,
    MARKETING,
    NOW,
    SAFETY,
    SECURITY,
    SERVICE,
    candidate,
    limits,
    playbook,
    reach,
)
from tools.records.vocabulary import ChannelKind, ConsentState, Purpose

PASS, REVIEW, BLOCK = Outcome.PASS, Outcome.NEEDS_REVIEW, Outcome.BLOCK
EMAIL, SMS, PUSH = ChannelKind.EMAIL, ChannelKind.SMS, ChannelKind.PUSH
YES, NO, SILENT = ConsentState.OPTED_IN, ConsentState.OPTED_OUT, ConsentState.UNKNOWN


@pytest.mark.parametrize(
    ("state", "purpose", "outcome"),
    [
        (YES, SAFETY, PASS),
        (YES, SECURITY, PASS),
        (YES, SERVICE, PASS),
        (YES, COLLECTIONS, PASS),
        (YES, MARKETING, PASS),
        (NO, SAFETY, BLOCK),
        (NO, SECURITY, BLOCK),
        (NO, SERVICE, BLOCK),
        (NO, COLLECTIONS, BLOCK),
        (NO, MARKETING, BLOCK),
        (SILENT, SAFETY, PASS),
        (SILENT, SECURITY, PASS),
        (SILENT, SERVICE, PASS),
        (SILENT, COLLECTIONS, REVIEW),
        (SILENT, MARKETING, BLOCK),
    ],
)
@pytest.mark.parametrize("kind", ChannelKind)
def test_a_no_forbids_and_silence_allows_service_only(
    state: ConsentState, purpose: Purpose, outcome: Outcome, kind: ChannelKind
) -> None:
    verdict = gates.consent(reach(kind, consent=state), candidate(), playbook(purpose=purpose), limits(), NOW)

    assert (verdict.rule, verdict.outcome) == ("consent", outcome)


LOST = candidate(maybe_reached=frozenset({EMAIL}))
TWICE = playbook(
    purpose=SAFETY,
    when_unknown="second_channel",
    channels=(
        Channel(kind=EMAIL, template="email", second="again"),
        Channel(kind=SMS, template="sms", second="again"),
        Channel(kind=PUSH, template="push"),
    ),
)


@pytest.mark.parametrize(
    ("tried", "rules", "said", "outcome"),
    [
        (reach(SMS, consent=YES), TWICE, "", PASS),
        (reach(EMAIL, consent=YES), TWICE, "already", BLOCK),
        (reach(PUSH, consent=YES), TWICE, "no second message", BLOCK),
        (reach(SMS, consent=SILENT), TWICE, "needs the customer's yes", BLOCK),
        (reach(SMS, consent=NO), TWICE, "needs the customer's yes", BLOCK),
        (reach(SMS, consent=YES, suppressed=True), TWICE, "needs the customer's yes", BLOCK),
        (reach(SMS, consent=YES), playbook(purpose=SAFETY), "no second message", BLOCK),
    ],
    ids=["another", "the same", "no text", "silent", "no", "suppressed", "not declared any more"],
)
def test_a_second_message_goes_by_another_channel_with_a_yes(
    tried: Reach, rules: Playbook, said: str, outcome: Outcome
) -> None:
    verdict = gates.second_channel(tried, LOST, rules, limits(), NOW)

    assert (verdict.rule, verdict.outcome) == ("second_channel", outcome)
    assert said in verdict.reason
    assert gates.second_channel(tried, candidate(), rules, limits(), NOW).outcome is PASS


@given(
    channels=st.lists(st.sampled_from(ChannelKind), unique=True, min_size=1),
    lost=st.frozensets(st.sampled_from(ChannelKind), min_size=1),
    consents=st.lists(st.sampled_from(ConsentState), min_size=3, max_size=3),
)
def test_no_second_message_is_ever_let_through_by_a_channel_that_was_tried(
    channels: list[ChannelKind], lost: frozenset[ChannelKind], consents: list[ConsentState]
) -> None:
    reaches = tuple(reach(kind, consent=said) for kind, said in zip(channels, consents, strict=False))
    rules = TWICE.model_copy(
        update={"channels": tuple(Channel(kind=kind, template="a", second="b") for kind in channels)}
    )

    gated = evaluate_gates(candidate(reaches=reaches, maybe_reached=lost), rules, limits(), now=NOW)

    if gated.channel is None:
        assert gated.ruling.queue == rules.queue  # a person is told
    else:
        assert gated.channel not in lost
        assert {one.kind: one.consent for one in reaches}[gated.channel] is YES


@pytest.mark.parametrize(
    ("suppressed", "purpose", "outcome"),
    [
        *[(False, purpose, PASS) for purpose in Purpose],
        (True, SAFETY, PASS),
        (True, SECURITY, BLOCK),
        (True, SERVICE, BLOCK),
        (True, COLLECTIONS, BLOCK),
        (True, MARKETING, BLOCK),
    ],
)
def test_suppression_forbids_everything_but_safety(
    suppressed: bool, purpose: Purpose, outcome: Outcome
) -> None:
    verdict = gates.suppression(
        reach(suppressed=suppressed), candidate(), playbook(purpose=purpose), limits(), NOW
    )

    assert (verdict.rule, verdict.outcome) == ("suppression", outcome)
    assert bool(verdict.reason) == suppressed


@pytest.mark.parametrize(
    ("kind", "shared", "purpose", "outcome"),
    [
        (EMAIL, False, SERVICE, PASS),
        (SMS, False, SERVICE, PASS),
        (PUSH, False, SERVICE, PASS),
        (EMAIL, True, SERVICE, PASS),
        (SMS, True, SERVICE, BLOCK),
        (PUSH, True, SERVICE, BLOCK),
        (SMS, True, SECURITY, BLOCK),
        (SMS, True, COLLECTIONS, BLOCK),
        (SMS, True, MARKETING, BLOCK),
        (SMS, True, SAFETY, PASS),
        (PUSH, True, SAFETY, PASS),
    ],
)
def test_shared_phones_get_no_details(
    kind: ChannelKind, shared: bool, purpose: Purpose, outcome: Outcome
) -> None:
    verdict = gates.shared_address(
        reach(kind, shared=shared), candidate(), playbook(purpose=purpose), limits(), NOW
    )

    assert (verdict.rule, verdict.outcome) == ("shared_address", outcome)
    assert bool(verdict.reason) == shared


@pytest.mark.parametrize("kind", ChannelKind)
@pytest.mark.parametrize(
    ("address", "known", "outcome"),
    [("a", True, PASS), (None, True, BLOCK), ("a", False, PASS), (None, False, PASS)],
)
def test_a_channel_needs_an_address_once_the_customer_is_known(
    kind: ChannelKind, address: str | None, known: bool, outcome: Outcome
) -> None:
    verdict = gates.address(
        reach(kind, address=address), candidate(customer_known=known), playbook(), limits(), NOW
    )

    assert (verdict.rule, verdict.outcome) == ("address", outcome)


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize(("killed", "outcome"), [(None, PASS), ("provider trouble", BLOCK)])
def test_a_channel_that_is_switched_off_is_not_used(
    killed: str | None, outcome: Outcome, purpose: Purpose
) -> None:
    verdict = gates.channel_switch(
        reach(SMS, killed=killed), candidate(), playbook(purpose=purpose), limits(), NOW
    )

    assert (verdict.rule, verdict.outcome) == ("channel_switch", outcome)
    assert (killed or "") in verdict.reason
