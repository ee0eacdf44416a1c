"""Planted mistakes: visible, contradicted by the evidence, and in every other respect an ordinary draft."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.domain.cases import CaseId
from agent.domain.decisions import DecisionId
from agent.domain.drafts import Draft, DraftId, DraftState
from agent.review_desk.seeds.mistakes import MistakeKind, plant, plant_one
from agent.review_desk.text_checks import Surroundings
from policies.guards.channels import sms_text
from policies.guards.links import urls_in
from policies.loader import LIMITS_FILE, load_limits
from prompts.folders import TEMPLATE_FOLDER
from prompts.render import render_slots
from prompts.templates import TemplateStore
from tools.messages import Outbound
from tools.records.base import Money
from tools.records.facts import Fact, FactValue
from tools.records.vocabulary import ChannelKind

AT = datetime(2026, 11, 2, 12, tzinfo=UTC)
LIMITS = load_limits(LIMITS_FILE).model_copy(update={"link_hosts": ("pay.example.org",)})
VALUES: dict[str, FactValue] = {
    "customer.first_name": "Ada",
    "invoice.number": "R-70415",
    "invoice.amount_due": Money(minor=12_050, currency="EUR"),
    "invoice.due_on": date(2026, 11, 20),
    "invoice.pay_url": "https://pay.example.org/i/70415",
}
LANGUAGES = {"en": "en_US", "de": "de_DE", "es": "es_ES", "fr": "fr_FR", "pt": "pt_BR"}
RANDOM = st.integers(min_value=0, max_value=2**64 - 1).map(Random)


def facts_of(values: dict[str, FactValue]) -> tuple[Fact, ...]:
    return tuple(
        Fact(name=name, value=value, source="shop", fetched_at=AT, as_of=AT, trusted=True)
        for name, value in values.items()
    )


def drafted(language: str, channel: ChannelKind, values: dict[str, FactValue]) -> tuple[Draft, Surroundings]:
    """Render the shipped template of a bill for one customer."""
    locale = LANGUAGES[language]
    template = TemplateStore(TEMPLATE_FOLDER).slotted("payment_due", channel.value, locale, [*values])
    facts = {fact.name: fact for fact in facts_of(values)}
    subject = render_slots(template.subject, facts, locale=locale, zone="UTC")
    body = render_slots(template.body, facts, locale=locale, zone="UTC")
    text = sms_text(body.text) if channel is ChannelKind.SMS else body.text
    message = Outbound(
        channel=channel,
        recipient="ada@example.org",
        subject=subject.text,
        body=text,
        links=urls_in(text),
        locale=locale,
        template="bill@1",
        policy="payment_due@1",
    )
    draft = Draft(
        id=DraftId("drf_1"),
        case_id=CaseId("cas_1"),
        decision_id=DecisionId("dec_1"),
        version=1,
        state=DraftState.PENDING,
        message=message,
        slotted_subject=template.subject,
        slotted_body=template.body,
        used=tuple(dict.fromkeys((*subject.used, *body.used))),
        findings=(),
        facts_hash="",
        model_use=None,
        created_at=AT,
        expires_at=AT + timedelta(hours=4),
        review_reason="policy",
        cost_micros=400,
        segments=1,
        author="template",
    )
    return draft, Surroundings.of(draft, facts_of(values), zone="UTC", limits=LIMITS)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", MistakeKind)
def test_every_kind_can_be_planted_into_a_mail_of_every_language(language: str, kind: MistakeKind) -> None:
    draft, around = drafted(language, ChannelKind.EMAIL, VALUES)
    assert all(finding.ok for finding in around.findings(draft.message.subject, draft.message.body))

    planted = plant_one(draft, around, kind, chance=Random(1))

    assert planted is not None
    assert planted.kind is kind
    assert planted.mistake


@settings(deadline=None)
@given(chance=RANDOM, language=st.sampled_from(sorted(LANGUAGES)), kind=st.sampled_from(MistakeKind))
def test_a_mistake_is_visible_and_the_evidence_contradicts_it(
    chance: Random, language: str, kind: MistakeKind
) -> None:
    draft, around = drafted(language, ChannelKind.EMAIL, VALUES)

    planted = plant_one(draft, around, kind, chance=chance)

    assert planted is not None
    old, new = draft.message, planted.draft.message
    assert (new.subject, new.body) != (old.subject, old.body)
    assert new.content_hash != old.content_hash
    refused = {one.guard for one in around.findings(new.subject, new.body) if not one.ok}
    if kind is MistakeKind.NAME:
        greeting = new.body.split(",")[0]
        assert "Ada" not in greeting
    else:
        assert refused, "no guard contradicts it"
    assert not {guard for guard in refused if guard.startswith("channel.")}, "it does not fit its channel"


@settings(deadline=None)
@given(chance=RANDOM, language=st.sampled_from(sorted(LANGUAGES)), channel=st.sampled_from(["email", "sms"]))
def test_all_but_the_text_is_as_in_any_draft(chance: Random, language: str, channel: str) -> None:
    draft, around = drafted(language, ChannelKind(channel), VALUES)

    planted = plant(draft, around, chance=chance)

    assert planted is not None
    new = planted.draft
    text = replace(
        new,
        message=draft.message,
        used=draft.used,
        slotted_subject=draft.slotted_subject,
        slotted_body=draft.slotted_body,
    )
    assert text == draft
    same = replace(
        new.message, subject=draft.message.subject, body=draft.message.body, links=draft.message.links
    )
    assert same == draft.message
    assert new.message.links == urls_in(new.message.body)
    assert all(slot.rendered in f"{new.message.subject}\n{new.message.body}" for slot in new.used)


@settings(deadline=None)
@given(seed=st.integers(min_value=0, max_value=2**64 - 1))
def test_the_same_draw_plants_the_same(seed: int) -> None:
    draft, around = drafted("en", ChannelKind.EMAIL, VALUES)

    first = plant(draft, around, chance=Random(seed))

    assert first == plant(draft, around, chance=Random(seed))


@pytest.mark.parametrize("kind", [MistakeKind.AMOUNT, MistakeKind.DATE, MistakeKind.NUMBER, MistakeKind.NAME])
def test_a_text_without_such_a_value_has_no_place_for_it(kind: MistakeKind) -> None:
    draft, around = drafted("en", ChannelKind.EMAIL, VALUES)
    bare = replace(draft, used=())

    assert plant_one(bare, around, kind, chance=Random(1)) is None
