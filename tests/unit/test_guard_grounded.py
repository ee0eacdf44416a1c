from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.guards.finding import Finding
from policies.guards.grounded import Derivation, check_rendered
from tools.records.base import Money
from tools.records.facts import Fact, FactValue

NOW = datetime(2026, 11, 5, 15, 30, tzinfo=UTC)
HOSTS = ("pay.example.com", "status.example.com")
ZONES = {
    "en_US": "America/New_York",
    "en_GB": "Europe/London",
    "de_DE": "Europe/Berlin",
    "pt_BR": "America/Sao_Paulo",
    "es_ES": "Europe/Madrid",
    "fr_FR": "Europe/Paris",
    "ja_JP": "Asia/Tokyo",
}


def fact(name: str, value: FactValue, *, trusted: bool = True) -> Fact:
    return Fact(name=name, value=value, source="test", fetched_at=NOW, as_of=NOW, trusted=trusted)


def by_name(*facts: Fact) -> Mapping[str, Fact]:
    return {one.name: one for one in facts}


FACTS = by_name(
    fact("customer.first_name", "João"),
    fact("customer.phone", "+14155550123"),
    fact("order.number", "SP-10293"),
    fact("order.total", Money(minor=123450, currency="BRL")),
    fact("order.promised_on", date(2026, 11, 5)),
    fact("order.days_late", 3),
    fact("shipment.eta_on", date(2026, 11, 9)),
    fact("shipment.carrier", "Sunday Express"),
    fact("invoice.amount_due", Money(minor=4990, currency="EUR")),
    fact("invoice.usual_amount", Money(minor=1200, currency="JPY")),
    fact("invoice.fee", Money(minor=725, currency="USD")),
    fact("invoice.pay_url", "https://pay.example.com/i/42"),
    fact("incident.started_at", NOW),
    fact("incident.eta", NOW + timedelta(days=1, hours=2)),
    fact("incident.minutes_open", 45),
    fact("usage.percent", 85),
    fact("usage.value", 17408),
    fact("usage.unit", "MB"),
    fact("usage.exhausted", value=True),
    fact("ticket.subject", "7777 reasons", trusted=False),
)


def failed(text: str, locale: str = "en_US", *, worded: bool = True, subject: str = "") -> list[Finding]:
    findings = check_rendered(
        subject, text, facts=FACTS, link_hosts=HOSTS, locale=locale, zone=ZONES[locale], worded=worded
    )
    return [finding for finding in findings if not finding.ok]


GOOD = [
    ("en_US", "João, your order SP-10293 was due on November 5, 2026 and is expected on November 9, 2026."),
    ("en_US", "It was due Thursday, Nov 5, and is 3 days late."),
    ("en_US", "It was due on 11/5/2026 and costs R$1,234.50, BRL 1,234.50 in all."),
    ("en_US", "Since November 5, 2026, 10:30 AM EST it has been down for 45 minutes."),
    ("en_US", "Since 10:30 am on November 5. Expected: November 6, 2026, 12:30 PM EST."),
    ("en_US", "You used 85% of it: 17,408 MB. That is 17,408 in all."),
    ("en_US", "Pay €49.90 here: https://pay.example.com/i/42."),
    ("en_US", "Your ¥1,200 bill. Call +1 415 555 0123. Sunday Express brings it."),
    ("en_GB", "Due on 5 November 2026, or 05/11/2026. Since 15:30 GMT."),
    ("de_DE", "Fällig am 5. November 2026 (05.11.2026), 49,90 €, Bestellung SP-10293, 1.234,50 R$."),
    ("de_DE", "Seit 5. November 2026, 16:30 MEZ, also seit 45 Minuten. 17.408 MB, 85 %."),
    ("pt_BR", "Pedido SP-10293 de R$ 1.234,50, previsto para 5 de novembro de 2026, com 3 dias de atraso."),
    ("pt_BR", "Pedido de R$ 1.234,50, desde 5 de novembro de 2026 12:30 BRT (05/11/2026)."),
    ("es_ES", "Vence el 5 de noviembre de 2026: 49,90 €. Desde las 16:30 CET."),
    ("fr_FR", "Le 5 novembre 2026, 49,90 €, 1\u202f234,50 R$, 17\u202f408 MB."),
    ("fr_FR", "Depuis le 5 novembre 2026, 16:30 UTC+01:00."),
    ("fr_FR", "Les frais de 7,25 $US sont dus."),
    ("ja_JP", "João、2026年11月5日、￥1,200、11月5日ではなく2026年11月9日。"),
]


@pytest.mark.parametrize(("locale", "text"), GOOD)
def test_grounded_text_passes(locale: str, text: str) -> None:
    assert failed(text, locale, worded=False) == []


def bad(guard: str, text: str, locale: str = "en_US") -> object:
    return pytest.param(guard, text, locale, id=f"{locale} {text}")


