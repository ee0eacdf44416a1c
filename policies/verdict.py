"""What a gate says about one candidate, and how the verdicts of all gates combine."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    """The answer of one gate, from the mildest to the strictest."""

    PASS = "pass"  # noqa: S105  # the word, not a password
    NEEDS_REVIEW = "needs_review"
    DEFER = "defer"
    BLOCK = "block"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One gate's answer with the rule that gave it."""

    rule: str
    """Stable id, for example `quiet_hours`."""
    outcome: Outcome
    reason: str = ""
    """One sentence for the decision card; empty when the gate passes without remark."""
    until: datetime | None = None
    """For `defer`: the earliest instant at which the gate can pass."""
    queue: str | None = None
    """For `block`: the people who should look at it, if anyone should."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """The combined answer: forbid overrides permit, and the latest `until` wins."""

    outcome: Outcome
    rule: str
    """The gate that decided; `all` when every gate passed."""
    reason: str
    until: datetime | None
    queue: str | None


_NOTHING_AGAINST = Ruling(outcome=Outcome.PASS, rule="all", reason="", until=None, queue=None)
_STRICTNESS = {Outcome.PASS: 0, Outcome.NEEDS_REVIEW: 1, Outcome.DEFER: 2, Outcome.BLOCK: 3}


def combine(verdicts: Sequence[Verdict]) -> Ruling:
    """Return the strictest verdict; the first of equals, except that deferrals take the latest `until`.

    An empty sequence passes.
    """
    strictest = max(verdicts, key=lambda verdict: _STRICTNESS[verdict.outcome], default=None)
    if strictest is None or strictest.outcome is Outcome.PASS:
        return _NOTHING_AGAINST
    if strictest.outcome is Outcome.DEFER:
        deferrals = [verdict for verdict in verdicts if verdict.outcome is Outcome.DEFER]
        strictest = max(deferrals, key=lambda verdict: (verdict.until is not None, verdict.until))
    return Ruling(
        outcome=strictest.outcome,
        rule=strictest.rule,
        reason=strictest.reason,
        until=strictest.until,
        queue=strictest.queue,
    )
