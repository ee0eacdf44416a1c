"""Gates on what is left: messages per customer, money for the model, and the kill switch."""

from datetime import datetime

from policies.gates.answers import blocked, deferred, passed
from policies.gates.candidate import Candidate
from policies.gates.quiet import first_moment
from policies.model import Composition, Judgement, Limits, Playbook
from policies.verdict import Outcome, Verdict
from policies.zones import next_day


def kill_switch(candidate: Candidate, _playbook: Playbook, _limits: Limits, _now: datetime) -> Verdict:
    """Refuse while the scenario or everything is switched off."""
    if candidate.killed is not None:
        return blocked("kill_switch", f"Switched off: {candidate.killed}.")
    return passed("kill_switch")


def cap_day(candidate: Candidate, playbook: Playbook, limits: Limits, now: datetime) -> Verdict:
    """Wait for the customer's next day when today's messages are used up."""
    if _uncapped(playbook, limits) or candidate.sent_last_day < limits.caps.per_day:
        return passed("cap_day")
    reason = f"{candidate.sent_last_day} messages went out today; the cap is {limits.caps.per_day}."
    until = _tomorrow(candidate, playbook, limits, now)
    return _wait("cap_day", reason, limits.caps.per_day, candidate, until)


def cap_week(candidate: Candidate, playbook: Playbook, limits: Limits, now: datetime) -> Verdict:
    """Wait when the messages of any seven days are used up.

    The count alone does not tell when the oldest message leaves the window, so the case is asked again each
    day until the deadline.
    """
    if _uncapped(playbook, limits) or candidate.sent_last_week < limits.caps.per_week:
        return passed("cap_week")
    reason = f"{candidate.sent_last_week} messages went out in seven days; the cap is {limits.caps.per_week}."
    until = _tomorrow(candidate, playbook, limits, now)
    return _wait("cap_week", reason, limits.caps.per_week, candidate, until)


def budget(candidate: Candidate, playbook: Playbook, _limits: Limits, _now: datetime) -> Verdict:
    """Say what happens without money for the model: the approved template, or a person."""
    needs_model = playbook.judgement is Judgement.MODEL or playbook.composition is Composition.SLOTS
    if candidate.budget_left or not needs_model:
        return passed("budget")
    if playbook.fallback == "template":
        reason = "The model budget of the day is spent; the approved template is used."
        return Verdict(rule="budget", outcome=Outcome.PASS, reason=reason)
    reason = "The model budget of the day is spent; a person decides."
    return Verdict(rule="budget", outcome=Outcome.NEEDS_REVIEW, reason=reason)


def _uncapped(playbook: Playbook, limits: Limits) -> bool:
    return playbook.purpose in limits.caps.exempt or not playbook.counts_to_cap


def _tomorrow(candidate: Candidate, playbook: Playbook, limits: Limits, now: datetime) -> datetime:
    """Return the first allowed instant of the customer's next day."""
    midnight = next_day(now, candidate.zones)
    return first_moment(candidate, playbook, limits, midnight) or midnight


def _wait(rule: str, reason: str, cap: int, candidate: Candidate, until: datetime) -> Verdict:
    if cap == 0:
        return blocked(rule, reason)  # no day will ever have room
    if candidate.deadline is not None and until >= candidate.deadline:
        return blocked(rule, f"{reason} The next day comes after the deadline.")
    return deferred(rule, reason, until=until)