@pytest.mark.parametrize(
    ("guard", "text", "locale"),
    [
        bad("id", "Your order SP-10239 is late."),
        bad("id", "Your order SP-10293-2 is late."),
        bad("id", "Your order XSP-10293 is late."),
        bad("number", "Your order 10293 is late."),
        bad("id", "Your order SP-88120 is late."),
        bad("number", "Your card ending in 4242 was charged."),
        bad("phone", "Your card 4111 1111 1111 1111 was charged."),
        bad("date", "It was due on November 4, 2026."),
        bad("date", "It was due on November 5, 2025."),
        bad("date", "It was due on October 5, 2026."),
        bad("date", "It was due Friday, November 5, 2026."),
        bad("date", "It was due on 5/11/2026."),
        bad("date", "It was due on 11/4."),
        bad("date", "Fällig am 4. November 2026.", "de_DE"),
        bad("date", "Fällig am 11.05.2026.", "de_DE"),
        bad("date", "Previsto para 5 de dezembro de 2026.", "pt_BR"),
        bad("date", "2026年11月4日。", "ja_JP"),
        bad("time", "Since 10:31 AM."),
        bad("time", "Since 10:30 PM."),
        bad("time", "Since 10:30 AM PST."),
        bad("time", "Since 4 pm."),
        bad("time", "Since November 6, 2026, 10:30 AM EST."),
        bad("time", "Seit 5. November 2026, 17:30 MEZ.", "de_DE"),
        bad("money", "Please pay €49.09."),
        bad("money", "Please pay $49.90."),
        bad("money", "Please pay US$49.90."),
        bad("money", "Please pay GBP 49.90."),
        bad("money", "Please pay €499.00."),
        bad("money", "Please pay -€49.90."),
        bad("money", "Please pay €49,90."),
        bad("money", "Bitte zahlen Sie 49.90 €.", "de_DE"),
        bad("money", "Total de R$ 1.243,50.", "pt_BR"),
        bad("money", "Total de US$ 1.234,50.", "pt_BR"),
        bad("money", "￥12.00", "ja_JP"),
        bad("money", "￥1,201", "ja_JP"),
        bad("number", "Please pay 49.90."),
        bad("currency", "Please pay in €."),
        bad("duration", "It is 4 days late."),
        bad("duration", "It is 3 weeks late."),
        bad("duration", "It has been down for 45 hours."),
        bad("duration", "Es dauert 5 Tage.", "de_DE"),
        bad("percent", "You used 58% of it."),
        bad("percent", "You used 3% of it."),
        bad("quantity", "You used 17,408 GB."),
        bad("quantity", "You used 17,048 MB."),
        bad("quantity", "You used 3 MB."),
        bad("link", "Pay here: https://pay.example.com/i/43"),
        bad("link", "Pay here: https://pay.examp1e.com/i/42"),
        bad("link", "Pay here: http://pay.example.com/i/42"),
        bad("link", "Go to evil.example now."),
        bad("link", "Write to help@example.com."),
        bad("phone", "Call +1 415 555 0132."),
        bad("digit", "It is \uff13 days late."),
        bad("hidden", "It is \u202elate."),
        bad("number", "There were 7777 reasons."),
        bad("words", "It arrives tomorrow."),
        bad("words", "You will get a full refund."),
        bad("words", "It takes about a week."),
        bad("words", "It is three stops away."),
        bad("words", "We waive the fee."),
        bad("words", "Sie erhalten eine Erstattung.", "de_DE"),
        bad("words", "Chega amanhã.", "pt_BR"),
        bad("words", "Anything.", "ja_JP"),
        bad("character", "It is l\u0430te."),
    ],
)
def test_ungrounded_text_is_refused_by_the_guard_that_should(guard: str, text: str, locale: str) -> None:
    assert f"rendered.{guard}" in {finding.guard for finding in failed(text, locale)}


@pytest.mark.parametrize(
    ("text", "locale"),
    [
        ("Good day Ada,\nyour order SP-10293 is late.", "en_US"),
        ("Good day João, your order is late.", "en_US"),
        ("GOOD DAY\nYour order is late.", "en_US"),
        ("  good  morning! Your order is late.", "en_US"),
        ("Good evening Ada Maria Lovelace: your order is late.", "en_US"),
        ("Guten Morgen Ada, die Bestellung kommt.", "de_DE"),
        ("Guten Abend! Die Bestellung kommt.", "de_DE"),
    ],
)
def test_a_greeting_claims_nothing(text: str, locale: str) -> None:
    assert failed(text, locale) == []
    assert failed(text, locale, subject="Your order") == []


UNITS = ["day", "days", "morning", "afternoon", "evening"]


