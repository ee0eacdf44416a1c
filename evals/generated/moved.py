"""A world moved as a whole to other zones: every wall clock shows the same, so nothing may change."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from evals.generated.clocks import USUAL_ZONE, ZONES, end_of, offset, zones_of
from evals.generated.spelled import Spelled, mapped

_FIXED: Final = (*(f"Etc/GMT{hours:+}" for hours in range(-14, 13) if hours), "Asia/Kabul", "Asia/Kathmandu")
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)")
_DAY: Final = timedelta(days=1)
_STEP: Final = timedelta(hours=3)
"""No zone changes its clocks twice within it."""

Ways = Mapping[str, str]
"""Zone of the case → zone instead."""


def ways_to_move(spelled: Spelled) -> Sequence[Ways]:
    """Return the ways to move the zones of company and customers by the same length of time.

    None where a customer's zone is unknown, or where the clocks change and no other zone's go alike.
    """
    present = zones_of(spelled)
    if not present:
        return ()
    start = spelled.case.start
    found: list[Ways] = []
    for target in ZONES:
        by = offset(target, start) - offset(present[0], start)
        ways = {zone: _alike(spelled, zone, by) for zone in dict.fromkeys((*present, spelled.case.zone))}
        ways[present[0]] = target if _goes_alike(spelled, present[0], target, by) else None
        known = {zone: way for zone, way in ways.items() if way is not None}
        if by and len(known) == len(ways):
            found.append(known)
    return found


def move(spelled: Spelled, ways: Ways) -> None:
    """Move company and customers, and with them every instant of the case and of what is expected."""
    case = spelled.case
    first = zones_of(spelled)[0]
    by = offset(ways[first], case.start) - offset(first, case.start)
    spelled.fields["zone"] = ways[case.zone]
    known = spelled.records("customer")
    for customer in [*known, *spelled.changes("customer")]:
        if "tz" in customer or customer in known or not known:
            customer["tz"] = ways[customer.get("tz", USUAL_ZONE)]

    def shifted(text: str) -> str:
        moment = datetime.fromisoformat(text) if _INSTANT.fullmatch(text) else None
        return (moment - by).astimezone(UTC).isoformat() if moment else text

    for name in ("records", "events", "sent", "expect"):
        if name in spelled.fields:
            spelled.fields[name] = mapped(spelled.fields[name], shifted)
    spelled.fields["now"] = (case.start - by).isoformat()
    spelled.note("moved", f"all of it happens in {ways[first]} by the same clocks")


def _alike(spelled: Spelled, zone: str, by: timedelta) -> str | None:
    return next((one for one in (*ZONES, *_FIXED, "UTC") if _goes_alike(spelled, zone, one, by)), None)


def _goes_alike(spelled: Spelled, zone: str, other: str, by: timedelta) -> bool:
    first, last = spelled.case.start - 2 * _DAY, end_of(spelled.case) + _DAY
    if offset(other, first) != offset(zone, first) + by:
        return False  # most are told apart by a glance
    return _course(other, first, last) == tuple(one + by for one in _course(zone, first, last))


@lru_cache(maxsize=4_096)
def _course(zone: str, first: datetime, last: datetime) -> tuple[timedelta, ...]:
    """Return how far the clocks of a zone are ahead, step by step."""
    return tuple(offset(zone, first + number * _STEP) for number in range((last - first) // _STEP + 2))
