"""Which time zones may be a customer's, and when none of them has quiet hours."""

import zoneinfo
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from importlib import metadata, resources
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, reset_tzpath

_UNKNOWN: Final = "Etc/Unknown"
"""What stands for no zone in the tables of telephone numbers and elsewhere."""
_HORIZON: Final = timedelta(days=8)
"""How far ahead a common window is looked for; opening hours repeat daily, clock changes move them once."""


def use_packaged_zones() -> None:
    """Make zone rules come from the `tzdata` package, not from the machine, whose copy may be years old."""
    if zoneinfo.TZPATH == ():
        return  # done before; the caches hold packaged rules
    reset_tzpath(())
    ZoneInfo.clear_cache()
    next_allowed.cache_clear()
    next_day.cache_clear()
    _country_table.cache_clear()


@cache
def zone_rules_version() -> str:
    """Return the version of the zone rules in use, as its publisher writes it, for example `2026f`."""
    year, _, rest = metadata.version("tzdata").partition(".")
    number = rest.partition(".")[0]
    return f"{year}{chr(ord('a') + int(number) - 1)}" if number.isdecimal() else year


def plausible_zones(
    *,
    tz: str | None,
    phones: Iterable[str],
    country: str | None,
    default_zones: Mapping[str, tuple[str, ...]],
) -> tuple[str, ...]:
    """Return every zone that may be a customer's, sorted; empty when nothing is known.

    A known zone stands alone. Otherwise all zones of the phone numbers and of the country count together: a
    number may have moved with its owner, and an address says where the owner is only most of the time.

    Args:
        tz: The zone that the company knows, if any; a name that is no zone counts as unknown.
        phones: Numbers in E.164.
        country: ISO 3166 code.
        default_zones: Zones by country that override those of the zone rules.
    """
    if tz is not None and _is_zone(tz):
        return (tz,)
    zones = {zone for phone in phones for zone in _zones_of_number(phone)}
    if country is not None:
        zones.update(default_zones.get(country) or _country_table().get(country, ()))
    return tuple(sorted(zone for zone in zones if _is_zone(zone)))


def in_quiet_hours(now: datetime, *, start: time, end: time, zone: ZoneInfo) -> bool:
    """Whether the wall clock of a zone stands in the quiet hours; `start` inclusive, `end` exclusive.

    The hours wrap past midnight when they start later than they end. Equal bounds mean no quiet hours.
    """
    wall = now.astimezone(zone).time()
    if start <= end:
        return start <= wall < end
    return wall >= start or wall < end  # wraps past midnight


@lru_cache(maxsize=8192)
def next_allowed(now: datetime, zones: tuple[str, ...], start: time, end: time) -> datetime | None:
    """Return the first instant from `now` on that is outside the quiet hours of every zone, in UTC.

    Returns `now` itself when it is allowed already, and None when the zones share no such instant within
    eight days, as zones around the whole world do, or when there are no zones at all.

    Args:
        now: Aware.
        zones: IANA names that exist.
        start: First quiet minute of the wall clock.
        end: First minute that is quiet no more.
    """
    if not zones:
        return None
    rules = [ZoneInfo(zone) for zone in zones]
    candidate, limit = now.astimezone(UTC), now + _HORIZON
    while candidate <= limit:
        ends = [
            _end_of_quiet(candidate, end, zone)
            for zone in rules
            if in_quiet_hours(candidate, start=start, end=end, zone=zone)
        ]
        if not ends:
            return candidate
        candidate = max(ends)
    return None


@lru_cache(maxsize=8192)
def next_day(now: datetime, zones: tuple[str, ...]) -> datetime:
    """Return the first instant at which every zone has a later calendar day than at `now`, in UTC.

    Without zones it is the same time tomorrow, which is another day everywhere.
    """
    if not zones:
        return now.astimezone(UTC) + timedelta(days=1)
    return max(_start_of_next_day(now, ZoneInfo(zone)) for zone in zones)


def _end_of_quiet(now: datetime, end: time, zone: ZoneInfo) -> datetime:
    """Return a later instant up to which it is surely quiet; a clock change on the way stops there."""
    wall = now.astimezone(zone).replace(tzinfo=None)
    ends_on: date = wall.date() if wall.time() < end else wall.date() + timedelta(days=1)
    then = now + (datetime.combine(ends_on, end) - wall)
    if then.astimezone(zone).utcoffset() == now.astimezone(zone).utcoffset():
        return then
    return _clock_change(now, then, zone)


def _start_of_next_day(now: datetime, zone: ZoneInfo) -> datetime:
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    # where a clock change skips midnight, this reads it by the rule before and so meets the change itself
    return datetime.combine(tomorrow, time(), tzinfo=zone).astimezone(UTC)


def _clock_change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the first second between two instants at which the zone has another offset than at `before`."""
    old = before.astimezone(zone).utcoffset()
    low, high = 0, int((after - before).total_seconds()) + 1
    start = before.replace(microsecond=0)
    while high - low > 1:
        middle = (low + high) // 2
        if (start + timedelta(seconds=middle)).astimezone(zone).utcoffset() == old:
            low = middle
        else:
            high = middle
    return start + timedelta(seconds=high)


@lru_cache(maxsize=65536)
def _zones_of_number(phone: str) -> tuple[str, ...]:
    import phonenumbers
    from phonenumbers import timezone

    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return ()
    return tuple(timezone.time_zones_for_number(number))


@lru_cache(maxsize=1024)
def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return name != _UNKNOWN


@lru_cache(maxsize=1)
def _country_table() -> dict[str, tuple[str, ...]]:
    """Return the zones of each country from the zone rules' own table."""
    text = (resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    table: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            country, _, zone, *_ = line.split("\t")
            table[country] = (*table.get(country, ()), zone)
    return table
