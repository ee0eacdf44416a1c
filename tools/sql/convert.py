"""Conversions of what a database driver returns into the values that records hold.

Every conversion takes a value that is not NULL and returns None where the source means "nothing": an empty
text in a column that holds no text. A value that cannot be read raises `ValueError`, a value outside a
closed vocabulary `UnmappedError`; nothing is guessed.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeVar, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from tools.records.base import Money
from tools.sql.config import EpochType

Convert = Callable[[object], object]
T = TypeVar("T")

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TRUE: Final = frozenset({"1", "t", "true", "y", "yes"})
_FALSE: Final = frozenset({"0", "f", "false", "n", "no"})
_CURRENCY_LENGTH: Final = 3
_MINUTE_PRECISION: Final = len("2026-11-02 12:00")


class UnmappedError(ValueError):
    """A word of the source that no one has given a meaning."""


def to_text(raw: object) -> str:
    """Return a text; whole numbers and UUIDs become their usual text.

    Raises:
        ValueError: It is none of these.
    """
    if isinstance(raw, str):
        return raw
    if isinstance(raw, UUID):
        return str(raw)
    if isinstance(raw, int | Decimal) and not isinstance(raw, bool):
        return str(_whole(raw))
    raise ValueError(f"a text is expected, not {_named(raw)}")


def to_linked(raw: object) -> str | None:
    """Return the id of another record; an empty text points at nothing.

    Raises:
        ValueError: It is neither a text, a whole number nor a UUID.
    """
    return to_text(raw) or None


def to_integer(raw: object) -> int | None:
    """Return a whole number, also from its text.

    Raises:
        ValueError: It is no whole number.
    """
    if isinstance(raw, str):
        text = raw.strip()
        if not text:
            return None
        if not text.lstrip("+-").isdecimal():
            raise ValueError("a whole number is expected")
        return int(text)
    return _whole(raw)


def to_boolean(raw: object) -> bool | None:
    """Return true or false from booleans, 0 and 1, t/f, true/false, y/n and yes/no in any case.

    Raises:
        ValueError: It is none of these.
    """
    if isinstance(raw, bool):
        return raw
    text = str(raw).strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if not text:
        return None
    raise ValueError("true or false is expected; map the words with `enum`")


def to_date(zone: ZoneInfo | None) -> Convert:
    """Return the reading of calendar days; an instant becomes the day it has in `zone`."""

    def convert(raw: object) -> date | None:
        if isinstance(raw, str):
            if len(raw) > len("2026-11-02"):
                # a day kept as its first moment, as databases without a date type do
                raw = datetime.fromisoformat(raw)
            else:
                return date.fromisoformat(raw) if raw else None
        if isinstance(raw, datetime):
            if raw.tzinfo is None:
                return raw.date()
            if zone is None:
                raise ValueError("an instant has a calendar day only in a zone; state `tz`")
            return raw.astimezone(zone).date()
        if isinstance(raw, date):
            return raw
        raise ValueError(f"a date is expected, not {_named(raw)}")

    return convert


def to_instant(zone: ZoneInfo | None) -> Convert:
    """Return the reading of instants; times without a zone are in `zone`.

    Of a local time that occurs twice when clocks go back, the first is meant.
    """
    naive_zone = UTC if zone is not None and zone.key == "UTC" else zone

    def convert(raw: object) -> datetime | None:
        if isinstance(raw, str):
            if len(raw) < _MINUTE_PRECISION:
                if not raw:
                    return None
                raise ValueError("a date and a time are expected")
            raw = datetime.fromisoformat(raw)
        if isinstance(raw, datetime):
            return raw if raw.tzinfo is not None else raw.replace(tzinfo=naive_zone)
        raise ValueError(f"a time is expected, not {_named(raw)}")

    return convert


_EPOCH_STEPS: Final[dict[EpochType, timedelta]] = {
    "epoch_s": timedelta(seconds=1),
    "epoch_ms": timedelta(milliseconds=1),
    "epoch_us": timedelta(microseconds=1),
}


def to_epoch_instant(kind: EpochType) -> Convert:
    """Return the reading of instants that are counted since 1970."""
    step = _EPOCH_STEPS[kind]

    def convert(raw: object) -> datetime | None:
        count = to_integer(raw)
        return None if count is None else from_epoch(count, step)

    return convert


def from_epoch(count: int, step: timedelta) -> datetime:
    """Return the instant `count` steps after 1970.

    Raises:
        ValueError: It lies outside the years 1 to 9999.
    """
    try:
        return EPOCH + count * step
    except OverflowError as exc:
        raise ValueError("the time lies outside the years 1 to 9999") from exc


def epoch_step(kind: EpochType) -> timedelta:
    """Return the length of one count."""
    return _EPOCH_STEPS[kind]


def to_word(vocabulary: type[StrEnum]) -> Convert:
    """Return the reading of a word that is already ours."""
    words: dict[object, StrEnum] = {member.value: member for member in vocabulary}

    def convert(raw: object) -> StrEnum:
        word = words.get(raw)
        if word is None:
            raise UnmappedError(f"{word_of(raw)!r} is not in the vocabulary and has no `enum` line")
        return word

    return convert


def to_mapped(meanings: Mapping[str, object]) -> Convert:
    """Return the reading of the source's words by their listed meanings."""
    table: dict[object, object] = {word: meaning for word, meaning in meanings.items()}  # noqa: C416  # widens the key's type

    def convert(raw: object) -> object:
        try:
            return table[raw]
        except (KeyError, TypeError):
            word = word_of(raw)
        if word not in table:
            raise UnmappedError(f"{word!r} has no line under `enum`")
        return table[word]

    return convert


