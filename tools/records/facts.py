"""Typed evidence: what is known about a case, from where and since when."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from tools.records.base import Money

FactValue = str | int | bool | datetime | date | Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One piece of evidence."""

    name: str
    """`record.field`, for example `order.promised_on`."""
    value: FactValue
    source: str
    """The tool and record it came from, for example `orders:shop/web_order/1001`."""
    fetched_at: datetime
    """When we read it."""
    as_of: datetime
    """When the source last changed it."""
    trusted: bool
    """False for text written by strangers and for text without the form that its field declares: neither is
    printed."""


Facts = Mapping[str, Fact]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledSlot:
    """A fact as it stands in a text."""

    slot: str
    rendered: str


def encode_value(value: FactValue) -> object:
    """Return the JSON form of a fact's value; money and instants keep their type by shape."""
    if isinstance(value, Money):
        return {"minor": value.minor, "currency": value.currency}
    if isinstance(value, datetime):
        return {"instant": value.isoformat()}
    if isinstance(value, date):
        return {"day": value.isoformat()}
    return value


def decode_value(value: object) -> FactValue:
    """Invert `encode_value`.

    Raises:
        TypeError: The value has a shape that `encode_value` never produces.
    """
    match value:
        case {"minor": int() as minor, "currency": str() as currency}:
            return Money(minor=minor, currency=currency)
        case {"instant": str() as instant}:
            return datetime.fromisoformat(instant)
        case {"day": str() as day}:
            return date.fromisoformat(day)
        case None | str() | bool() | int():
            return value
        case _:
            raise TypeError(f"{value!r} is no encoded fact value")


def facts_hash(facts: Iterable[Fact]) -> str:
    """SHA-256 over names and values, hex; order and times of reading do not matter."""
    pairs: Final = {fact.name: encode_value(fact.value) for fact in facts}
    text = json.dumps(pairs, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
