"""Runs every gate on a candidate and says which channel may be used, or why none."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from policies.gates import allowance, condition, customer, quiet, reach
from policies.gates.answers import blocked, of_channel
from policies.gates.candidate import Candidate, Reach
from policies.model import Limits, Playbook
from policies.verdict import Outcome, Ruling, Verdict, combine
from tools.records.vocabulary import ChannelKind

Gate = Callable[[Candidate, Playbook, Limits, datetime], Verdict]
ChannelGate = Callable[[Reach, Candidate, Playbook, Limits, datetime], Verdict]

GATES: Final[tuple[Gate, ...]] = (
    condition.cleared,
    condition.deadline,
    allowance.kill_switch,
    customer.customer_known,
    customer.customer_status,
    customer.protected,
    condition.open_ticket,
    condition.source_freshness,
    allowance.cap_day,
    allowance.cap_week,
    allowance.budget,
    quiet.quiet_hours,
)
"""The gates on the case; of equally strict answers the first in this order names the reason."""
CHANNEL_GATES: Final[tuple[ChannelGate, ...]] = (
    reach.channel_switch,
    reach.second_channel,
    reach.address,
    reach.suppression,
    reach.consent,
    reach.shared_address,
)
"""The gates on one channel, each asked for every channel of the playbook."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gated:
    """What the gates say about a candidate."""

    channel: ChannelKind | None
    """The channel to use; None when nothing may be sent now."""
    verdicts: tuple[Verdict, ...]
    """One of every gate on the case and on the channel; then, as `rule.channel`, what forbids others."""
    ruling: Ruling
    second: bool = False
    """Whether what would be sent is a second message."""


def evaluate_gates(
    candidate: Candidate,
    playbook: Playbook,
    limits: Limits,
    *,
    now: datetime,
    only: ChannelKind | None = None,
) -> Gated:
    """Ask all gates; none is skipped because another said no.

    The first channel of the playbook that passes, or needs a person's yes, is used. When none does, the
    answer of a channel that may be used later counts before that of one that may not be used at all.

    Args:
        candidate: The case and its channels, in the playbook's order.
        playbook: The scenario's rules.
        limits: The limits over all scenarios.
        now: The instant to answer for, aware.
        only: Ask about this channel alone, as at the moment of sending.
    """
    common = [gate(candidate, playbook, limits, now) for gate in GATES]
    common_remarks = _remarks(common)
    asked: list[tuple[Reach, list[Verdict], Ruling]] = []
    for one in candidate.reaches:
        if only is not None and one.kind is not only:
            continue
        verdicts = [gate(one, candidate, playbook, limits, now) for gate in CHANNEL_GATES]
        asked.append((one, verdicts, combine(common_remarks + _remarks(verdicts))))
    if not asked:
        # without a customer there are no channels yet, and waiting for the customer is answer enough
        no_channel = blocked("address", "The playbook has no such channel for this customer.")
        verdicts = [*common, no_channel] if candidate.customer_known else common
        return Gated(
            channel=None, verdicts=tuple(verdicts), ruling=_told(combine(verdicts), candidate, playbook)
        )
    # min keeps the first of equals, so the playbook's order decides
    chosen = min(asked, key=lambda entry: _PREFERENCE[entry[2].outcome])
    channel, verdicts, ruling = chosen
    others = [
        of_channel(verdict, other.kind)
        for other, answers, _ in asked
        if other is not channel
        for verdict in answers
        if verdict.outcome is not _PASS
    ]
    usable = _PREFERENCE[ruling.outcome] == 0
    return Gated(
        channel=channel.kind if usable else None,
        verdicts=(*common, *verdicts, *others),
        ruling=_told(ruling, candidate, playbook),
        second=bool(candidate.maybe_reached),
    )


_PASS: Final = Outcome.PASS
"""Asked of twenty verdicts a candidate, and a module's name is found sooner than an enumeration's."""
_PREFERENCE: Final = {Outcome.PASS: 0, Outcome.NEEDS_REVIEW: 0, Outcome.DEFER: 1, Outcome.BLOCK: 2}


def _told(ruling: Ruling, candidate: Candidate, playbook: Playbook) -> Ruling:
    """Hand a case to people, instead of dropping it, when a message may be lost and none may follow."""
    dropped = ruling.outcome is Outcome.BLOCK and ruling.queue is None and ruling.rule not in _SETTLED
    return replace(ruling, queue=playbook.queue) if candidate.maybe_reached and dropped else ruling


_SETTLED: Final = frozenset({"cleared", "deadline"})
"""Blocks after which a message would be no use."""


def _remarks(verdicts: list[Verdict]) -> list[Verdict]:
    """Return the verdicts that can change the ruling."""
    return [verdict for verdict in verdicts if verdict.outcome is not _PASS]
