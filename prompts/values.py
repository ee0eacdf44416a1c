"""How a fact's value is written for one customer: money, days, times, numbers and short texts."""

import re
import unicodedata
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final, Literal
from zoneinfo import ZoneInfo

from babel.dates import (
    format_date,
    format_time,
    format_timedelta,
    get_datetime_format,
    get_timezone_gmt,
    get_timezone_name,
)
from babel.numbers import format_currency, format_decimal, format_percent, get_currency_precision

from prompts.errors import MissingFactError, UnprintableFactError
from prompts.locale import babel_locale
from tools.records.base import Money
from tools.records.facts import Fact, FactValue
from tools.safe_text import is_hidden

LONGEST_TEXT: Final = 60
LONGEST_URL: Final = 300
_URL = re.compile(r"https://[!-~]+")
_LINK_LIKE = re.compile(r"://|www\.|@|\w[.。][a-z]{2,}", re.IGNORECASE)
_STUCK = re.compile(r"(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])")
_MARKUP = frozenset("<>{}[]|`\\")
_WIDE_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " "})
"""Babel's no-break spaces would turn an SMS into UCS-2 and break byte-wise comparison with typed text."""
_DURATIONS: Final[dict[str, tuple[timedelta, Literal["minute", "hour", "day"]]]] = {
    "minutes": (timedelta(minutes=1), "minute"),
    "hours": (timedelta(hours=1), "hour"),
    "days": (timedelta(days=1), "day"),
}
_ALWAYS_SMALLER = 1e9
"""Threshold that keeps a length of time in the unit it was given in."""


def print_fact(fact: Fact, *, locale: str, zone: str) -> str:
    """Return a fact's value as the customer reads it.

    Money follows the currency's own digits; a day is a calendar date and never shifts with the zone; an
    instant is local time with the zone's name. A number whose name says a unit is printed with it:
    `…percent`, and names with the word `minutes`, `hours` or `days`. Texts are bounded (`LONGEST_TEXT`),
    of one line, without hidden characters, links or markup; only a fact whose name ends in `url` is a link.

    Raises:
        MissingFactError: The value is None or an empty text.
        UnprintableFactError: The value cannot stand in a message; so can no text by a stranger.
    """
    if not fact.trusted:
        raise UnprintableFactError(fact.name, "it is text by a stranger")
    return _print(fact.name, fact.value, locale, zone).translate(_WIDE_SPACES)


def _print(name: str, value: FactValue, locale: str, zone: str) -> str:
    match value:
        case None | "":
            raise MissingFactError(name)
        case bool():
            raise UnprintableFactError(name, "a flag has no printed form")
        case int():
            return _number(name, value, locale)
        case Money():
            return _money(value.minor, value.currency, locale)
        case datetime():
            return _instant(value, locale, zone)
        case date():
            return _day(value, locale)
        case str():
            return _url(name, value) if name.endswith("url") else _text(name, value)


@lru_cache(maxsize=8192)
def _money(minor: int, currency: str, locale: str) -> str:
    amount = Decimal(minor).scaleb(-get_currency_precision(currency))
    # CLDR's spacing, which Babel leaves out: a code of letters stands apart from the number
    return _STUCK.sub("\u00a0", format_currency(amount, currency, locale=babel_locale(locale)))


@lru_cache(maxsize=4096)
def _day(value: date, locale: str) -> str:
    return format_date(value, "long", locale=babel_locale(locale))


@lru_cache(maxsize=4096)
def _instant(value: datetime, locale: str, zone: str) -> str:
    where = babel_locale(locale)
    local = value.astimezone(ZoneInfo(zone))
    name = get_timezone_name(local, width="short", locale=where)
    if name[:1] in "+-":  # no short name in this language
        name = get_timezone_gmt(local, width="short", locale=where)
        name = f"UTC{name[:3]}:{name[3:]}"
    clock = format_time(local, "short", tzinfo=ZoneInfo(zone), locale=where)
    day = format_date(local.date(), "long", locale=where)
    glue = str(get_datetime_format("long", locale=where)).replace("'", "")
    return glue.replace("{0}", f"{clock} {name}").replace("{1}", day)


@lru_cache(maxsize=4096)
def _number(name: str, value: int, locale: str) -> str:
    where = babel_locale(locale)
    words = name.rpartition(".")[2].split("_")
    if words[-1] == "percent":
        return format_percent(Decimal(value) / 100, locale=where)
    duration = next((_DURATIONS[word] for word in words if word in _DURATIONS), None)
    if duration is None:
        return format_decimal(value, locale=where)
    if value < 0:
        raise UnprintableFactError(name, "a length of time below zero has no printed form")
    unit, granularity = duration
    return format_timedelta(value * unit, granularity, threshold=_ALWAYS_SMALLER, locale=where)


def _text(name: str, value: str) -> str:
    shown = value if value.isprintable() else "".join(char for char in value if not is_hidden(char))
    line = " ".join(unicodedata.normalize("NFC", shown).split())
    if not line:
        raise MissingFactError(name)
    if len(line) > LONGEST_TEXT:
        raise UnprintableFactError(name, f"the text is longer than {LONGEST_TEXT} characters")
    if _LINK_LIKE.search(unicodedata.normalize("NFKC", line)):
        raise UnprintableFactError(name, "the text contains something like a link or an address")
    if not _MARKUP.isdisjoint(line):
        raise UnprintableFactError(name, "the text contains markup")
    return line


def _url(name: str, value: str) -> str:
    if len(value) > LONGEST_URL or not _URL.fullmatch(value):
        raise UnprintableFactError(name, "it is no plain https address")
    return value
