"""Time inside the simulation: whole seconds since 1970 in UTC, and the text a company's database keeps."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

Second = int
"""Seconds since 1970-01-01T00:00Z."""

MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86400

_EPOCH: Final = date(1970, 1, 1)
_SUNDAY: Final = 6


def second_of(instant: datetime) -> Second:
    """Return the whole second at or before an aware instant.

    Raises:
        ValueError: The instant is naive.
    """
    if instant.tzinfo is None:
        raise ValueError(f"{instant!r} has no time zone")
    return int(instant.timestamp() // 1)


def instant_of(second: Second) -> datetime:
    """Return the instant in UTC."""
    return datetime.fromtimestamp(second, tz=UTC)


def stamp(second: Second) -> str:
    """Return `YYYY-MM-DD HH:MM:SS` in UTC, as the company's tables keep it."""
    day, rest = divmod(second, DAY)
    minutes, seconds = divmod(rest, MINUTE)
    hours, minutes = divmod(minutes, MINUTE)
    return f"{_day_text(day)} {hours:02}:{minutes:02}:{seconds:02}"


@lru_cache(maxsize=4096)
def _day_text(days: int) -> str:
    return (_EPOCH + timedelta(days=days)).isoformat()


@lru_cache(maxsize=8192)
def day_end(day: date, zone: str) -> Second:
    """Return the first second after a calendar day in a zone: the exclusive end of that day."""
    return int(datetime.combine(day + timedelta(days=1), datetime.min.time(), ZoneInfo(zone)).timestamp())


def local_day(second: Second, zone: str) -> date:
    """Return the calendar day of a second in a zone."""
    return datetime.fromtimestamp(second, tz=ZoneInfo(zone)).date()


def working_day_after(day: date, count: int) -> date:
    """Return the day `count` working days after `day`; carriers and shops rest on Sundays."""
    while count > 0:
        day += timedelta(days=1)
        if day.weekday() != _SUNDAY:
            count -= 1
    return day
