"""The gate of quiet hours, in every zone that may be the customer's."""

from datetime import datetime

from policies.gates.answers import blocked, deferred, passed, unknown
from policies.gates.candidate import Candidate
from policies.model import Limits, Playbook
from policies.verdict import Verdict
from policies.zones import next_allowed


def is_exempt(playbook: Playbook, limits: Limits) -> bool:
    """Whether messages of this playbook may leave at any hour."""
    return not playbook.quiet_hours or playbook.purpose in limits.quiet_hours.exempt


def first_moment(
    candidate: Candidate, playbook: Playbook, limits: Limits, after: datetime
) -> datetime | None:
    """Return the first instant from `after` on at which quiet hours allow a message, None when none does."""
    hours = limits.quiet_hours
    if is_exempt(playbook, limits) or hours.start == hours.end:
        return after
    return next_allowed(after, candidate.zones, hours.start, hours.end)


def quiet_hours(candidate: Candidate, playbook: Playbook, limits: Limits, now: datetime) -> Verdict:
    """Wait for the end of quiet hours, or refuse when the deadline comes first."""
    moment = first_moment(candidate, playbook, limits, now)
    if moment is not None and moment <= now:
        return passed("quiet_hours")
    hours = limits.quiet_hours
    window = f"{hours.start:%H:%M} to {hours.end:%H:%M}"
    if moment is None:
        what = "No zone of the customer is known" if not candidate.zones else "The zones share no open hour"
        return unknown("quiet_hours", playbook.purpose, f"{what}; quiet hours are {window}.")
    reason = f"Quiet hours {window} in {', '.join(candidate.zones)}."
    if candidate.deadline is not None and moment >= candidate.deadline:
        return blocked("quiet_hours", f"{reason} They end after the deadline.")
    return deferred("quiet_hours", reason, until=moment)
