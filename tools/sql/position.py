"""Positions in a stream: what a change column's values mean, and how a position is kept between reads.

A position is compared by the database, in the form in which the database keeps it, so that the order of
reading is the database's own. These forms are read:

* a native timestamp, with or without zone;
* a text `YYYY-MM-DD HH:MM:SS` with a space or a `T`, with or without a fraction, without a suffix or with
  one constant suffix such as `+00:00` or `Z`; with `Z` the fraction must have a constant length, because
  `Z` sorts after a point;
* a whole number of seconds, milliseconds or microseconds since 1970.

Texts of two forms in one column do not sort by time. The form of the position read last, or else of the
first row, is the column's form; a row of another form is refused and never becomes a position.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, Literal
from zoneinfo import ZoneInfo

from tools.ports import Cursor
from tools.sql.config import EpochType
from tools.sql.convert import EPOCH, epoch_step, from_epoch

RawPosition = datetime | int | str
RawKey = int | str

_WHOLE_SECOND: Final = len("2026-11-02 12:00:00")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeColumn:
    """The column that says when a row changed."""

    name: str
    kind: Literal["datetime"] | EpochType
    zone: ZoneInfo
    """Zone of values that carry none."""

    def instant(self, raw: object) -> datetime:
        """Return the instant of a value, UTC.

        Of a local time that occurs twice when clocks go back, the second is meant: the horizon then waits
        until the repeated hour is over, and rows of its second half that sort before rows of its first
        are still found.

        Raises:
            ValueError: The value is not in one of the forms that are read.
        """
        if self.kind != "datetime":
            if isinstance(raw, bool) or not isinstance(raw, int):
                raise ValueError("a whole number is expected")
            return from_epoch(raw, epoch_step(self.kind))
        if isinstance(raw, str):
            form_of(raw)
            raw = datetime.fromisoformat(raw)
        if not isinstance(raw, datetime):
            problem = "a time is expected; for numbers state `type: epoch_s`, `epoch_ms` or `epoch_us`"
            raise ValueError(problem)  # noqa: TRY004  # what a row holds is data, not a type of ours
        if raw.tzinfo is None:
            raw = raw.replace(tzinfo=self.zone, fold=1)
        try:
            return raw.astimezone(UTC)
        except OverflowError as exc:
            raise ValueError("the time lies outside the years 1 to 9999") from exc

    def position(self, raw: object) -> RawPosition:
        """Return a value as a position, unchanged.

        Raises:
            ValueError: It is none, for example NULL.
        """
        if isinstance(raw, datetime | int | str):
            return raw
        raise ValueError("a time is expected")

    def same_form(self, raw: object, form: str | None) -> str:
        """Return the form of a value, which must be `form` when that is known.

        Raises:
            ValueError: It is another one.
        """
        found = form_of(raw)
        if form is not None and found != form:
            raise ValueError("the time is written in another form than the others of its column")
        return found

    def floor(self, since: datetime, sample: object) -> RawPosition:
        """Return a value at or up to three days before `since`, in the form of `sample`."""
        if self.kind != "datetime":
            return (since - EPOCH) // epoch_step(self.kind)
        if isinstance(sample, datetime):
            return since if sample.tzinfo is not None else self._local(since)
        # a bare day sorts before every time of that day, whatever stands between date and time
        return (since - timedelta(days=2)).date().isoformat()

    def _local(self, since: datetime) -> datetime:
        # an hour earlier, because clocks may go back in between
        local = since.astimezone(self.zone) - timedelta(hours=1)
        return local.replace(tzinfo=None)


def form_of(raw: object) -> str:
    """Return what must be equal for two values of a change column to sort by time.

    Raises:
        ValueError: A text is not of the form `YYYY-MM-DD HH:MM:SS`.
    """
    if not isinstance(raw, str):
        return type(raw).__name__
    if not (len(raw) >= _WHOLE_SECOND and raw[4] == raw[7] == "-" and raw[13] == raw[16] == ":"):
        raise ValueError("a time written as YYYY-MM-DD HH:MM:SS is expected")
    if len(raw) == _WHOLE_SECOND:
        return raw[10]
    suffix = raw[_WHOLE_SECOND:].lstrip(".0123456789")
    return f"{raw[10]}{suffix}{len(raw)}" if suffix == "Z" else f"{raw[10]}{suffix}"


def key_of(raw: object) -> RawKey:
    """Return a key as it is compared and kept.

    Raises:
        ValueError: The key is NULL or of a type that cannot be kept.
    """
    if isinstance(raw, str):
        if not raw.isascii():
            raw.encode()  # raises for what is no UTF-8: it could not be asked for again
        return raw
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    if isinstance(raw, Decimal) and raw == raw.to_integral_value():
        return int(raw)
    if raw is None or isinstance(raw, bool | float | bytes):
        raise ValueError(f"a key must be a whole number or a text, not {raw!r}")
    return str(raw)


def can_be_asked(*values: object) -> bool:
    """Whether values can be sent back to the database: texts that are no UTF-8 cannot."""
    return all(
        not isinstance(value, str) or value.isascii() or value.encode(errors="replace").decode() == value
        for value in values
    )


def to_cursor(position: RawPosition, key: RawKey, *, version: str) -> Cursor:
    """Return the position in the form in which it is stored."""
    kind: Literal["datetime", "integer", "text"]
    if isinstance(position, datetime):
        kind, value = "datetime", position.isoformat()
    elif isinstance(position, int):
        kind, value = "integer", str(position)
    else:
        kind, value = "text", position
    return Cursor(
        stream_version=version,
        value_kind=kind,
        value=value,
        key_kind="integer" if isinstance(key, int) else "text",
        key=str(key),
    )


def from_cursor(cursor: Cursor) -> tuple[RawPosition, RawKey]:
    """Return the position that `to_cursor` stored."""
    position: RawPosition
    if cursor.value_kind == "datetime":
        position = datetime.fromisoformat(cursor.value)
    elif cursor.value_kind == "integer":
        position = int(cursor.value)
    else:
        position = cursor.value
    return position, int(cursor.key) if cursor.key_kind == "integer" else cursor.key
