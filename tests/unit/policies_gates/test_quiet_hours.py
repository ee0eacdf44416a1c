"""Quiet hours and zones: edges, clock changes, several zones at once, and where zones come from."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from policies.gates.quiet import quiet_hours
from policies.verdict import Outcome
from policies.zones import (
    in_quiet_hours,
    next_allowed,
    next_day,
    plausible_zones,
    use_packaged_zones,
    zone_rules_version,
)
from tests.unit.policies_gates.cases import (
    COLLECTIONS,
    MARKETING,
    SAFETY,
    SECURITY,
    SERVICE,
    candidate,
    limits,
    playbook,
)
from tools.records.vocabulary import Purpose

PASS, REVIEW, DEFER, BLOCK = Outcome.PASS, Outcome.NEEDS_REVIEW, Outcome.DEFER, Outcome.BLOCK
NIGHT, MORNING = time(21), time(8)
SECOND = timedelta(seconds=1)
NEW_YORK, LORD_HOWE, KATHMANDU = "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"
ZONES = [NEW_YORK, LORD_HOWE, KATHMANDU, "Europe/Berlin", "America/St_Johns", "Pacific/Apia", "UTC"]


@pytest.fixture(autouse=True, scope="module")
def packaged_zones() -> None:
    use_packaged_zones()


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("wall", "quiet"),
    [
        ("20:59:59", False),
        ("21:00:00", True),
        ("23:59:59", True),
        ("00:00:00", True),
        ("07:59:59", True),
        ("08:00:00", False),
        ("12:00:00", False),
    ],
)
def test_the_start_is_quiet_and_the_end_is_not(wall: str, quiet: bool) -> None:
    now = datetime.combine(datetime(2026, 11, 2, tzinfo=UTC), time.fromisoformat(wall), tzinfo=UTC)

    assert in_quiet_hours(now, start=NIGHT, end=MORNING, zone=ZoneInfo("UTC")) is quiet


@pytest.mark.parametrize(
    ("wall", "quiet"), [("12:59:59", False), ("13:00", True), ("14:59:59", True), ("15:00", False)]
)
def test_a_window_inside_one_day_does_not_wrap(wall: str, quiet: bool) -> None:
    now = datetime.combine(datetime(2026, 11, 2, tzinfo=UTC), time.fromisoformat(wall), tzinfo=UTC)

    assert in_quiet_hours(now, start=time(13), end=time(15), zone=ZoneInfo("UTC")) is quiet


@given(now=st.datetimes(timezones=st.just(UTC)), bound=st.times())
def test_equal_bounds_are_never_quiet(now: datetime, bound: time) -> None:
    assert not in_quiet_hours(now, start=bound, end=bound, zone=ZoneInfo("UTC"))


@pytest.mark.parametrize(
    ("now", "zones", "until"),
    [
        pytest.param("2026-11-01T12:30", [NEW_YORK], "2026-11-01T13:00", id="07:30, clocks go back"),
        pytest.param("2026-11-01T13:05", [NEW_YORK], "2026-11-01T13:05", id="08:05 on that day"),
        pytest.param("2026-03-08T12:15", [NEW_YORK], "2026-03-08T12:15", id="08:15, clocks go forward"),
        pytest.param("2026-03-08T11:59:59", [NEW_YORK], "2026-03-08T12:00", id="07:59:59 on that day"),
        pytest.param("2026-11-01T01:00", [NEW_YORK], "2026-11-01T13:00", id="21:00, 12 hours to go"),
        pytest.param("2026-03-08T02:00", [NEW_YORK], "2026-03-08T12:00", id="21:00, 10 hours to go"),
        pytest.param("2026-10-03T20:59:59", [LORD_HOWE], "2026-10-03T21:00", id="Lord Howe forward"),
        pytest.param("2026-04-04T21:29:59", [LORD_HOWE], "2026-04-04T21:30", id="Lord Howe back"),
        pytest.param("2026-11-02T02:14:59", [KATHMANDU], "2026-11-02T02:15", id="quarter of an hour zone"),
        pytest.param("2026-11-02T03:00", [NEW_YORK, "Europe/Berlin"], "2026-11-02T13:00", id="later morning"),
        pytest.param(
            "2026-11-02T19:59:59", ["Europe/Berlin", NEW_YORK], "2026-11-02T19:59:59", id="last second"
        ),
        pytest.param("2026-11-02T20:00", ["Europe/Berlin", NEW_YORK], "2026-11-03T13:00", id="first second"),
        pytest.param("2026-11-02T12:00", ["Pacific/Honolulu", NEW_YORK], "2026-11-02T18:00", id="Hawaii"),
    ],
)
def test_the_next_allowed_instant_is_exact(now: str, zones: list[str], until: str) -> None:
    assert next_allowed(utc(now), tuple(zones), NIGHT, MORNING) == utc(until)


def test_an_end_that_the_clock_skips_comes_with_the_change() -> None:
    two_at_night = utc("2026-03-08T05:00")  # 00:00 in New York; 02:30 is skipped, 03:00 follows 01:59:59

    assert next_allowed(two_at_night, (NEW_YORK,), NIGHT, time(2, 30)) == utc("2026-03-08T07:00")


def test_an_end_that_comes_twice_is_over_the_first_time_and_quiet_again_before_the_second() -> None:
    first, again = utc("2026-11-01T05:30"), utc("2026-11-01T06:00")  # 01:30 EDT, 01:00 EST

    assert next_allowed(first - SECOND, (NEW_YORK,), NIGHT, time(1, 30)) == first
    assert next_allowed(again, (NEW_YORK,), NIGHT, time(1, 30)) == again + timedelta(minutes=30)


def test_zones_around_the_world_share_no_open_hour_of_a_short_day() -> None:
    assert (
        next_allowed(utc("2026-11-02T12:00"), (NEW_YORK, "Asia/Tokyo", "Europe/Berlin"), NIGHT, time(12))
        is None
    )
    assert next_allowed(utc("2026-11-02T12:00"), (), NIGHT, MORNING) is None


around_changes = st.sampled_from(
    [
        "2026-03-08T07:00",
        "2026-11-01T06:00",
        "2026-04-04T15:00",
        "2026-10-03T15:30",
        "2026-03-29T01:00",
        "2026-10-25T01:00",
    ]
).map(utc)
instants = st.tuples(around_changes, st.integers(-172_800, 172_800)).map(
    lambda pair: pair[0] + timedelta(seconds=pair[1])
)
bounds = st.integers(0, 1439).map(lambda minutes: time(minutes // 60, minutes % 60))


@given(
    now=instants,
    zones=st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True),
    start=bounds,
    end=bounds,
)
@example(now=utc("2026-11-01T05:59:59"), zones=[NEW_YORK], start=time(1, 15), end=time(1, 45))
@example(now=utc("2026-10-03T15:29:59"), zones=[LORD_HOWE], start=NIGHT, end=time(2, 15))
@example(now=utc("2026-04-04T14:59:59"), zones=[LORD_HOWE], start=NIGHT, end=time(1, 45))
def test_the_next_allowed_instant_is_allowed_and_nothing_before_it_is(
    now: datetime, zones: list[str], start: time, end: time
) -> None:
    def quiet(at: datetime) -> bool:
        return any(in_quiet_hours(at, start=start, end=end, zone=ZoneInfo(zone)) for zone in zones)

    moment = next_allowed(now, tuple(zones), start, end)

    if moment is None:
        assert all(quiet(now + timedelta(minutes=step)) for step in range(0, 2 * 1440, 7))
        return
    assert not quiet(moment)
    assert moment == now or quiet(moment - SECOND)
    length = moment - now
    steps = int(length / timedelta(minutes=7)) + 1
    assert all(quiet(now + length * step / steps) for step in range(steps) if now < moment)


@given(now=instants, zones=st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True))
def test_the_next_day_is_later_in_every_zone_and_not_a_second_too_late(
    now: datetime, zones: list[str]
) -> None:
    moment = next_day(now, tuple(zones))

    today = {zone: now.astimezone(ZoneInfo(zone)).date() for zone in zones}
    assert all(moment.astimezone(ZoneInfo(zone)).date() > today[zone] for zone in zones)
    assert any((moment - SECOND).astimezone(ZoneInfo(zone)).date() <= today[zone] for zone in zones)


@pytest.mark.parametrize(
    ("now", "zones", "purpose", "obeys", "outcome"),
    [
        ("2026-11-02T12:00", ("Europe/Berlin",), SERVICE, True, PASS),
        ("2026-11-02T19:59:59", ("Europe/Berlin",), SERVICE, True, PASS),
        ("2026-11-02T20:00", ("Europe/Berlin",), SERVICE, True, DEFER),
        ("2026-11-02T06:59:59", ("Europe/Berlin",), MARKETING, True, DEFER),
        ("2026-11-02T07:00", ("Europe/Berlin",), MARKETING, True, PASS),
        ("2026-11-02T20:00", ("Europe/Berlin",), COLLECTIONS, True, DEFER),
        ("2026-11-02T20:00", ("Europe/Berlin",), SAFETY, True, PASS),
        ("2026-11-02T20:00", ("Europe/Berlin",), SECURITY, True, PASS),
        ("2026-11-02T20:00", ("Europe/Berlin",), SERVICE, False, PASS),
        ("2026-11-02T12:00", ("Europe/Berlin", NEW_YORK), SERVICE, True, DEFER),
        ("2026-11-05T06:00", ("Europe/Berlin", NEW_YORK), SERVICE, True, BLOCK),
        ("2026-11-02T12:00", (), SERVICE, True, REVIEW),
        ("2026-11-02T12:00", (), MARKETING, True, BLOCK),
        ("2026-11-02T12:00", (), SAFETY, True, PASS),
    ],
)
def test_the_gate_waits_for_the_morning_unless_the_deadline_comes_first(
    now: str, zones: tuple[str, ...], purpose: Purpose, obeys: bool, outcome: Outcome
) -> None:
    rules = playbook(purpose=purpose, quiet_hours=obeys)

    verdict = quiet_hours(candidate(zones=zones), rules, limits(), utc(now))

    assert (verdict.rule, verdict.outcome) == ("quiet_hours", outcome)
    assert (verdict.until is not None) == (outcome is DEFER)


DEFAULTS = {"US": (NEW_YORK, "America/Chicago"), "XX": ("No/Where",)}


@pytest.mark.parametrize(
    ("tz", "phones", "country", "zones"),
    [
        pytest.param("Europe/Berlin", ("+12125550123",), "US", ("Europe/Berlin",), id="known zone"),
        pytest.param("Mars/Base", ("+12125550123",), None, (NEW_YORK,), id="wrong zone"),
        pytest.param(None, ("+12125550123",), None, (NEW_YORK,), id="the number's zone"),
        pytest.param(
            None, ("+4915112345678",), "US", ("America/Chicago", NEW_YORK, "Europe/Berlin"), id="both"
        ),
        pytest.param(None, (), "US", ("America/Chicago", NEW_YORK), id="the limits' zones of a country"),
        pytest.param(None, (), "KE", ("Africa/Nairobi",), id="the zone rules' own zones of a country"),
        pytest.param(None, ("+999123", "hello"), None, (), id="no real number"),
        pytest.param(None, (), "XX", (), id="zones that do not exist"),
        pytest.param(None, (), None, (), id="nothing known"),
        pytest.param("../etc/passwd", (), None, (), id="a path is no zone"),
    ],
)
def test_plausible_zones(
    tz: str | None, phones: tuple[str, ...], country: str | None, zones: tuple[str, ...]
) -> None:
    assert plausible_zones(tz=tz, phones=phones, country=country, default_zones=DEFAULTS) == zones


def test_a_toll_free_number_may_be_anywhere_in_its_plan() -> None:
    zones = plausible_zones(tz=None, phones=("+18005550123",), country=None, default_zones={})

    assert len(zones) > 30
    assert next_allowed(utc("2026-11-02T12:00"), zones, NIGHT, MORNING) is not None


def test_zone_rules_are_those_of_the_package() -> None:
    """From late 2026 on Vancouver stays at UTC-7; an old copy of the rules says UTC-8."""
    winter = utc("2026-12-01T00:00").astimezone(ZoneInfo("America/Vancouver"))

    assert zone_rules_version() >= "2026"
    assert zone_rules_version()[4:].isalpha()
    assert winter.utcoffset() == timedelta(hours=-7)
