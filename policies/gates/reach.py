"""Gates on one channel: whether this address may be used for this purpose."""

from datetime import datetime
from typing import Final

from policies.gates.answers import blocked, passed, unknown
from policies.gates.candidate import Candidate, Reach
from policies.model import Limits, Playbook
from policies.verdict import Outcome, Verdict
from tools.records.vocabulary import ChannelKind, ConsentState, Purpose

_SEEN_BY_OTHERS: Final = frozenset({ChannelKind.SMS, ChannelKind.PUSH})
"""Channels whose text shows on the screen of whoever holds the phone."""
_FREE_WITHOUT_ANSWER: Final = frozenset({Purpose.SAFETY, Purpose.ACCOUNT_SECURITY, Purpose.SERVICE})
"""Purposes that need no consent as long as the customer has not said no."""


def channel_switch(
    reach: Reach, _candidate: Candidate, _playbook: Playbook, _limits: Limits, _now: datetime
) -> Verdict:
    """Refuse a channel that is switched off."""
    if reach.killed is not None:
        return blocked("channel_switch", f"{reach.kind.value} is switched off: {reach.killed}.")
    return passed("channel_switch")


def address(
    reach: Reach, candidate: Candidate, _playbook: Playbook, _limits: Limits, _now: datetime
) -> Verdict:
    """Refuse a channel without an address; `customer_known` answers for customers not seen yet."""
    if reach.address is None and candidate.customer_known:
        return blocked("address", f"The customer has no address for {reach.kind.value}.")
    return passed("address")


def shared_address(
    reach: Reach, _candidate: Candidate, playbook: Playbook, _limits: Limits, _now: datetime
) -> Verdict:
    """Keep personal details off phones that several customers share; a safety notice names none."""
    if not reach.shared:
        return passed("shared_address")
    if reach.kind in _SEEN_BY_OTHERS and playbook.purpose is not Purpose.SAFETY:
        return blocked("shared_address", f"Another customer has the same {reach.kind.value} address.")
    reason = f"Another customer has the same {reach.kind.value} address."
    return Verdict(rule="shared_address", outcome=Outcome.PASS, reason=reason)


def second_channel(
    reach: Reach, candidate: Candidate, playbook: Playbook, _limits: Limits, _now: datetime
) -> Verdict:
    """Let a second message go by another channel alone, which the customer has said yes to."""
    if not candidate.maybe_reached:
        return passed("second_channel")
    kind = reach.kind.value
    if reach.kind in candidate.maybe_reached:
        return blocked("second_channel", f"A message may have reached the customer by {kind} already.")
    if playbook.when_unknown == "leave" or not playbook.second_template(reach.kind):
        return blocked("second_channel", f"The playbook has no second message by {kind}.")
    if reach.suppressed or reach.consent is not ConsentState.OPTED_IN:
        return blocked("second_channel", f"A second message by {kind} needs the customer's yes to it.")
    return passed("second_channel")


def consent(
    reach: Reach, _candidate: Candidate, playbook: Playbook, _limits: Limits, _now: datetime
) -> Verdict:
    """Obey what the customer said about this channel and purpose; silence allows service, never marketing.

    A no to another purpose does not reach this gate: a no to marketing leaves service messages alone.
    """
    match reach.consent:
        case ConsentState.OPTED_IN:
            return passed("consent")
        case ConsentState.OPTED_OUT:
            said_no = f"The customer said no to {playbook.purpose.value} by {reach.kind.value}."
            return blocked("consent", said_no)
        case ConsentState.UNKNOWN:
            if playbook.purpose in _FREE_WITHOUT_ANSWER:
                return passed("consent")
            reason = f"Consent to {playbook.purpose.value} by {reach.kind.value} is unknown."
            return unknown("consent", playbook.purpose, reason)


def suppression(
    reach: Reach, _candidate: Candidate, playbook: Playbook, _limits: Limits, _now: datetime
) -> Verdict:
    """Refuse an address on the suppression list, except for safety notices."""
    if not reach.suppressed:
        return passed("suppression")
    if playbook.purpose is Purpose.SAFETY:
        reason = "The address is suppressed; a safety notice goes out all the same."
        return Verdict(rule="suppression", outcome=Outcome.PASS, reason=reason)
    return blocked("suppression", f"The {reach.kind.value} address is on the suppression list.")
