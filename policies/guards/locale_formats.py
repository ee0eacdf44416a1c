"""How a locale writes numbers, money, days, times and lengths of time, as patterns to find them in a text."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from typing import Final, Literal

from babel import Locale, UnknownLocaleError
from babel.dates import (
    format_timedelta,
    get_date_format,
    get_day_names,
    get_month_names,
    get_timezone_gmt,
    get_timezone_name,
)
from babel.numbers import get_currency_symbol, get_decimal_symbol, get_group_symbol, list_currencies

_STRAIGHT: Final = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-", "\u2212": "-"}
)
_NO_ACCENTS: Final = dict.fromkeys(range(0x0300, 0x0370))
"""Accents of Latin letters only: the voicing marks of kana tell syllables apart."""
_SIGNS: Final = re.escape("$£¥¤฿" + "".join(map(chr, range(0x20A0, 0x20C1))))
_UNITS: Final[tuple[tuple[timedelta, Literal["minute", "hour", "day", "week"]], ...]] = (
    (timedelta(minutes=1), "minute"),
    (timedelta(hours=1), "hour"),
    (timedelta(days=1), "day"),
    (timedelta(weeks=1), "week"),
)
_STYLES: Final[tuple[Literal["long", "short"], ...]] = ("long", "short")
_WIDTHS: Final[tuple[Literal["wide", "abbreviated"], ...]] = ("wide", "abbreviated")
_CONTEXTS: Final[tuple[Literal["format", "stand-alone"], ...]] = ("format", "stand-alone")
_ALWAYS_SMALLER: Final = 1e9
_GROUP: Final = 3
_CLEAR_BEFORE: Final = r"(?<![\w.,/-])"
_CLEAR_BEFORE_AMOUNT: Final = r"(?<![\w.,/])"  # the minus is the amount's own
_TIME: Final = re.compile(
    r"(?<![\w:.,/-])"
    r"(?:(?P<hour>\d{1,2})[:hH](?P<minute>\d{2})(?::\d{2})?"
    r"|(?P<bare>\d{1,2})(?= ?(?:(?i:[ap])\.?(?i:m)\b|Uhr\b)))"
    r"(?: ?(?P<half>(?i:[ap]))\.? ?(?i:m)\b\.?| ?Uhr\b)?"
    r"(?: (?P<zone>(?:UTC|GMT)[+-]\d{1,2}(?::?\d{2})?|[A-Z]{3,5}\b))?(?![\w:])"
)


def plain(text: str) -> str:
    """Return the text in the form in which values are compared: NFKC, no accents, straight punctuation.

    Case stays. A message folded for SMS compares equal to the value it was folded from.
    """
    if text.isascii():
        return text
    composed = unicodedata.normalize("NFKC", text).translate(_STRAIGHT)
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", composed).translate(_NO_ACCENTS))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LocaleFormats:
    """The patterns of one locale, made once; texts are searched in their `plain` form."""

    locale: Locale
    decimal: str
    group: str
    day_first: bool
    months: Mapping[str, int]
    """Names and abbreviations in lower case, to 1 and up."""
    weekdays: Mapping[str, int]
    """To 0 for Monday and up."""
    durations: Mapping[str, int]
    """Words for units of time in lower case, to minutes."""
    money: re.Pattern[str]
    dates: tuple[re.Pattern[str], ...]
    weekday_before: re.Pattern[str]
    """A weekday at the end of what stands before a day."""
    time: re.Pattern[str]
    duration: re.Pattern[str]
    percent: re.Pattern[str]
    quantity: re.Pattern[str]
    figure: re.Pattern[str]
    """A number that is no part of an id."""

    def is_currency(self, sign: str) -> bool:
        """Whether a sign stands for money: three capitals may also be another abbreviation."""
        return not sign.isalpha() or sign in _codes()

    def number(self, text: str) -> Decimal | None:
        """Return the number that a text means here, None when numbers are not written like that here."""
        whole, point, fraction = text.partition(self.decimal)
        head, *tail = whole.split(self.group)
        digits = [head, *tail, *([fraction] if point else [])]
        if not all(part.isdecimal() for part in digits):
            return None
        if tail and (
            len(head) > _GROUP or len(tail[-1]) != _GROUP or any(len(part) > _GROUP for part in tail)
        ):
            return None
        return Decimal(f"{head}{''.join(tail)}.{fraction or 0}")

    def symbols(self, currency: str) -> frozenset[str]:
        """Return how a currency is written here: its code and the locale's own symbol."""
        return frozenset({currency, plain(get_currency_symbol(currency, locale=self.locale))})

    def zone_names(self, local: datetime) -> frozenset[str]:
        """Return how the zone of a local time is written here."""
        offset = get_timezone_gmt(local, width="short", locale=self.locale)
        short = get_timezone_name(local, width="short", locale=self.locale)
        return frozenset({plain(short), f"UTC{offset[:3]}:{offset[3:]}"})


