"""Every template that ships, in every language, for every combination of facts it asks for."""

import itertools
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from policies.guards.channels import check_channel, segments, sms_text
from policies.guards.finding import Finding
from policies.guards.grounded import check_rendered
from policies.guards.slots import check_slotted
from policies.model import Channel, Playbook
from prompts.locale import rendering_locale
from prompts.render import render_slots
from prompts.templates import SlottedTemplate, TemplateStore
from tools.records.base import Money
from tools.records.facts import Fact, FactValue
from tools.records.vocabulary import ChannelKind
from tools.yaml_file import load_yaml

PLAYBOOKS: Final = [
    load_yaml(path, Playbook)
    for path in sorted((Path(__file__).parents[2] / "policies" / "playbooks").glob("*/*.yaml"))
]
STORE: Final = TemplateStore()
LANGUAGES: Final = ("de", "en", "es", "fr", "pt")
PLACES: Final = [
    ("de_DE", "Europe/Berlin"),
    ("en_US", "America/Los_Angeles"),
    ("en_GB", "Europe/London"),
    ("es_ES", "Europe/Madrid"),
    ("es_MX", "America/Mexico_City"),
    ("fr_FR", "Europe/Paris"),
    ("pt_BR", "America/Sao_Paulo"),
    ("pt_PT", "Atlantic/Azores"),
    ("ja_JP", "Asia/Tokyo"),
]
HOSTS: Final = ("pay.example.com", "status.example.com")
NOW: Final = datetime(2026, 9, 28, 15, 30, tzinfo=UTC)
LONG: Final[dict[str, FactValue]] = {
    "customer.first_name": "Maximiliane",
    "order.number": "SP-2026-104882",
    "order.promised_on": NOW.date(),
    "shipment.eta_on": date(2026, 9, 30),
    "shipment.carrier": "Deutsche Post DHL",
    "shipment.tracking_no": "00340434292135100186",
    "invoice.number": "INV-2026-000815",
    "invoice.amount_due": Money(minor=123456, currency="BRL"),
    "invoice.due_on": NOW.date(),
    "invoice.pay_url": "https://pay.example.com/i/abc123",
    "incident.started_at": NOW,
    "incident.eta": NOW + timedelta(hours=5),
    "incident.next_update_at": NOW + timedelta(hours=1),
    "incident.public_url": "https://status.example.com/i/77",
    "usage.percent": 85,
    "usage.value": 17408,
    "usage.allowance": 20480,
    "usage.left": 3072,
    "usage.unit": "MB",
    "usage.resets_on": NOW.date(),
}
FLAGS: Final = {"usage.exhausted", "order.overdue", "shipment.eta_known", "incident.eta_known"}
"""Names that are available when they are true."""
FACTS: Final = {
    name: Fact(name=name, value=value, source="test", fetched_at=NOW, as_of=NOW, trusted=True)
    for name, value in LONG.items()
}
CASES: Final = [
    pytest.param(playbook, channel, id=f"{playbook.scenario} {channel.kind}")
    for playbook in PLAYBOOKS
    for channel in playbook.channels
]


def variants(playbook: Playbook, channel: Channel, language: str) -> Iterator[SlottedTemplate]:
    optional = sorted((LONG.keys() | FLAGS).intersection(playbook.facts).difference(playbook.required_facts))
    seen: set[str] = set()
    for size in range(len(optional) + 1):
        for present in itertools.combinations(optional, size):
            available = {*playbook.required_facts, *present}
            slotted = STORE.slotted(playbook.scenario, channel.template, language, available)
            if slotted.body not in seen:
                seen.add(slotted.body)
                yield slotted


def wrong(findings: tuple[Finding, ...]) -> list[Finding]:
    return [finding for finding in findings if not finding.ok]


@pytest.mark.parametrize(("playbook", "channel"), CASES)
def test_template_exists_in_every_language_and_fits_its_playbook(
    playbook: Playbook, channel: Channel
) -> None:
    assert STORE.languages(playbook.scenario, channel.template) == LANGUAGES
    STORE.check(playbook.scenario, channel.template, facts=playbook.facts, required=playbook.required_facts)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("playbook", "channel"), CASES)
def test_template_passes_the_check_of_slotted_texts(
    playbook: Playbook, channel: Channel, language: str
) -> None:
    for slotted in variants(playbook, channel, language):
        findings = check_slotted(
            slotted.subject,
            slotted.body,
            allowed=playbook.facts,
            language=slotted.language,
            purpose=playbook.purpose,
        )
        assert wrong(findings) == []


@pytest.mark.parametrize(("locale", "zone"), PLACES)
@pytest.mark.parametrize(("playbook", "channel"), CASES)
def test_rendered_template_is_grounded_and_fits_its_channel(
    playbook: Playbook, channel: Channel, locale: str, zone: str
) -> None:
    for slotted in variants(playbook, channel, locale):
        written_in = rendering_locale(locale, slotted.language)
        subject = render_slots(slotted.subject, FACTS, locale=written_in, zone=zone).text
        body = render_slots(slotted.body, FACTS, locale=written_in, zone=zone).text
        if channel.kind is ChannelKind.SMS:
            body = sms_text(body)
            assert segments(body) <= 2
        assert wrong(check_channel(channel.kind, subject, body)) == []
        assert (
            wrong(check_rendered(subject, body, facts=FACTS, link_hosts=HOSTS, locale=written_in, zone=zone))
            == []
        )


def test_a_wrong_value_in_a_rendered_template_is_found() -> None:
    slotted = STORE.slotted("shipping_delay", "email", "de", FACTS)
    body = render_slots(slotted.body, FACTS, locale="de_DE", zone="Europe/Berlin").text

    def guards(text: str) -> list[str]:
        findings = check_rendered(
            "", text, facts=FACTS, link_hosts=HOSTS, locale="de_DE", zone="Europe/Berlin"
        )
        return [finding.guard for finding in wrong(findings)]

    assert guards(body) == []
    assert guards(body.replace("28. September", "29. September")) == ["rendered.date"]
    assert guards(body.replace("SP-2026-104882", "SP-2026-104828")) == ["rendered.id"]
    assert guards(f"{body}\nSie erhalten eine Erstattung.") == ["rendered.words"]
