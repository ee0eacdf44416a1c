"""Which members of a situation a reviewer must see one by one, and why."""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final, TypeVar

from babel.numbers import get_currency_precision

from agent.review_desk.situations.members import Member, Quartiles, quartiles, stake_quartiles
from tools.records.base import Money
from tools.safe_text import is_hidden

_NAME_MARKS: Final = frozenset(" '\u2019.-,")
_HALF: Final = 2
_TWO_HOURS: Final = 120
T = TypeVar("T", int, str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """When a member is unusual."""

    length: float
    """How many times longer, or shorter, than the median a body may be."""
    max_age: timedelta
    """How old a printed fact may be; the playbook's."""
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Outliers:
    """What stands out, and what holds for most and so does not."""

    found: tuple[tuple[Member, tuple[str, ...]], ...]
    """Members with their reasons, those with most reasons first."""
    common: tuple[str, ...]
    """Reasons that more than half of the members share: a property of the situation, to be read once."""


def outliers(members: Sequence[Member], bounds: Bounds) -> Outliers:
    """Return every member that differs from the others in a way that may matter."""
    if not members:
        return Outliers(found=(), common=())
    usual = _Usual.of(members)
    reasons = {member.draft_id: list(_reasons(member, usual, bounds)) for member in members}
    held = Counter(kind for found in reasons.values() for kind in {kind for kind, _ in found})
    common = {kind for kind, number in held.items() if number * _HALF > len(members)}
    kept = [
        (member, tuple(words for kind, words in reasons[member.draft_id] if kind not in common))
        for member in members
    ]
    found = [(member, words) for member, words in kept if words]
    return Outliers(
        found=tuple(sorted(found, key=lambda pair: (-len(pair[1]), pair[0].draft_id))),
        common=tuple(f"{kind} ({held[kind]} of {len(members)})" for kind in sorted(common)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Usual:
    """What most members are like."""

    length: float
    segments: int
    review_reason: str
    stakes: Mapping[str, Quartiles]

    @classmethod
    def of(cls, members: Sequence[Member]) -> "_Usual":
        return cls(
            length=quartiles([len(member.body) for member in members]).median,
            segments=_most_frequent([member.segments for member in members]),
            review_reason=_most_frequent([member.review_reason for member in members]),
            stakes=stake_quartiles(members),
        )


def _reasons(member: Member, usual: _Usual, bounds: Bounds) -> Iterator[tuple[str, str]]:
    """Yield (kind, words) of everything unusual about a member."""
    length = len(member.body)
    if length > usual.length * bounds.length:
        yield "long text", f"the text has {length} characters, {usual.length:.0f} are usual"
    elif length * bounds.length < usual.length:
        yield (
            "short text",
            f"the text has {length} characters, {usual.length:.0f} are usual",
        )
    if member.segments > usual.segments:
        yield "extra segment", f"{member.segments} SMS segments instead of {usual.segments}"
    stake = member.stake
    if stake is not None and stake.minor > usual.stakes[stake.currency].fence:
        yield "high stake", f"{money_words(stake)} at stake, far more than the others"
    if odd := odd_in_name(member.customer_name):
        yield "name", f"the name has {odd}"
    if member.review_reason != usual.review_reason:
        yield "review reason", f"a person looks because of {member.review_reason or 'nothing'}"
    if member.needs_second:
        yield "second person", "a second person must approve it"
    if member.gates:
        yield "gate", f"{', '.join(member.gates)} wants a person"
    if member.value_in_band:
        yield "value", "its value is close to zero"
    yield from _fact_reasons(member, bounds)


def _fact_reasons(member: Member, bounds: Bounds) -> Iterator[tuple[str, str]]:
    oldest = max((bounds.now - fact.fetched_at for fact in member.facts), default=timedelta(0))
    if oldest > bounds.max_age:
        yield "old facts", f"its facts were read {_ago(oldest)} ago"
    for fact in member.facts:
        passes = _instant(fact.value, member.offset)
        if passes is not None and bounds.now < passes <= member.expires_at:
            yield f"{fact.name} soon past", f"{fact.name} passes before the draft expires"


def odd_in_name(name: str) -> str:
    """Return what is unusual about a name: hidden characters, signs, mixed scripts; empty for nothing."""
    if any(is_hidden(char) or char in "\n\t" for char in name):
        return "hidden characters"
    letters = [char for char in name if unicodedata.category(char)[0] in "LM"]
    others = {char for char in name if char not in letters and char not in _NAME_MARKS}
    if others:
        return "unusual characters: " + " ".join(sorted(others))
    scripts = {_script(char) for char in letters if unicodedata.category(char)[0] == "L"}
    return "letters of several scripts" if len(scripts) > 1 else ""


def money_words(money: Money) -> str:
    """Return an amount as `120.00 EUR`."""
    digits = get_currency_precision(money.currency)
    return f"{Decimal(money.minor).scaleb(-digits)} {money.currency}"


def _script(letter: str) -> str:
    """Return the first word of a letter's Unicode name, which is its script for all living alphabets."""
    name = unicodedata.name(letter, "UNKNOWN").partition(" ")[0]
    # Japanese names mix these three as a matter of course
    return "CJK" if name in {"HIRAGANA", "KATAKANA", "CJK"} else name


def _instant(value: object, offset: timedelta) -> datetime | None:
    """Return when a date or instant is over by the customer's clock, in UTC."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC) + timedelta(days=1) - offset
    return None


def _ago(age: timedelta) -> str:
    minutes = int(age.total_seconds()) // 60
    return f"{minutes} minutes" if minutes < _TWO_HOURS else f"{minutes // 60} hours"


def _most_frequent(values: Sequence[T]) -> T:
    """Return the most frequent value; of several the smallest, so that the answer repeats."""
    counted = Counter(values)
    return min(counted, key=lambda value: (-counted[value], value))