@pytest.mark.parametrize(
    "text",
    [
        *(f"It arrives in a {unit}." for unit in UNITS),
        *(f"It is a good {unit} late." for unit in UNITS),
        *(f"Good {unit} late, your order." for unit in UNITS),
        *(f"A {unit} late, sorry." for unit in UNITS),
        *(f"Good {unit} or so: it comes." for unit in UNITS),
        "1 day.",
        "1 day late.",
        "A day late.",
        "Good day Ada your order is late.",
        "Good day Ada, it comes in a day.",
        "Good day. It comes in a good day.",
        "Good day Ada in May, your order is late.",
        "Hello.\nSorry.\nGood day, it comes.",
        "A good day, Ada.",
        "Your order takes a\ngood day or so.",
        "Good\nday, Ada.",
    ],
)
def test_a_unit_of_time_outside_a_greeting_is_refused(text: str) -> None:
    assert failed(text) != []


@settings(max_examples=150, deadline=None)
@given(
    before=st.lists(st.sampled_from(["It", "is", "late", "a", "in", "Ada", "sorry"]), min_size=1, max_size=5),
    after=st.lists(st.sampled_from(["late", "is", "a", "Ada", ",", "."]), max_size=5),
)
def test_only_what_opens_the_text_greets(before: list[str], after: list[str]) -> None:
    assert failed(" ".join([*before, "good day", *after])) != []


def test_a_subject_is_checked_like_a_body() -> None:
    found = failed("Nothing.", subject="Order SP-10239")

    assert [(finding.guard, finding.detail) for finding in found] == [("rendered.id", "SP-10239")]


def test_text_by_a_stranger_grounds_nothing() -> None:
    assert [finding.guard for finding in failed("There were 7777 reasons.")] == ["rendered.number"]


def test_the_words_of_a_fact_are_no_claim() -> None:
    assert failed("Sunday Express brings it.") == []
    assert [finding.guard for finding in failed("It comes on Sunday with Express.")] == ["rendered.words"]


def test_a_length_of_time_may_be_derived_where_declared() -> None:
    def guards(*derivations: Derivation) -> list[str]:
        findings = check_rendered(
            "",
            "It comes 4 days later.",
            facts=FACTS,
            link_hosts=HOSTS,
            locale="en_US",
            zone="UTC",
            derivations=derivations,
        )
        return [finding.guard for finding in findings if not finding.ok]

    assert guards() == ["rendered.duration"]
    assert guards(Derivation(later="shipment.eta_on", earlier="order.promised_on")) == []
    assert guards(Derivation(later="order.promised_on", earlier="shipment.eta_on")) == ["rendered.duration"]
    assert guards(Derivation(later="incident.eta", earlier="incident.gone")) == ["rendered.duration"]


def test_a_link_needs_a_named_host_even_when_a_fact_holds_it() -> None:
    findings = check_rendered(
        "", "See https://pay.example.com/i/42", facts=FACTS, link_hosts=(), locale="en_US", zone="UTC"
    )

    assert [finding.guard for finding in findings if not finding.ok] == ["rendered.link"]


def test_a_zone_far_away_moves_times_and_never_days() -> None:
    facts = by_name(fact("invoice.due_on", date(2026, 11, 5)), fact("incident.started_at", NOW))

    def ok(text: str) -> bool:
        findings = check_rendered(
            "", text, facts=facts, link_hosts=(), locale="en_US", zone="Pacific/Auckland"
        )
        return all(finding.ok for finding in findings)

    assert ok("It is due on November 5, 2026 and began on November 6, 2026 at 4:30 AM.")
    assert not ok("It began at 3:30 PM.")


@settings(max_examples=80, deadline=None)
@given(minor=st.integers(-(10**9), 10**9), other=st.integers(-(10**9), 10**9))
def test_an_amount_is_grounded_by_itself_only(minor: int, other: int) -> None:
    facts = by_name(fact("invoice.amount_due", Money(minor=minor, currency="EUR")))
    text = f"Pay {'-' if other < 0 else ''}€{abs(other) // 100}.{abs(other) % 100:02d} now."

    findings = check_rendered("", text, facts=facts, link_hosts=(), locale="en_US", zone="UTC")

    assert all(finding.ok for finding in findings) == (minor == other)


@settings(max_examples=60, deadline=None)
@given(day=st.dates(date(1990, 1, 1), date(2090, 1, 1)), shift=st.integers(-40, 40))
def test_a_day_is_grounded_by_itself_only(day: date, shift: int) -> None:
    facts = by_name(fact("invoice.due_on", day))
    text = f"Due on {day + timedelta(days=shift):%B %-d, %Y}."

    findings = check_rendered("", text, facts=facts, link_hosts=(), locale="en_US", zone="UTC")

    assert all(finding.ok for finding in findings) == (shift == 0)


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=120))
def test_any_text_gets_an_answer(text: str) -> None:
    findings = check_rendered(text, text, facts=FACTS, link_hosts=HOSTS, locale="de_DE", zone="UTC")

    assert len({finding.guard for finding in findings}) == len(findings)
