"""Durations as people write them: `3d`, `36h`, `1h30m`, `45s`."""

import re
from datetime import timedelta
from typing import Annotated, Final

from pydantic import BeforeValidator

_DURATION: Final = re.compile(r"^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$")


def parse_duration(value: object) -> timedelta:
    """Parse `3d`, `36h`, `1h30m` or `45s`; a day is 24 hours.

    Raises:
        ValueError: The text is no duration.
    """
    if isinstance(value, timedelta):
        return value
    match = _DURATION.match(value) if isinstance(value, str) and value else None
    if match is None or not any(match.groups()):
        raise ValueError(f"{value!r} is no duration; write for example 3d, 36h, 1h30m or 45s")
    days, hours, minutes, seconds = (int(group or 0) for group in match.groups())
    try:
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError as exc:
        raise ValueError(f"{value!r} is longer than can be reckoned with; write a shorter one") from exc


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
