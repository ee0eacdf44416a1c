"""What follows a message of which nobody knows whether it arrived: a second one, once, on another channel."""

from agent.dispatch.checks import Checks, Refusal
from agent.dispatch.outcomes import park
from agent.dispatch.ports import Dispatched, Result
from agent.dispatch.refusals import Stopped, hand_to_person, move_case, record_dispatch_decision
from agent.dispatch.unknowns import Next
from agent.domain.cases import CaseState
from agent.domain.decisions import DecisionKind
from agent.domain.drafts import DeliveryState
from agent.store.deliveries import set_delivery_state
from agent.store.kill_switch import active_stops
from agent.store.second_messages import SECOND_CHANNEL
from agent.store.transaction import Tx

_WORDS = (
    "Nobody knows whether the message arrived. It stays unknown for good, and the case is written once more, "
    "for another channel, in a text that says that it may repeat."
)


def follow(tx: Tx, stopped: Stopped, checks: Checks, *, wait: Next) -> Dispatched:
    """Let a second message follow, or tell people why none can.

    The case starts anew, as one whose facts changed does: every gate is asked again, the text is drafted
    for the other channel, and a person reviews it where the playbook or a gate wants one.

    Args:
        tx: The transaction.
        stopped: The delivery and its case, locked.
        checks: Tells whether another channel can be used.
        wait: What to do while a stop is in force.
    """
    file, case = stopped.file, stopped.case
    if active_stops(tx.conn).scenario(file.scenario):
        return park(tx, stopped, wait, reason=file.state_reason)
    hindrance = checks.why_no_second(tx.conn, file, case, now=stopped.at)
    if hindrance:
        words = f"Nobody knows whether the message arrived, and no second one can follow: {hindrance}"
        return hand_to_person(tx, stopped, reason="unknown_outcome", explanation=words)
    set_delivery_state(
        tx,
        file,
        to=DeliveryState.UNKNOWN,
        reason=SECOND_CHANNEL,
        next_at=None,
        at=stopped.at,
        actor=stopped.actor,
    )
    why = Refusal(reason=SECOND_CHANNEL, explanation=_WORDS, delivery=DeliveryState.UNKNOWN)
    record_dispatch_decision(tx, stopped, why, kind=DecisionKind.DEFER)
    move_case(tx, case, to=CaseState.NEW, next_at=stopped.at, reason=SECOND_CHANNEL, stopped=stopped)
    return Dispatched(result=Result.UNKNOWN, next_at=None)
