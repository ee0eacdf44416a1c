"""Until when a draft is put off: a few times by one key, or a time in words."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final

from agent.tui.dialogs import Option

CUSTOM: Final = "custom"
_NINE: Final = time(9)
_SPAN: Final = re.compile(r"(\d{1,3})\s*([mhd])")
_UNITS: Final = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d{2})")


def snooze_options(now: datetime, zone: tzinfo) -> Sequence[Option]:
    """Return the times offered, each with its instant (UTC, ISO 8601) as value."""
    tomorrow = _at(now, zone, days=1, when=_NINE)
    return (
        Option("1", (now + timedelta(hours=1)).isoformat(), "for one hour"),
        Option("4", (now + timedelta(hours=4)).isoformat(), "for four hours"),
        Option("t", tomorrow.isoformat(), "until tomorrow 09:00, your time"),
        Option("c", CUSTOM, "until another time"),
    )


def read_time(words: str, *, now: datetime, zone: tzinfo) -> datetime | None:
    """Return the instant that a reviewer wrote, in UTC; None when it cannot be read or is past.

    `45m`, `3h`, `2d`; `14:30`, today or, when that is past, tomorrow; `2026-11-05 09:00`, all in their zone.
    """
    words = words.strip()
    if match := _SPAN.fullmatch(words):
        return now + int(match[1]) * _UNITS[match[2]]
    if match := _CLOCK.fullmatch(words):
        return _clock_time(int(match[1]), int(match[2]), now, zone)
    try:
        found = datetime.fromisoformat(words)
    except ValueError:
        return None
    instant = (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    return instant if instant > now else None


def _clock_time(hour: int, minute: int, now: datetime, zone: tzinfo) -> datetime | None:
    try:
        when = time(hour, minute)
    except ValueError:
        return None
    today = _at(now, zone, days=0, when=when)
    return today if today > now else _at(now, zone, days=1, when=when)


def _at(now: datetime, zone: tzinfo, *, days: int, when: time) -> datetime:
    day = now.astimezone(zone).date() + timedelta(days=days)
    return datetime.combine(day, when, tzinfo=zone).astimezone(UTC)
