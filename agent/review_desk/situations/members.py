"""What strata and outliers are judged by: one member of a situation in a few plain values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from tools.records.base import Money
from tools.records.facts import Fact

QUARTER: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A draft that one approval would cover."""

    draft_id: str
    case_id: str
    content_hash: str
    customer_name: str
    recipient: str
    subject: str
    body: str
    locale: str
    channel: str
    offset: timedelta
    """The customer's clock against UTC, now."""
    segments: int
    stake: Money | None
    value_in_band: bool
    """Whether the value is too close to zero to decide without a person."""
    facts: tuple[Fact, ...]
    """Those printed in the text."""
    expires_at: datetime
    review_reason: str
    gates: tuple[str, ...]
    """Gates that want a person."""
    needs_second: bool
    """Whether two people must approve it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quartiles:
    """The three values that part sorted numbers into four equal parts."""

    q1: float
    median: float
    q3: float

    @property
    def fence(self) -> float:
        """Tukey's upper fence, `Q3 + 1.5 (Q3 - Q1)`; what lies beyond is unusual."""
        return self.q3 + 1.5 * (self.q3 - self.q1)

    def part(self, value: float) -> int:
        """Return the quartile of a value, 1 to 4; a bound belongs to the lower part."""
        return 1 + (value > self.q1) + (value > self.median) + (value > self.q3)


def quartiles(values: Sequence[int]) -> Quartiles:
    """Return the quartiles by linear interpolation between the sorted values (type 7 of Hyndman and Fan).

    Raises:
        ValueError: There are no values.
    """
    if not values:
        raise ValueError("no values, no quartiles")
    ordered = sorted(values)
    q1, median, q3 = (_at(ordered, number / QUARTER) for number in (1, 2, 3))
    return Quartiles(q1=q1, median=median, q3=q3)


def stake_quartiles(members: Sequence[Member]) -> dict[str, Quartiles]:
    """Return currency → quartiles of what is at stake, in minor units."""
    by_currency: dict[str, list[int]] = {}
    for member in members:
        if member.stake is not None:
            by_currency.setdefault(member.stake.currency, []).append(member.stake.minor)
    return {currency: quartiles(values) for currency, values in by_currency.items()}


def _at(ordered: Sequence[int], share: float) -> float:
    position = (len(ordered) - 1) * share
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)
