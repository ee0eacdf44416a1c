from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prompts.errors import MissingFactError, RenderError, UnprintableFactError
from prompts.locale import language_of, locale_chain, rendering_locale
from prompts.render import printable, render_slots, slots_of
from tools.records.base import Money
from tools.records.facts import Fact, FactValue, FilledSlot
from tools.safe_text import is_hidden

NOW = datetime(2026, 11, 5, 15, 30, tzinfo=UTC)


def fact(value: FactValue, name: str = "order.value", *, trusted: bool = True) -> Fact:
    return Fact(name=name, value=value, source="test", fetched_at=NOW, as_of=NOW, trusted=trusted)


def shown(
    value: FactValue, locale: str = "en_US", zone: str = "America/New_York", *, name: str = "order.value"
) -> str:
    one = fact(value, name)
    return render_slots(f"{{{name}}}", {name: one}, locale=locale, zone=zone).text


@pytest.mark.parametrize(
    ("minor", "currency", "locale", "text"),
    [
        (123450, "USD", "en_US", "$1,234.50"),
        (123450, "BRL", "pt_BR", "R$ 1.234,50"),
        (123450, "EUR", "de_DE", "1.234,50 €"),
        (123450, "EUR", "fr_FR", "1 234,50 €"),
        (1200, "JPY", "ja_JP", "￥1,200"),
        (1200, "JPY", "en_US", "¥1,200"),
        (1234567, "KWD", "en_US", "KWD 1,234.567"),
        (-500, "EUR", "de_DE", "-5,00 €"),
        (0, "USD", "en_US", "$0.00"),
        (-120, "CHF", "en_GB", "-CHF 1.20"),
    ],
)
def test_money_has_the_digits_of_its_currency(minor: int, currency: str, locale: str, text: str) -> None:
    assert shown(Money(minor=minor, currency=currency), locale) == text


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("en_US", "November 5, 2026"),
        ("en_GB", "5 November 2026"),
        ("de_DE", "5. November 2026"),
        ("pt_BR", "5 de novembro de 2026"),
        ("es_ES", "5 de noviembre de 2026"),
        ("fr_FR", "5 novembre 2026"),
        ("ja_JP", "2026年11月5日"),
        ("xx_YY", "November 5, 2026"),
    ],
)
def test_a_day_is_written_out(locale: str, text: str) -> None:
    assert shown(date(2026, 11, 5), locale) == text


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"])
def test_a_day_never_shifts_with_the_zone(zone: str) -> None:
    assert shown(date(2026, 11, 5), zone=zone) == "November 5, 2026"


@pytest.mark.parametrize(
    ("locale", "zone", "text"),
    [
        ("en_US", "America/New_York", "November 5, 2026, 10:30 AM EST"),
        ("de_DE", "Europe/Berlin", "5. November 2026, 16:30 MEZ"),
        ("pt_BR", "America/Sao_Paulo", "5 de novembro de 2026 12:30 BRT"),
        ("fr_FR", "Europe/Paris", "5 novembre 2026, 16:30 UTC+01:00"),
        ("en_US", "Asia/Kolkata", "November 5, 2026, 9:00 PM UTC+05:30"),
        ("en_US", "Pacific/Auckland", "November 6, 2026, 4:30 AM UTC+13:00"),
    ],
)
def test_an_instant_is_local_time_with_its_zone(locale: str, zone: str, text: str) -> None:
    assert shown(NOW, locale, zone) == text


def test_equal_instants_are_written_alike_whatever_zone_they_came_in() -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=-9)))

    assert shown(elsewhere) == shown(NOW)


@pytest.mark.parametrize(
    ("name", "value", "locale", "text"),
    [
        ("usage.value", 17408, "en_US", "17,408"),
        ("usage.value", 17408, "de_DE", "17.408"),
        ("usage.percent", 85, "en_US", "85%"),
        ("usage.percent", 85, "de_DE", "85 %"),
        ("order.days_late", 1, "en_US", "1 day"),
        ("order.days_late", 3, "pt_BR", "3 dias"),
        ("shipment.delay_days", 0, "de_DE", "0 Tage"),
        ("incident.minutes_open", 185, "fr_FR", "185 minutes"),
    ],
)
def test_a_number_is_written_with_the_unit_its_name_says(
    name: str, value: int, locale: str, text: str
) -> None:
    assert shown(value, locale, name=name) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("SP-10293", "SP-10293", id="id"),
        pytest.param("Jo\u202eão\u200b", "João", id="hidden characters go"),
        pytest.param("two\nlines\tand  spaces", "two lines and spaces", id="one line"),
        pytest.param("Joa\u0303o", "João", id="composed"),
        pytest.param("{order.total}", None, id="braces"),
        pytest.param("<b>x</b>", None, id="markup"),
        pytest.param("see evil.com", None, id="domain"),
        pytest.param("see evil\uff0ecom", None, id="full-width domain"),
        pytest.param("a@b", None, id="address"),
        pytest.param("https://evil.example", None, id="link"),
        pytest.param("x" * 61, None, id="too long"),
    ],
)
def test_a_text_is_bounded_and_plain(value: str, text: str | None) -> None:
    if text is not None:
        assert shown(value) == text
    else:
        with pytest.raises(UnprintableFactError):
            shown(value)


