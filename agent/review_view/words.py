"""Times, amounts and values as words for reviewers."""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from agent.audit.figures import micros

_DAY_WORDS_FROM: Final = timedelta(days=3)
_HOUR: Final = timedelta(hours=1)
_MINUTE: Final = timedelta(minutes=1)


def span(length: timedelta) -> str:
    """Return a length of time in at most two units: `45 s`, `12 m`, `2 h 05 m`, `4 d`."""
    seconds = int(abs(length).total_seconds())
    if seconds < _MINUTE.total_seconds():
        return f"{seconds} s"
    minutes = seconds // 60
    if seconds < _HOUR.total_seconds():
        return f"{minutes} m"
    hours = minutes // 60
    if abs(length) < timedelta(days=1):
        return f"{hours} h {minutes % 60:02d} m"
    return f"{hours} h" if abs(length) < _DAY_WORDS_FROM else f"{hours // 24} d"


def ago(length: timedelta) -> str:
    """Return how long ago something was; `in …` for what is still to come."""
    return f"{span(length)} ago" if length >= timedelta(0) else f"in {span(length)}"


def in_words(length: timedelta) -> str:
    """Return how far an instant lies ahead, or back: `in 2 h 05 m`, `12 m ago`."""
    return f"in {span(length)}" if length > timedelta(0) else f"{span(length)} ago"


def time_left(until: datetime, now: datetime) -> str:
    """Return the time left, or by how much it is over: `in 2 h 05 m`, `12 m over`."""
    return f"in {span(until - now)}" if until > now else f"{span(now - until)} over"


def their_time(instant: datetime, zone: str, now: datetime) -> str:
    """Return an instant as the customer's clock shows it, with the day where it is not today there."""
    local, today = instant.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone)).date()
    if local.date() == today:
        return f"{local:%H:%M} their time"
    if local.date() == today + timedelta(days=1):
        return f"{local:%H:%M} tomorrow, their time"
    return f"{local:%a %d %b %H:%M}, their time"


def price(cost_micros: int) -> str:
    """Return a cost in micro-units with the places that matter: `0.08`, `0.0004`."""
    whole = micros(cost_micros)
    return whole.removesuffix("00")


def plural(number: int, word: str) -> str:
    """Return `1 draft`, `2 drafts`."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def plain(name: str) -> str:
    """Return a name of ours as words: `shipping_delay` reads `shipping delay`."""
    return name.replace("_", " ")
