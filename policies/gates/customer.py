"""Gates on who the customer is."""

from datetime import datetime

from policies.gates.answers import blocked, deferred, passed
from policies.gates.candidate import Candidate
from policies.model import Limits, Playbook
from policies.verdict import Verdict
from tools.records.vocabulary import Purpose

SPECIALIST_QUEUE = "specialist"
"""The people who decide about customers under protection."""


def customer_known(candidate: Candidate, playbook: Playbook, limits: Limits, now: datetime) -> Verdict:
    """Wait for a customer whose record has not arrived yet; records may come out of order."""
    if candidate.customer_known:
        return passed("customer_known")
    if playbook.purpose is Purpose.MARKETING:
        return blocked("customer_known", "The customer is not in any system that was read.")
    until = now + limits.source_max_age / 2
    return deferred("customer_known", "The customer's record has not arrived yet.", until=until)


def customer_status(candidate: Candidate, _playbook: Playbook, limits: Limits, _now: datetime) -> Verdict:
    """Refuse customers whose status the limits list: closed, test and employee accounts by default."""
    if candidate.status.value in limits.blocked_statuses:
        return blocked("customer_status", f"The customer's status is {candidate.status.value}.")
    return passed("customer_status")


def protected(candidate: Candidate, _playbook: Playbook, _limits: Limits, _now: datetime) -> Verdict:
    """Leave customers under protection to specialists, whatever the purpose."""
    if candidate.protected:
        flags = ", ".join(flag.value for flag in candidate.protected)
        return blocked(
            "protected", f"Only a specialist may decide to write: {flags}.", queue=SPECIALIST_QUEUE
        )
    return passed("protected")
