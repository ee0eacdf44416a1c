"""When a draft must be written again: its facts, its playbook, its customer's language or zone changed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from agent.domain.cases import CaseId
from agent.domain.decisions import DecisionId
from agent.domain.drafts import Draft, DraftId, DraftState
from agent.recheck import Rechecked
from agent.staleness import STALE_WORDS, why_stale, why_stale_in_review
from tests.builders import NOW, playbook
from tools.messages import Outbound
from tools.records.facts import Fact, FilledSlot, facts_hash
from tools.records.vocabulary import ChannelKind

DISRUPTION = playbook("service_disruption").playbook
TELLS_A_TIME = (FilledSlot(slot="incident.eta", rendered="5 pm"),)
TELLS_NONE = (FilledSlot(slot="order.number", rendered="1001"),)


def fact(name: str, value: str) -> Fact:
    return Fact(name=name, value=value, source="shop", fetched_at=NOW, as_of=NOW, trusted=True)


FACTS = (fact("order.number", "1001"), fact("incident.eta", "5 pm"))


def draft(*used: FilledSlot, author: str = "template") -> Draft:
    names = {slot.slot for slot in used}
    return Draft(
        id=DraftId("drf_1"),
        case_id=CaseId("cas_1"),
        decision_id=DecisionId("dec_1"),
        version=1,
        state=DraftState.PENDING,
        message=Outbound(
            channel=ChannelKind.SMS,
            recipient="+12125550101",
            subject="",
            body="It will be back soon.",
            links=(),
            locale="en_DE",
            template="sms@1",
            policy=DISRUPTION.ref,
        ),
        slotted_subject="",
        slotted_body="It will be back soon.",
        used=used,
        findings=(),
        facts_hash=facts_hash(one for one in FACTS if one.name in names),
        model_use=None,
        created_at=NOW,
        expires_at=NOW + timedelta(hours=1),
        review_reason="policy",
        cost_micros=0,
        segments=1,
        author=author,
        written_for="de_DE",
        zone="Europe/Berlin",
    )


LOOKED = Rechecked(status="holds", facts=FACTS, facts_hash="", locale="de_DE", zone="Europe/Berlin")


def test_what_is_as_it_was_is_not_stale() -> None:
    assert why_stale(draft(*TELLS_A_TIME), LOOKED, DISRUPTION) is None


def test_another_locale_of_the_customer_makes_it_stale_whatever_the_text_is_in() -> None:
    looked = replace(LOOKED, locale="en_DE")  # the very locale of the text, which was a fallback till now

    assert why_stale(draft(*TELLS_NONE), looked, DISRUPTION) == "language_changed"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (draft(*TELLS_A_TIME), "zone_changed"),
        (draft(*TELLS_NONE), None),
        (draft(*TELLS_NONE, author="ada"), "zone_changed"),
    ],
    ids=["tells a time", "tells none", "a person's words may tell one"],
)
def test_another_zone_counts_where_a_time_may_be_told(text: Draft, expected: str | None) -> None:
    looked = replace(LOOKED, zone="America/New_York")

    assert why_stale(text, looked, DISRUPTION) == expected


def test_facts_come_before_the_language() -> None:
    looked = replace(LOOKED, locale="fr_FR", facts=(fact("order.number", "1002"),))

    assert why_stale(draft(*TELLS_NONE), looked, DISRUPTION) == "facts_changed"


def test_an_older_playbook_counts_in_review_alone() -> None:
    older = draft(*TELLS_NONE)
    older = replace(older, message=replace(older.message, policy="service_disruption@0"))

    assert why_stale_in_review(older, LOOKED, DISRUPTION) == "policy_changed"
    assert why_stale(older, LOOKED, DISRUPTION) is None
    assert "policy_changed" in STALE_WORDS
