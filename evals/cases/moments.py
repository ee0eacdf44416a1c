"""Times and amounts as people write them in cases: `+2d`, `-1h30m`, `49.90 EUR`."""

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision
from pydantic import AfterValidator, WithJsonSchema

from tools.durations import Duration, parse_duration

_RELATIVE: Final = re.compile(r"(?P<sign>[+-])(?P<length>(?:\d+[dhms])+)")
_MONEY: Final = re.compile(r"(?P<amount>-?\d{1,15}(?:\.\d{1,3})?) (?P<currency>[A-Z]{3})")
_DAY: Final = timedelta(days=1)


def _is_moment(text: str) -> str:
    moment(text, datetime(2026, 1, 1, tzinfo=UTC))
    return text


def _is_day(text: str) -> str:
    day(text, datetime(2026, 1, 1, tzinfo=UTC), UTC_ZONE)
    return text


def _is_money(text: str) -> str:
    money(text)
    return text


Moment = Annotated[str, AfterValidator(_is_moment)]
"""An instant: `now`, relative to the start of the case as `+2d` or `-1h30m`, or ISO 8601 with its zone."""
DayText = Annotated[str, AfterValidator(_is_day)]
"""A calendar day: `today`, relative as `+2d`, or `2026-11-30`."""
MoneyText = Annotated[str, AfterValidator(_is_money)]
"""An amount in major units with its currency, `49.90 EUR`."""
Length = Annotated[
    Duration, WithJsonSchema({"type": "string", "pattern": "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$"})
]
"""A length of time, `1h30m`."""
UTC_ZONE: Final = ZoneInfo("UTC")


def moment(text: str, start: datetime) -> datetime:
    """Return the instant that a text means in a case that starts at `start`.

    Raises:
        ValueError: The text is no moment; the message has the remedy after its last semicolon.
    """
    if text == "now":
        return start
    if (relative := _length(text)) is not None:
        return start + relative
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise ValueError(f"{text!r} is no moment; write now, +2d, -1h30m or 2026-11-02T12:00Z")
    return instant.astimezone(UTC)


def day(text: str, start: datetime, zone: ZoneInfo) -> date:
    """Return the calendar day that a text means, counted in a zone.

    Raises:
        ValueError: The text is no day.
    """
    if text == "today":
        return start.astimezone(zone).date()
    if (relative := _length(text)) is not None:
        if relative % _DAY:
            raise ValueError(f"{text!r} is no number of days; write +2d or -1d")
        return start.astimezone(zone).date() + relative
    try:
        return date.fromisoformat(text)
    except ValueError as exc:
        raise ValueError(f"{text!r} is no day; write today, +2d or 2026-11-30") from exc


def money(text: str) -> tuple[int, str]:
    """Return (minor units, currency) of an amount in major units.

    Raises:
        ValueError: The text is no amount, or finer than the currency's smallest unit.
    """
    match = _MONEY.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no amount; write for example 49.90 EUR")
    places = get_currency_precision(match["currency"])
    minor = Decimal(match["amount"]).scaleb(places)
    if minor != minor.to_integral_value():
        raise ValueError(f"{text!r} is finer than {match['currency']} can be; write {places} decimals")
    return int(minor), match["currency"]


def end_of_day(day_: date, zone: ZoneInfo) -> datetime:
    """Return the exclusive end of a calendar day in a zone, in UTC."""
    return datetime.combine(day_ + _DAY, time(), tzinfo=zone).astimezone(UTC)


def _length(text: str) -> timedelta | None:
    match = _RELATIVE.fullmatch(text)
    if match is None:
        return None
    length = parse_duration(match["length"])
    return length if match["sign"] == "+" else -length
