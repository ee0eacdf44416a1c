from datetime import date
from decimal import Decimal
from typing import Literal

import pytest
from babel.dates import format_date
from babel.numbers import format_decimal
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.guards.lexicon import WordKind, fold, languages, lexicon, listed_words
from policies.guards.locale_formats import locale_formats, plain
from policies.guards.spans import Day, days

Style = Literal["short", "medium", "long", "full"]
STYLES: list[Style] = ["short", "medium", "long", "full"]
LOCALES = ["en_US", "en_GB", "en_IN", "de_DE", "de_CH", "pt_BR", "pt_PT", "es_ES", "es_MX", "fr_FR", "ja_JP"]


@pytest.mark.parametrize(
    ("locale", "text", "number"),
    [
        ("en_US", "1,234.50", Decimal("1234.50")),
        ("en_US", "1234", Decimal(1234)),
        ("en_IN", "12,34,567", Decimal(1234567)),
        ("en_US", "1,23", None),
        ("en_US", "1,2345", None),
        ("en_US", "1.234,50", None),
        ("en_US", "1234,567", None),
        ("en_US", "1.", None),
        ("de_DE", "1.234,50", Decimal("1234.50")),
        ("de_DE", "1,234.50", None),
        ("fr_FR", "1 234,50", Decimal("1234.50")),
        ("pt_BR", "0,05", Decimal("0.05")),
    ],
)
def test_a_number_is_read_as_its_locale_writes_it(locale: str, text: str, number: Decimal | None) -> None:
    assert locale_formats(locale).number(text) == number


@settings(max_examples=80, deadline=None)
@given(locale=st.sampled_from(LOCALES), number=st.decimals(0, 10**9, places=2, allow_nan=False))
def test_reading_a_number_inverts_writing_it(locale: str, number: Decimal) -> None:
    written = plain(format_decimal(number, locale=locale))

    assert locale_formats(locale).number(written) == number


@settings(max_examples=80, deadline=None)
@given(
    locale=st.sampled_from(LOCALES),
    style=st.sampled_from(STYLES),
    day=st.dates(date(2000, 1, 1), date(2049, 12, 31)),
)
def test_reading_a_day_inverts_writing_it(locale: str, style: Style, day: date) -> None:
    written = plain(f"X {format_date(day, style, locale=locale)} X")

    found = [span.value for span in days(written, locale_formats(locale))]

    assert found
    assert all(isinstance(value, Day) and value.means(day) for value in found)


@pytest.mark.parametrize("language", languages())
def test_no_common_word_is_also_a_forbidden_one(language: str) -> None:
    lists = lexicon(language)

    clashes = {
        (word.word, word.kind)
        for word in listed_words(" . ".join(sorted(lists.common)), language)
        if word.kind in {WordKind.COMMITMENT, WordKind.PROMOTION, WordKind.UNIT}
    }

    assert clashes == set()


def test_words_are_compared_without_case_and_accents() -> None:
    assert fold("MARÇO") == fold("Marco") == "marco"
    assert [word.kind for word in listed_words("AMANHA", "pt")] == [WordKind.CALENDAR]


def test_a_capital_entry_counts_only_when_capitalised() -> None:
    assert listed_words("You may", "en") == ()
    assert [word.word for word in listed_words("in May", "en")] == ["May"]
    assert [word.word for word in listed_words("in USD or usd", "en")] == ["USD"]


def test_an_idiom_takes_its_own_words_away_only() -> None:
    assert listed_words("Bom dia, tudo bem", "pt") == ()
    assert [word.word for word in listed_words("Bom dia, chega em um dia", "pt")] == ["dia"]
