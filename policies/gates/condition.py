"""Gates on whether the reason to write still stands and can be believed."""

from datetime import datetime

from policies.gates.answers import blocked, deferred, passed, unknown
from policies.gates.candidate import Candidate
from policies.model import Limits, Playbook
from policies.verdict import Verdict


def cleared(candidate: Candidate, _playbook: Playbook, _limits: Limits, _now: datetime) -> Verdict:
    """Refuse when the trouble is over."""
    if candidate.cleared:
        return blocked("cleared", "The condition that resolves this case is true.")
    return passed("cleared")


def deadline(candidate: Candidate, playbook: Playbook, _limits: Limits, now: datetime) -> Verdict:
    """Refuse from the deadline on; the deadline itself is too late."""
    if candidate.deadline is None:
        return unknown("deadline", playbook.purpose, "The deadline cannot be computed: a value is missing.")
    if now >= candidate.deadline:
        return blocked("deadline", f"The message was of use until {candidate.deadline.isoformat()}.")
    return passed("deadline")


def open_ticket(candidate: Candidate, playbook: Playbook, _limits: Limits, _now: datetime) -> Verdict:
    """Hand the case to people when the customer already has a ticket about the same object."""
    if candidate.open_ticket is not None:
        return blocked(
            "open_ticket",
            f"Ticket {candidate.open_ticket} about the same object is open.",
            queue=playbook.queue,
        )
    return passed("open_ticket")


def source_freshness(candidate: Candidate, _playbook: Playbook, limits: Limits, now: datetime) -> Verdict:
    """Wait while a source has not been read for longer than the limit; exactly the limit is fresh."""
    age, limit = candidate.source_age, limits.source_max_age
    if age is not None and age <= limit:
        return passed("source_freshness")
    reason = (
        "A source was never read." if age is None else f"A source was last read {age} ago; limit {limit}."
    )
    return deferred("source_freshness", reason, until=now + limit / 2)