@pytest.mark.parametrize(
    ("value", "fine"),
    [
        ("https://pay.example.com/i/42", True),
        ("http://pay.example.com/i/42", False),
        ("https://pay.example.com/a b", False),
        ("https://p\u0430y.example.com/", False),
        ("javascript:alert(1)", False),
        ("https://x/" + "a" * 300, False),
    ],
)
def test_only_a_fact_named_url_is_a_link_and_only_by_https(value: str, *, fine: bool) -> None:
    if fine:
        assert shown(value, name="invoice.pay_url") == value
    else:
        with pytest.raises(UnprintableFactError):
            shown(value, name="invoice.pay_url")


@pytest.mark.parametrize("value", [None, "", "\u200b", "  "])
def test_nothing_to_print_is_a_missing_fact(value: str | None) -> None:
    with pytest.raises(MissingFactError) as caught:
        shown(value)

    assert caught.value.slot == "order.value"


def test_a_slot_without_fact_is_named() -> None:
    with pytest.raises(MissingFactError, match=r"slot \{order\.number\}: no fact fills it"):
        render_slots("See {order.number}.", {}, locale="en_US", zone="UTC")


def test_flags_negative_lengths_and_strangers_cannot_be_printed() -> None:
    with pytest.raises(UnprintableFactError):
        shown(value=True)
    with pytest.raises(UnprintableFactError):
        shown(-2, name="shipment.delay_days")
    with pytest.raises(UnprintableFactError):
        stranger = fact("hello", "ticket.subject", trusted=False)
        render_slots("{ticket.subject}", {"ticket.subject": stranger}, locale="en_US", zone="UTC")


def test_slots_are_filled_once_and_reported_in_order() -> None:
    facts = {"a.b": fact("one", "a.b"), "c.d": fact("two", "c.d"), "e.f": fact(7, "e.f")}

    rendered = render_slots("{c.d} {a.b}, {c.d} {e.f} {nope}", facts, locale="en_US", zone="UTC")

    assert rendered.text == "two one, two 7 {nope}"
    assert rendered.used == (
        FilledSlot(slot="c.d", rendered="two"),
        FilledSlot(slot="a.b", rendered="one"),
        FilledSlot(slot="e.f", rendered="7"),
    )
    assert slots_of("{c.d} {a.b}, {c.d}") == ("c.d", "a.b")


def test_printable_names_what_can_stand_in_a_message() -> None:
    facts = [fact("x", "a.b"), fact(None, "c.d"), fact("see evil.com", "e.f"), fact(1, "g.h")]

    assert printable(facts, locale="en_US", zone="UTC") == {"a.b", "g.h"}


@settings(max_examples=80)
@given(value=st.text(max_size=80))
def test_a_printed_text_has_one_bounded_line_without_hidden_characters(value: str) -> None:
    try:
        text = shown(value)
    except RenderError:
        return

    assert 0 < len(text) <= 60
    assert not any(is_hidden(char) or char == "\n" for char in text)


@pytest.mark.parametrize(
    ("locale", "language", "written_in"),
    [
        ("pt_BR", "pt", "pt_BR"),
        ("pt-br", "pt", "pt_BR"),
        ("pt", "pt", "pt"),
        ("de_DE", "en", "en_DE"),
        ("ja_JP", "en", "en"),
        ("en_US", "en_US", "en_US"),
        ("zz_ZZ", "zz", "en"),
        ("", "de", "de"),
        ("../..", "en", "en"),
    ],
)
def test_values_are_written_in_the_language_of_the_text(locale: str, language: str, written_in: str) -> None:
    assert rendering_locale(locale, language) == written_in


def test_texts_are_looked_for_in_the_exact_locale_first() -> None:
    assert locale_chain("pt-br") == ("pt_BR", "pt", "en")
    assert locale_chain("en") == ("en",)
    assert language_of("pt-BR") == "pt"
