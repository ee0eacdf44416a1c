"""Times and amounts as people write them in cases."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis.strategies import integers, sampled_from

from evals.cases.moments import day, end_of_day, moment, money

START = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("now", START),
        ("+2d", START + timedelta(days=2)),
        ("-1h30m", START - timedelta(minutes=90)),
        ("2026-11-02T08:00:00-04:00", START),
    ],
)
def test_moments_are_relative_to_the_start_or_stand_alone(text: str, instant: datetime) -> None:
    assert moment(text, START) == instant


@pytest.mark.parametrize("text", ["tomorrow", "2d", "2026-11-02", "2026-11-02T12:00:00", "", "+1y"])
def test_what_is_no_moment_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(ValueError, match="is no moment; write"):
        moment(text, START)


def test_days_are_counted_in_the_companys_zone() -> None:
    late = datetime(2026, 11, 2, 23, tzinfo=UTC)

    assert day("today", late, ZoneInfo("UTC")) == date(2026, 11, 2)
    assert day("today", late, ZoneInfo("Asia/Tokyo")) == date(2026, 11, 3)
    assert day("+1d", late, ZoneInfo("UTC")) == date(2026, 11, 3)


def test_half_a_day_is_no_day() -> None:
    with pytest.raises(ValueError, match="no number of days"):
        day("+12h", START, ZoneInfo("UTC"))


@pytest.mark.parametrize(
    ("text", "minor"), [("49.90 EUR", 4990), ("12000 JPY", 12000), ("12.345 KWD", 12345), ("-5 EUR", -500)]
)
def test_amounts_become_minor_units_of_their_currency(text: str, minor: int) -> None:
    assert money(text) == (minor, text[-3:])


@pytest.mark.parametrize("text", ["1.005 EUR", "1.5 JPY", "5", "5 eur", "1,50 EUR"])
def test_amounts_that_a_currency_cannot_hold_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"finer than|no amount"):
        money(text)


@given(offset=integers(0, 400), zone=sampled_from(["UTC", "America/New_York", "Australia/Lord_Howe"]))
def test_a_day_ends_where_the_next_one_begins(offset: int, zone: str) -> None:
    where, first = ZoneInfo(zone), date(2026, 1, 1) + timedelta(days=offset)

    ends = end_of_day(first, where)

    assert ends.astimezone(where).date() == first + timedelta(days=1)
    assert (ends - timedelta(seconds=1)).astimezone(where).date() == first
