"""Zones and quiet hours as the answers of varied cases reckon them, by rules of their own."""

from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from evals.cases.model import Case
from evals.generated.spelled import Spelled

USUAL_ZONE: Final = "Europe/Berlin"
"""Of customers of whom a case says nothing."""
ZONES: Final = (
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Tokyo",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "Pacific/Honolulu",
    "Europe/London",
    "Europe/Berlin",
)
STEP: Final = timedelta(minutes=1)
_QUIET_FROM: Final = time(21)
_QUIET_TO: Final = time(8)


def zones_of(spelled: Spelled) -> tuple[str, ...]:
    """Return the zones of the customers, sorted; none where one of them is unknown."""
    customers = spelled.everywhere("customer")
    zones = {customer.get("tz", USUAL_ZONE) for customer in customers} or {USUAL_ZONE}
    return tuple(sorted(zones)) if all(isinstance(one, str) and _is_zone(one) for one in zones) else ()


@lru_cache(maxsize=65_536)
def offset(zone: str, at: datetime) -> timedelta:
    """Return how far the clocks of a zone are ahead of UTC."""
    return at.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()


def end_of(case: Case) -> datetime:
    """Return the instant at which a case is over."""
    return case.start + sum((event.after for event in case.events), timedelta()) + case.runs


def is_quiet(at: datetime, zone: str) -> bool:
    """Whether people of the zone are left alone."""
    wall = at.astimezone(ZoneInfo(zone)).time()
    return wall >= _QUIET_FROM or wall < _QUIET_TO


def always_awake(case: Case, zone: str) -> bool:
    """Whether nobody of the zone is to be left alone at any time of a case."""
    at = case.start
    while at <= end_of(case):
        if is_quiet(at, zone):
            return False
        at += STEP * 15
    return not is_quiet(end_of(case), zone)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, ZoneInfoNotFoundError):
        return False
    return True