def to_list(item: Convert, sep: str | None) -> Convert:
    """Return the reading of lists: arrays, JSON arrays in a text, or a text cut at `sep` (a comma)."""

    def convert(raw: object) -> tuple[object, ...]:
        if isinstance(raw, str):
            if sep is None and raw.startswith("["):
                parts = cast("list[object]", json.loads(raw))
            else:
                parts = [part.strip() for part in raw.split(sep or ",")]
        elif isinstance(raw, list | tuple):
            parts = list(cast("list[object] | tuple[object, ...]", raw))
        else:
            parts = [raw]
        return tuple(item(part) for part in parts if part is not None and part != "")

    return convert


def to_nested(adapter: TypeAdapter[T]) -> Convert:
    """Return the reading of JSON, as a text or already decoded, by the field's own type."""

    def convert(raw: object) -> T | None:
        if raw == "":
            return None
        return adapter.validate_json(raw if isinstance(raw, str | bytes) else json.dumps(raw), strict=True)

    return convert


def to_money(raw: object, currency: object) -> Money | None:
    """Return an amount of minor units.

    Raises:
        ValueError: The amount is no whole number, or the currency no code of three capitals.
    """
    minor = to_integer(raw)
    if minor is None:
        return None
    if not (
        isinstance(currency, str)
        and len(currency) == _CURRENCY_LENGTH
        and currency.isascii()
        and currency.isalpha()
        and currency.isupper()
    ):
        raise ValueError(f"{currency!r} is no currency code of three capital letters")
    return Money(minor=minor, currency=currency)


def is_deleted(raw: object) -> bool:
    """Whether a deletion mark is set: true, 1, or a time.

    Raises:
        ValueError: The mark is a text that is neither a boolean nor a time.
    """
    if raw is None or isinstance(raw, bool | int):
        return bool(raw)
    if isinstance(raw, datetime | date):
        return True
    try:
        return bool(to_boolean(raw))
    except ValueError:
        return to_instant(None)(raw) is not None


def _whole(raw: object) -> int:
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    if isinstance(raw, Decimal) and raw.is_finite() and raw == raw.to_integral_value():
        return int(raw)
    if isinstance(raw, float) and raw.is_integer():
        return int(raw)
    raise ValueError(f"a whole number is expected, not {_named(raw)}")


def word_of(raw: object) -> str:
    """Write a value as a person writes it as a key: booleans as `true`, numbers in digits."""
    return str(raw).lower() if isinstance(raw, bool) else str(raw)


def _named(raw: object) -> str:
    return f"{type(raw).__name__} {str(raw)[:40]!r}"
