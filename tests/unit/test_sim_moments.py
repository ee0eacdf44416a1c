from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.sim.moments import DAY, HOUR, day_end, instant_of, local_day, second_of, stamp, working_day_after

SECONDS = st.integers(min_value=0, max_value=4_000_000_000)


@given(second=SECONDS)
def test_a_stamp_reads_back_as_the_same_second(second: int) -> None:
    assert second_of(datetime.strptime(stamp(second), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)) == second


@given(one=SECONDS, other=SECONDS)
def test_stamps_sort_as_time_does(one: int, other: int) -> None:
    assert (stamp(one) < stamp(other)) == (one < other)


@given(second=SECONDS)
def test_an_instant_is_utc_and_reads_back(second: int) -> None:
    assert instant_of(second).tzinfo is UTC
    assert second_of(instant_of(second)) == second


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        second_of(datetime(2026, 10, 1))  # noqa: DTZ001  # the point of the test


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        pytest.param(date(2026, 10, 25), "Europe/Berlin", 25, id="the hour that comes twice"),
        pytest.param(date(2027, 3, 28), "Europe/Berlin", 23, id="the hour that is missing"),
        pytest.param(date(2026, 10, 26), "Europe/Berlin", 24, id="an ordinary day"),
    ],
)
def test_a_day_ends_where_the_next_begins(day: date, zone: str, hours: int) -> None:
    begins, ends = day_end(day - timedelta(days=1), zone), day_end(day, zone)

    assert ends - begins == hours * HOUR
    assert local_day(ends - 1, zone) == day
    assert local_day(ends, zone) == day + timedelta(days=1)


@given(start=st.dates(min_value=date(2026, 1, 1), max_value=date(2030, 1, 1)), count=st.integers(1, 20))
def test_working_days_are_never_sundays_and_come_in_order(start: date, count: int) -> None:
    day = working_day_after(start, count)

    assert day.weekday() != 6
    assert timedelta(days=count) <= day - start <= timedelta(days=count + count // 6 + 1)
    assert DAY == 86400
