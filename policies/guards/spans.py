"""Finds what states a value in a text: money, days, times, lengths of time, links, numbers, ids."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from policies.guards.locale_formats import LocaleFormats

_LINK: Final = re.compile(
    r"(?P<url>[a-z][a-z0-9+.-]*://[^\s<>\"]*[^\s<>\".,;:!?)'\]])"
    r"|(?P<mail>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"
    r"|(?P<domain>(?<![\w@])(?:[\w-]+\.)+[a-z]{2,}(?:/[^\s<>\"]*[^\s<>\".,;:!?)])?)",
    re.IGNORECASE,
)
_PHONE: Final = re.compile(r"(?<![\w.,/-])(?:\+\d[\d ()./-]{5,}\d|\(?\d{2,5}\)?[ /-]\d[\d -]{4,}\d)(?!\w)")
_TOKEN: Final = re.compile(r"[^\W_]+(?:[-._/:][^\W_]+)*")
_DIGIT: Final = re.compile(r"\d")
_LAST_MONTH: Final = 12
_LAST_DAY: Final = 31
_LONGEST_WEEKDAY: Final = 24
_CENTURY: Final = 2000
_TWO_DIGITS: Final = 100
_NOON: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """An amount of money as written: the sign or code and the number, None when it cannot be read here."""

    sign: str
    number: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day as written; without a year any year is meant, without a weekday none is claimed."""

    month: int
    day: int
    year: int | None
    weekday: int | None

    def means(self, day: date) -> bool:
        """Whether the day may be the one written."""
        return (
            (day.month, day.day) == (self.month, self.day)
            and self.year in {None, day.year}
            and self.weekday in {None, day.weekday()}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """A time of day as written, with the zone's name if there is one."""

    hour: int
    minute: int
    zone: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A number with a unit: minutes for lengths of time, a unit's sign for quantities, `%` for shares."""

    number: Decimal | None
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link, mail address or bare domain."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A run of letters and digits, or a number alone; a telephone number is one with its digits only."""

    text: str
    number: Decimal | None


Value = Amount | Day | Clock | Counted | Link | Code


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A place in a text that states a value."""

    kind: str
    start: int
    end: int
    text: str
    value: Value


Finder = Callable[[str, LocaleFormats], Iterator[Span]]


def links(text: str, _formats: LocaleFormats) -> Iterator[Span]:
    """Find links, mail addresses and bare domains."""
    for match in _LINK.finditer(text):
        yield _span("link", match, Link(text=match[0]))


def days(text: str, formats: LocaleFormats) -> Iterator[Span]:
    """Find days, in words or in figures."""
    for pattern in formats.dates:
        for match in pattern.finditer(text):
            groups = match.groupdict()
            month, day = _month_and_day(groups, formats)
            if not (1 <= month <= _LAST_MONTH and 1 <= day <= _LAST_DAY):
                continue
            year = int(groups["year"]) if groups.get("year") else None
            if year is not None and year < _TWO_DIGITS:
                year += _CENTURY
            before = formats.weekday_before.search(
                text, max(match.start() - _LONGEST_WEEKDAY, 0), match.start()
            )
            weekday = formats.weekdays[before["weekday"].lower()] if before else None
            yield Span(
                kind="date",
                start=before.start() if before else match.start(),
                end=match.end(),
                text=match[0],
                value=Day(month=month, day=day, year=year, weekday=weekday),
            )


def times(text: str, formats: LocaleFormats) -> Iterator[Span]:
    """Find times of day."""
    for match in formats.time.finditer(text):
        hour = int(match["hour"] or match["bare"])
        if match["half"]:
            hour = hour % _NOON + (_NOON if match["half"] in "pP" else 0)
        yield _span("time", match, Clock(hour=hour, minute=int(match["minute"] or 0), zone=match["zone"]))


def amounts(text: str, formats: LocaleFormats) -> Iterator[Span]:
    """Find amounts of money: a number beside a currency's sign or code."""
    for match in formats.money.finditer(text):
        sign = match["before"] or match["after"]
        if not formats.is_currency(sign):
            continue
        number = formats.number(match["number"] or match["amount"])
        if number is not None and (match["minus"] or match["inner"]):
            number = -number
        yield _span("money", match, Amount(sign=sign, number=number))


def shares(text: str, formats: LocaleFormats) -> Iterator[Span]:
    """Find percentages."""
    for match in formats.percent.finditer(text):
        yield _span("percent", match, Counted(number=formats.number(match["number"]), unit="%"))


def lengths(text: str, formats: LocaleFormats) -> Iterator[Span]:
    """Find lengths of time, in minutes."""
    for match in formats.duration.finditer(text):
        number = formats.number(match["number"])
        minutes = None if number is None else number * formats.durations[match["unit"].lower()]
        yield _span("duration", match, Counted(number=minutes, unit="minute"))


def quantities(text: str, formats: LocaleFormats) -> Iterator[Span]:
    """Find amounts of data and energy."""
    for match in formats.quantity.finditer(text):
        yield _span("quantity", match, Counted(number=formats.number(match["number"]), unit=match["unit"]))


def phones(text: str, _formats: LocaleFormats) -> Iterator[Span]:
    """Find telephone numbers; the value has their digits only."""
    for match in _PHONE.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        yield _span("phone", match, Code(text=digits, number=None))


def figures(text: str, formats: LocaleFormats) -> Iterator[Span]:
    """Find bare numbers, grouped or not."""
    for match in formats.figure.finditer(text):
        yield _span("number", match, Code(text=match[0], number=formats.number(match[0])))


def codes(text: str, formats: LocaleFormats) -> Iterator[Span]:
    """Find what else has a digit: ids, and numbers that are stuck to something."""
    for match in _TOKEN.finditer(text):
        if not _DIGIT.search(match[0]):
            continue
        number = formats.number(match[0])
        yield _span("id" if number is None else "number", match, Code(text=match[0], number=number))


TYPED: Final[tuple[Finder, ...]] = (links, days, times, amounts, shares, lengths, quantities, phones)
"""In this order: each takes its spans away from the next."""
UNTYPED: Final[tuple[Finder, ...]] = (figures, codes)
"""The same, after the texts of facts were taken away."""


def _span(kind: str, match: re.Match[str], value: Value) -> Span:
    return Span(kind=kind, start=match.start(), end=match.end(), text=match[0], value=value)


def _month_and_day(groups: dict[str, str | None], formats: LocaleFormats) -> tuple[int, int]:
    if name := groups.get("name"):
        return formats.months[name.lower()], int(groups["day"] or 0)
    if month := groups.get("month"):
        return int(month), int(groups["day"] or 0)
    first, second = int(groups["first"] or 0), int(groups["second"] or 0)
    return (second, first) if formats.day_first else (first, second)
