"""A sample that repeats: the same situation shows the same members, some from every stratum."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from agent.review_desk.situations.members import Member, Quartiles, stake_quartiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """Members that agree in everything that may change how a text comes out."""

    key: tuple[tuple[str, str], ...]
    """(dimension, value), only the dimensions in which the situation's members differ."""
    count: int

    @property
    def words(self) -> str:
        """The stratum for people: `de_DE, UTC+1, stake 4/4`."""
        return ", ".join(_spoken(name, value) for name, value in self.key) or "all alike"


def strata(members: Sequence[Member]) -> dict[Stratum, tuple[Member, ...]]:
    """Part members by locale, channel, clock, segments and stake; the largest stratum first."""
    quarters = stake_quartiles(members)
    keys = {member.draft_id: _key(member, quarters) for member in members}
    varied = _varied(list(keys.values()))
    grouped: dict[tuple[tuple[str, str], ...], list[Member]] = {}
    for member in members:
        key = tuple(pair for pair in keys[member.draft_id] if pair[0] in varied)
        grouped.setdefault(key, []).append(member)
    ordered = sorted(grouped.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return {Stratum(key=key, count=len(found)): tuple(found) for key, found in ordered}


def sample(
    parted: Mapping[Stratum, Sequence[Member]], *, seed: str, per_stratum: int, at_most: int
) -> list[Member]:
    """Draw from every stratum in turn, the largest first, until there is enough.

    Args:
        parted: Strata with their members.
        seed: What the draw depends on; equal seeds and members give equal samples.
        per_stratum: Most members of one stratum.
        at_most: Most members in all.
    """
    shuffled = [sorted(found, key=lambda member: _rank(seed, member.draft_id)) for found in parted.values()]
    drawn: list[Member] = []
    for round_ in range(per_stratum):
        drawn += [found[round_] for found in shuffled if len(found) > round_]
    return drawn[:at_most]


def _rank(seed: str, draft_id: str) -> bytes:
    """Order by a hash: a member's place does not move when others come or go."""
    return hashlib.sha256(f"{seed}|{draft_id}".encode()).digest()


def _key(member: Member, quarters: Mapping[str, Quartiles]) -> tuple[tuple[str, str], ...]:
    stake = "none"
    if member.stake is not None:
        part = quarters[member.stake.currency].part(member.stake.minor)
        stake = f"{member.stake.currency} {part}/4"
    return (
        ("locale", member.locale),
        ("channel", member.channel),
        ("clock", clock_words(member.offset)),
        ("segments", str(member.segments)),
        ("stake", stake),
    )


def clock_words(offset: timedelta) -> str:
    """Return `UTC+5:30`."""
    minutes = int(offset.total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else "+"
    return f"UTC{sign}{hours}" + (f":{rest:02}" if rest else "")


def _varied(keys: Sequence[tuple[tuple[str, str], ...]]) -> frozenset[str]:
    """Return the dimensions that have more than one value; the others would only fill the screen."""
    values = Counter(name for name, _ in {pair for key in keys for pair in key})
    return frozenset(name for name, number in values.items() if number > 1)


def _spoken(name: str, value: str) -> str:
    return f"{name} {value}" if name in {"segments", "stake"} else value
