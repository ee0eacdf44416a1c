"""What change times mean, how they sort as the database keeps them, and how a position is kept."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.sql.config import EpochType
from tools.sql.position import ChangeColumn, RawKey, RawPosition, form_of, from_cursor, key_of, to_cursor


def wall(year: int, month: int, day: int, hour: int = 0) -> datetime:
    """Return a time without a zone, as a clock on a wall shows it."""
    return datetime(year, month, day, hour, tzinfo=UTC).replace(tzinfo=None)


UTC_ZONE = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")
TIMES = ChangeColumn(name="changed_on", kind="datetime", zone=UTC_ZONE)
INSTANTS = st.datetimes(wall(1990, 1, 1), wall(2090, 1, 1), timezones=st.just(UTC))


@pytest.mark.parametrize(
    ("raw", "zone", "expected"),
    [
        ("2026-11-02 12:00:00", "UTC", datetime(2026, 11, 2, 12, tzinfo=UTC)),
        ("2026-11-02 12:00:00.5", "UTC", datetime(2026, 11, 2, 12, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-11-02T12:00:00Z", "Europe/Berlin", datetime(2026, 11, 2, 12, tzinfo=UTC)),
        ("2026-11-02 12:00:00+05:30", "UTC", datetime(2026, 11, 2, 6, 30, tzinfo=UTC)),
        ("2026-11-02 12:00:00", "Europe/Berlin", datetime(2026, 11, 2, 11, tzinfo=UTC)),
        (wall(2026, 7, 2, 12), "Europe/Berlin", datetime(2026, 7, 2, 10, tzinfo=UTC)),
    ],
    ids=str,
)
def test_a_time_is_read_in_its_own_or_the_stated_zone(raw: object, zone: str, expected: datetime) -> None:
    assert ChangeColumn(name="c", kind="datetime", zone=ZoneInfo(zone)).instant(raw) == expected


@pytest.mark.parametrize(
    "raw",
    [
        None,
        "",
        "garbage",
        "2026-11-02",
        "2026-11-02 12:00",
        "20261102T120000",
        "2026-W45-1T12:00:00",
        "2026-13-02 12:00:00",
        1_793_620_800,
        12.5,
        b"2026-11-02 12:00:00",
        "0001-01-01 00:00:00+14:00",
        "2026-11-02 12:00:00\udcff",
    ],
    ids=repr,
)
def test_what_is_no_time_is_refused(raw: object) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        TIMES.instant(raw)


@pytest.mark.parametrize(
    ("kind", "raw"),
    [("epoch_s", 1_793_620_800), ("epoch_ms", 1_793_620_800_000), ("epoch_us", 1_793_620_800_000_000)],
)
def test_counts_since_1970_are_exact(kind: EpochType, raw: int) -> None:
    column = ChangeColumn(name="c", kind=kind, zone=UTC_ZONE)

    assert column.instant(raw) == datetime(2026, 11, 2, 12, tzinfo=UTC)
    assert column.instant(raw + 1) > column.instant(raw)


@pytest.mark.parametrize("raw", [True, 1.5, "1793620800", 10**30, None], ids=repr)
def test_what_is_no_count_is_refused(raw: object) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        ChangeColumn(name="c", kind="epoch_s", zone=UTC_ZONE).instant(raw)


def _variants(instant: datetime) -> list[str]:
    return [
        instant.strftime("%Y-%m-%d %H:%M:%S"),
        instant.replace(tzinfo=None).isoformat(" "),
        instant.replace(tzinfo=None).isoformat("T"),
        instant.isoformat(),
        instant.strftime("%Y-%m-%d %H:%M:%SZ"),
        instant.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        instant.replace(microsecond=instant.microsecond // 1000 * 1000).isoformat(" ", "milliseconds"),
        instant.astimezone(ZoneInfo("Etc/GMT+3")).isoformat(),
    ]


@settings(deadline=None)
@given(st.lists(INSTANTS, min_size=2, max_size=6), st.integers(0, 7))
def test_texts_of_one_form_sort_as_their_instants_do(instants: list[datetime], variant: int) -> None:
    texts = [_variants(instant)[variant] for instant in instants]

    assert len({form_of(text) for text in texts}) == 1
    assert sorted(texts) == sorted(texts, key=TIMES.instant)


@settings(deadline=None)
@given(INSTANTS, INSTANTS, st.integers(0, 7), st.integers(0, 7))
def test_texts_that_sort_against_their_instants_are_of_different_forms(
    one: datetime, other: datetime, left: int, right: int
) -> None:
    a, b = _variants(one)[left], _variants(other)[right]

    if (a < b) != (TIMES.instant(a) < TIMES.instant(b)) and TIMES.instant(a) != TIMES.instant(b):
        assert form_of(a) != form_of(b)


def test_a_time_of_another_form_is_refused() -> None:
    form = TIMES.same_form("2026-11-02 12:00:00", None)

    assert TIMES.same_form("2026-11-02 12:00:00.25", form) == form
    with pytest.raises(ValueError, match="another form"):
        TIMES.same_form("2026-11-02T12:00:00", form)


def test_the_repeated_hour_waits_for_its_end() -> None:
    column = ChangeColumn(name="c", kind="datetime", zone=BERLIN)

    # 02:30 occurs at 00:30 and at 01:30 UTC; only after the second one is nothing more to come before it
    assert column.instant("2026-10-25 02:30:00") == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


@settings(deadline=None)
@given(st.lists(st.datetimes(wall(2026, 10, 24), wall(2026, 10, 26)), min_size=2, max_size=8))
def test_local_times_never_step_back(walls: list[datetime]) -> None:
    column = ChangeColumn(name="c", kind="datetime", zone=BERLIN)

    instants = [column.instant(wall) for wall in sorted(walls)]

    assert instants == sorted(instants)


@settings(deadline=None)
@given(INSTANTS, st.integers(0, 7))
def test_the_start_of_a_window_is_at_or_before_its_texts(since: datetime, variant: int) -> None:
    text = _variants(since)[variant]

    start = TIMES.floor(since, text)

    assert isinstance(start, str)
    assert start <= text


@settings(deadline=None)
@given(INSTANTS, st.sampled_from(["epoch_s", "epoch_ms", "epoch_us"]))
def test_the_start_of_a_window_is_at_or_before_its_counts(since: datetime, kind: EpochType) -> None:
    column = ChangeColumn(name="c", kind=kind, zone=UTC_ZONE)

    start = column.floor(since, 5)

    assert since - timedelta(days=3) < column.instant(start) <= since


@settings(deadline=None)
@given(st.datetimes(wall(2026, 10, 24), wall(2026, 10, 27), timezones=st.just(UTC)))
def test_the_start_of_a_window_is_at_or_before_its_local_times(since: datetime) -> None:
    column = ChangeColumn(name="c", kind="datetime", zone=BERLIN)
    local = since.astimezone(BERLIN).replace(tzinfo=None)

    start = column.floor(since, local)

    assert isinstance(start, datetime)
    assert start <= local


@settings(deadline=None)
@given(
    st.one_of(INSTANTS, st.datetimes(), st.integers(), st.text(min_size=1)),
    st.one_of(st.integers(), st.text(min_size=1)),
)
def test_a_position_survives_being_kept(position: RawPosition, key: RawKey) -> None:
    cursor = to_cursor(position, key, version="v")

    assert from_cursor(cursor) == (position, key)
    assert (type(from_cursor(cursor)[0]), type(from_cursor(cursor)[1])) == (type(position), type(key))


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        (7, 7),
        ("A7", "A7"),
        ("Ä7", "Ä7"),
        (Decimal(7), 7),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
    ],
    ids=repr,
)
def test_keys_are_numbers_or_texts(raw: object, key: RawKey) -> None:
    assert key_of(raw) == key


@pytest.mark.parametrize("raw", [None, True, 1.5, b"7", "\udcff"], ids=repr)
def test_other_keys_are_refused(raw: object) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        key_of(raw)
