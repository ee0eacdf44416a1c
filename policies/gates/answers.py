"""How gates answer: verdicts that are alike are one object, and what Unknown means for each purpose."""

from dataclasses import replace
from datetime import datetime
from functools import cache, lru_cache

from policies.verdict import Outcome, Verdict
from tools.records.vocabulary import ChannelKind, Purpose


@cache
def passed(rule: str) -> Verdict:
    """Return the verdict of a gate that passes without remark; one object per rule, as most gates pass."""
    return Verdict(rule=rule, outcome=Outcome.PASS)


@lru_cache(maxsize=4096)
def blocked(rule: str, reason: str, *, queue: str | None = None) -> Verdict:
    """Return a refusal; `queue` names the people who should look at the case."""
    return Verdict(rule=rule, outcome=Outcome.BLOCK, reason=reason, queue=queue)


@lru_cache(maxsize=4096)
def deferred(rule: str, reason: str, *, until: datetime) -> Verdict:
    """Return that a gate can pass from an instant on."""
    return Verdict(rule=rule, outcome=Outcome.DEFER, reason=reason, until=until)


@lru_cache(maxsize=4096)
def unknown(rule: str, purpose: Purpose, reason: str) -> Verdict:
    """Return what a gate says when it cannot tell: no to marketing, ask a person for everything else."""
    outcome = Outcome.BLOCK if purpose is Purpose.MARKETING else Outcome.NEEDS_REVIEW
    return Verdict(rule=rule, outcome=outcome, reason=reason)


@lru_cache(maxsize=4096)
def of_channel(verdict: Verdict, kind: ChannelKind) -> Verdict:
    """Return the verdict on a channel that is not used, under the name `rule.channel`."""
    return replace(verdict, rule=f"{verdict.rule}.{kind.value}")
