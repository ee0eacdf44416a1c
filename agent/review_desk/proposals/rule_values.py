"""Which value of a playbook answers a reason to reject, and what it should be by what was seen."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final

from agent.review_desk.intervals import Share
from agent.review_desk.proposals.playbook_text import AddItem, SetValue
from agent.review_desk.situations.members import quartiles
from agent.store.lessons import Judged
from policies.fact_names import is_coarse
from policies.model import Playbook
from policies.value import MICROS_PER_MINOR

_PARAM: Final = re.compile(r"\bparams\.([a-z][a-z0-9_]*)")
_TENTH_OF_PERCENT: Final = 1_000
_HOUR: Final = timedelta(hours=1)
_MINUTE: Final = timedelta(minutes=1)
_HALF: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgements:
    """The drafts that speak for a change and those that speak against it."""

    share: Share
    rejected: tuple[Judged, ...]
    approved: tuple[Judged, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Other values for a playbook."""

    title: str
    why: str
    changes: tuple[SetValue | AddItem, ...]


def against_no_use(playbook: Playbook, seen: Judgements) -> Suggestion | None:
    """Return a lower probability of a contact, or a wider band when that would silence the scenario.

    Where a reviewer sees no use, a contact was not to be feared; so the probability without a message is
    lowered by the share of such drafts. It stays above the one after a message.
    """
    rule, share = playbook.value, seen.share
    lower = rule.p_contact * (share.of - share.count) // share.of
    lower -= lower % _TENTH_OF_PERCENT
    if rule.p_contact_after < lower < rule.p_contact:
        return Suggestion(
            title=f"p_contact {_percent(rule.p_contact)} -> {_percent(lower)}",
            why="where a message is of no use, no contact was to be expected",
            changes=(SetValue(loc=("value", "p_contact"), text=f"'{_percent(lower)}'"),),
        )
    totals = [
        abs(one.decision.valuation.total) for one in seen.rejected if one.decision.valuation is not None
    ]
    if not totals:
        return None
    band = -(-int(quartiles(totals).q3) // MICROS_PER_MINOR) + 1
    if band <= rule.band:
        return None
    return Suggestion(
        title=f"band {rule.band} -> {band}",
        why="three quarters of the rejected drafts had a value within it",
        changes=(SetValue(loc=("value", "band"), text=str(band)),),
    )


def against_bad_timing(playbook: Playbook, seen: Judgements) -> Suggestion | None:
    """Return a shorter duration: of the deadline when messages come late, of the trigger when early.

    Late and early are told apart by the time that was left before the deadline, rejected against approved.
    """
    rejected, approved = _left(seen.rejected), _left(seen.approved)
    if not rejected or not approved:
        return None
    worse, better = _median(rejected), _median(approved)
    if worse < better:
        names = _durations(playbook, [playbook.deadline])
        cut, words = worse, "rejected drafts came later than approved ones"
    else:
        names = _durations(playbook, [*playbook.trigger.timers, playbook.trigger.when])
        cut, words = worse - better, "rejected drafts came earlier than approved ones"
    for name in names:
        old = playbook.params[name]
        new = old - _up(cut, _HOUR) if isinstance(old, timedelta) else timedelta(0)
        if isinstance(old, timedelta) and timedelta(0) < new < old:
            return Suggestion(
                title=f"{name} {duration_text(old)} -> {duration_text(new)}",
                why=words,
                changes=(SetValue(loc=("params", name), text=duration_text(new)),),
            )
    return None


def against_wrong_facts(playbook: Playbook, seen: Judgements) -> Suggestion | None:
    """Return a fact without which no message is written any more, or a shorter time that facts may be old."""
    comparable = playbook.facts if seen.approved else ()
    for name in comparable:
        if name in playbook.required_facts or is_coarse(name):
            continue
        lacking, of = _lacking(seen.rejected, name), len(seen.rejected)
        others = _lacking(seen.approved, name) / len(seen.approved)
        if of and lacking / of - others > _HALF:
            return Suggestion(
                title=f"require {name}",
                why=f"{lacking} of {of} rejected drafts were written without {name}",
                changes=(AddItem(loc=("required_facts",), text=name),),
            )
    ages = [age for one in seen.rejected if (age := _oldest(one)) is not None]
    if not ages:
        return None
    new = _down(min(_median(ages), playbook.max_age / 2), _MINUTE)
    if not timedelta(0) < new < playbook.max_age:
        return None
    return Suggestion(
        title=f"max_age {duration_text(playbook.max_age)} -> {duration_text(new)}",
        why="half of the rejected drafts rested on older facts",
        changes=(SetValue(loc=("max_age",), text=duration_text(new)),),
    )


def duration_text(length: timedelta) -> str:
    """Return a duration as playbooks write it, `1d12h`; whole seconds."""
    seconds = int(length.total_seconds())
    parts: list[str] = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        number, seconds = divmod(seconds, size)
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts) or "0s"


def _percent(ppm: int) -> str:
    return f"{(Decimal(ppm) / 10_000).normalize():f}%"


def _left(judged: Sequence[Judged]) -> list[timedelta]:
    return [max(one.deadline - one.at, timedelta(0)) for one in judged if one.deadline is not None]


def _median(lengths: Sequence[timedelta]) -> timedelta:
    ordered = sorted(lengths)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def _durations(playbook: Playbook, expressions: Sequence[str]) -> list[str]:
    """Return the durations among the params that expressions name, in order."""
    named = dict.fromkeys(name for text in expressions for name in _PARAM.findall(text))
    return [name for name in named if isinstance(playbook.params.get(name), timedelta)]


def _lacking(judged: Sequence[Judged], name: str) -> int:
    return sum(
        not any(fact.name == name and fact.value is not None for fact in one.decision.facts) for one in judged
    )


def _oldest(judged: Judged) -> timedelta | None:
    """Return how old the oldest printed fact was at the verdict."""
    printed = {slot.slot for slot in judged.draft.used}
    read = [fact.fetched_at for fact in judged.decision.facts if fact.name in printed]
    return max((judged.at - at for at in read), default=None)


def _up(length: timedelta, unit: timedelta) -> timedelta:
    return -(-length // unit) * unit


def _down(length: timedelta, unit: timedelta) -> timedelta:
    return length // unit * unit
