"""Durations are written as people write them, and nothing else is taken for one."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.durations import parse_duration


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("45s", timedelta(seconds=45)),
        ("0s", timedelta(0)),
        ("36h", timedelta(hours=36)),
        ("1h30m", timedelta(minutes=90)),
        ("1d2h3m4s", timedelta(days=1, hours=2, minutes=3, seconds=4)),
    ],
)
def test_a_duration_is_read(text: str, expected: timedelta) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    "value", ["", "5", "5 s", "-5s", "1.5h", "30m1h", "1w", "99999999999d", 5, None, True], ids=repr
)
def test_anything_else_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"; write"):
        parse_duration(value)


@settings(deadline=None)
@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=999)))
def test_what_is_written_is_what_is_read(span: timedelta) -> None:
    span = timedelta(seconds=int(span.total_seconds()))
    minutes, seconds = divmod(int(span.total_seconds()), 60)

    assert parse_duration(f"{minutes}m{seconds}s") == span
    assert parse_duration(span) == span