@lru_cache(maxsize=256)
def locale_formats(tag: str) -> LocaleFormats:
    """Return the formats of a locale; those of its language, then of English, when Babel has none."""
    locale = _parse(tag)
    decimal, group = plain(get_decimal_symbol(locale)), plain(get_group_symbol(locale))
    number = rf"\d{{1,3}}(?:{re.escape(group)}\d{{3}})+(?:{re.escape(decimal)}\d+)?|\d+(?:[.,]\d+)*"
    months = _names(get_month_names(width, context, locale) for width in _WIDTHS for context in _CONTEXTS)
    weekdays = _names(get_day_names(width, context, locale) for width in _WIDTHS for context in _CONTEXTS)
    durations = _duration_words(locale)
    short = get_date_format("short", locale).pattern
    counted = rf"{_CLEAR_BEFORE}(?P<number>{number})"
    return LocaleFormats(
        locale=locale,
        decimal=decimal,
        group=group,
        day_first=short.find("d") < short.find("M"),
        months=months,
        weekdays=weekdays,
        durations=durations,
        money=_money_pattern(number),
        dates=_date_patterns(months, dotted="." in short and decimal != "."),
        weekday_before=re.compile(rf"\b(?P<weekday>{_one_of(weekdays)})\b\.?,? ?$", re.IGNORECASE),
        time=_TIME,
        duration=re.compile(rf"{counted}[ -]?(?P<unit>{_one_of(durations)})(?![^\W\d_])", re.IGNORECASE),
        percent=re.compile(rf"{counted} ?%"),
        quantity=re.compile(rf"{counted} ?(?P<unit>[kKMGT]i?[Bbo]|[kMG]bit/s|kWh)\b"),
        figure=re.compile(rf"{counted}(?!\w|[-_/:]\w)"),
    )


def _parse(tag: str) -> Locale:
    normal = tag.replace("-", "_")
    for candidate in (normal, normal.partition("_")[0]):
        try:
            return Locale.parse(candidate)
        except (UnknownLocaleError, ValueError):
            continue
    return Locale.parse("en")


def _names(tables: Iterable[Mapping[int, str]]) -> dict[str, int]:
    return {plain(name).rstrip(".").lower(): number for table in tables for number, name in table.items()}


def _duration_words(locale: Locale) -> dict[str, int]:
    """Learn the words for units from how Babel writes a few lengths of time."""
    words: dict[str, int] = {}
    for length, unit in _UNITS:
        for count in (1, 2, 5):
            for style in _STYLES:
                shown = format_timedelta(
                    count * length, unit, threshold=_ALWAYS_SMALLER, format=style, locale=locale
                )
                word = plain(shown).replace(str(count), "").strip().lower()
                words[word] = words[word.rstrip(".")] = length // timedelta(minutes=1)
    return {word: minutes for word, minutes in words.items() if word}


def _one_of(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)) or r"(?!)"


@cache
def _codes() -> frozenset[str]:
    return frozenset(list_currencies())


def _money_pattern(number: str) -> re.Pattern[str]:
    # others write US$, French $US, and in Canada $ US
    after = r"(?:[A-Z]{2}\b| (?:AU|HK|NZ|SG|US)\b)?"
    sign = rf"(?:(?:\b[A-Z]{{1,3}})?[{_SIGNS}]{after}|(?<![A-Za-z])[A-Z]{{3}}(?![A-Za-z]))"
    return re.compile(
        rf"(?P<minus>(?<!\w)-)?"
        rf"(?:(?P<before>{sign}) ?(?P<inner>-)?(?P<number>{number})"
        rf"|{_CLEAR_BEFORE_AMOUNT}(?P<amount>{number}) ?(?P<after>{sign}))"
    )


def _date_patterns(months: Mapping[str, int], *, dotted: bool) -> tuple[re.Pattern[str], ...]:
    month = _one_of(name for name in months if not name[0].isdigit())
    day = r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|o|a)?\.?"
    year = r"(?P<year>\d{4})"
    forms: tuple[str, ...] = (
        rf"{_CLEAR_BEFORE}{day} ?(?:de |of )?(?P<name>{month})\b\.?(?:,? (?:de |of )?{year}\b)?",
        rf"\b(?P<name>{month})\b\.? (?:the )?{day}(?:,? {year}\b)?(?!\w)",
        rf"(?:{year}年)?(?P<month>\d{{1,2}})月(?P<day>\d{{1,2}})日",
        rf"{_CLEAR_BEFORE}{year}(?P<sep>[-/.])(?P<month>\d{{1,2}})(?P=sep)(?P<day>\d{{1,2}})(?![\w-])",
        rf"{_CLEAR_BEFORE}(?P<first>\d{{1,2}})(?P<sep>[-/.])(?P<second>\d{{1,2}})(?P=sep)(?P<year>\d{{4}}|\d\d)(?![\w-])",
        rf"{_CLEAR_BEFORE}(?P<first>\d{{1,2}})/(?P<second>\d{{1,2}})(?![\w/-])",
    )
    if dotted:
        forms += (rf"{_CLEAR_BEFORE}(?P<first>\d{{1,2}})\.(?P<second>\d{{1,2}})\.(?![\w-])",)
    return tuple(re.compile(form, re.IGNORECASE) for form in forms)
