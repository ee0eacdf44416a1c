from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.tui.snooze_times import read_time, snooze_options

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("words", "until"),
    [
        ("45m", "2026-11-02T12:45+00:00"),
        ("3 h", "2026-11-02T15:00+00:00"),
        ("2d", "2026-11-04T12:00+00:00"),
        pytest.param("14:30", "2026-11-02T13:30+00:00", id="today in their zone"),
        pytest.param("9:05", "2026-11-03T08:05+00:00", id="past today, so tomorrow"),
        pytest.param("2026-11-05 09:00", "2026-11-05T08:00+00:00", id="a day in their zone"),
        pytest.param("2026-11-05T09:00Z", "2026-11-05T09:00+00:00", id="a zone of its own"),
    ],
)
def test_times_are_read_in_the_reviewers_zone(words: str, until: str) -> None:
    assert read_time(words, now=NOW, zone=BERLIN) == datetime.fromisoformat(until)


@pytest.mark.parametrize("words", ["", "soon", "25:00", "3w", "2026-11-01 09:00", "-3h", "1e9h"])
def test_what_is_no_time_to_come_is_none(words: str) -> None:
    assert read_time(words, now=NOW, zone=BERLIN) is None


@given(words=st.text(max_size=20))
def test_whatever_is_typed_is_a_time_to_come_or_none(words: str) -> None:
    found = read_time(words, now=NOW, zone=BERLIN)

    assert found is None or found >= NOW


def test_tomorrow_at_nine_is_the_reviewers_nine_also_across_a_change_of_clocks() -> None:
    before_change = datetime(2026, 10, 24, 12, 0, tzinfo=UTC)

    options = {option.key: option.value for option in snooze_options(before_change, BERLIN)}

    assert datetime.fromisoformat(options["t"]) == datetime(2026, 10, 25, 8, 0, tzinfo=UTC)
    assert datetime.fromisoformat(options["1"]) == before_change + timedelta(hours=1)
