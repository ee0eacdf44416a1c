"""The second transaction of the protocol: what the provider's answer means for attempt, delivery and case."""

from datetime import datetime
from typing import Final, assert_never

from agent.dispatch.checks import out_of_time
from agent.dispatch.intents import Intent
from agent.dispatch.ports import Dispatched, Pace, Result
from agent.dispatch.refusals import Stopped, apply_refusal, hand_to_person, move_case
from agent.dispatch.unknowns import Next
from agent.domain.cases import CaseState
from agent.domain.drafts import DeliveryState
from agent.store.attempts import AttemptState, attempts_of, finish_attempt
from agent.store.deliveries import set_delivery_state
from agent.store.transaction import Tx
from tools.messages import Receipt, ReceiptStatus

_ATTEMPT_STATE: Final = {
    ReceiptStatus.ACCEPTED: AttemptState.ACCEPTED,
    ReceiptStatus.REJECTED: AttemptState.REJECTED,
    ReceiptStatus.NOT_SENT: AttemptState.NOT_SENT,
    ReceiptStatus.UNKNOWN: AttemptState.UNKNOWN,
}


def settle(tx: Tx, intent: Intent, receipt: Receipt, stopped: Stopped, *, pace: Pace) -> Dispatched:
    """Write the outcome of an attempt; does nothing when recovery has settled it already.

    Args:
        tx: The transaction.
        intent: The attempt that was made.
        receipt: The provider's answer.
        stopped: Delivery and case as they are now, locked.
        pace: When to try again.
    """
    first = finish_attempt(
        tx,
        intent.attempt,
        stopped.file,
        state=_ATTEMPT_STATE[receipt.status],
        at=stopped.at,
        provider_ref=receipt.provider_ref,
        detail=receipt.detail,
        actor=stopped.actor,
    )
    if not first:
        return Dispatched(result=Result.SKIPPED, next_at=None)
    match receipt.status:
        case ReceiptStatus.ACCEPTED:
            return accept(tx, stopped, reason="")
        case ReceiptStatus.REJECTED:
            _set(tx, stopped, to=DeliveryState.REJECTED, reason="rejected", next_at=None)
            move_case(tx, stopped.case, to=CaseState.FAILED, next_at=None, reason="rejected", stopped=stopped)
            return Dispatched(result=Result.REJECTED, next_at=None)
        case ReceiptStatus.UNKNOWN:
            # looked into at once: what can be done about it is decided in one place
            _set(tx, stopped, to=DeliveryState.UNKNOWN, reason="unknown", next_at=stopped.at)
            return Dispatched(result=Result.UNKNOWN, next_at=stopped.at)
        case ReceiptStatus.NOT_SENT:
            return _try_later(tx, stopped, receipt, pace=pace)
        case _:
            assert_never(receipt.status)


def accept(tx: Tx, stopped: Stopped, *, reason: str) -> Dispatched:
    """Write that a provider has the message."""
    _set(tx, stopped, to=DeliveryState.ACCEPTED, reason=reason, next_at=None)
    move_case(tx, stopped.case, to=CaseState.CONTACTED, next_at=None, reason="accepted", stopped=stopped)
    return Dispatched(result=Result.ACCEPTED, next_at=None)


def park(tx: Tx, stopped: Stopped, step: Next, *, reason: str) -> Dispatched:
    """Write what is done about an unknown outcome when nothing can be sent or asked now."""
    match step.move:
        case "person":
            words = "The answer of the provider was lost, and it cannot be asked again."
            return hand_to_person(tx, stopped, reason="unknown_outcome", explanation=words)
        case "wait":
            _set(tx, stopped, to=DeliveryState.UNKNOWN, reason=reason, next_at=step.at)
            return Dispatched(result=Result.UNKNOWN, next_at=step.at)
        case "drop":
            why = "assumed_sent"
            _set(tx, stopped, to=DeliveryState.UNKNOWN, reason=why, next_at=None)
            move_case(tx, stopped.case, to=CaseState.CONTACTED, next_at=None, reason=why, stopped=stopped)
            return Dispatched(result=Result.UNKNOWN, next_at=None)
        case "look_up" | "replay" | "second_channel":
            raise ValueError(f"{step.move} is done, not parked")
        case _:
            assert_never(step.move)


def _try_later(tx: Tx, stopped: Stopped, receipt: Receipt, *, pace: Pace) -> Dispatched:
    delivery = stopped.file.delivery
    next_at = stopped.at + max(pace.wait(delivery.attempts), receipt.retry_after or pace.first_wait)
    if any(attempt.state is AttemptState.UNKNOWN for attempt in attempts_of(tx.conn, delivery.id)):
        # this repeat did not go out, but the first call may have
        _set(tx, stopped, to=DeliveryState.UNKNOWN, reason="unknown", next_at=next_at)
        return Dispatched(result=Result.UNKNOWN, next_at=next_at)
    if next_at >= delivery.expires_at:
        refusal = out_of_time(stopped.case, "The provider could not take it in time.", now=stopped.at)
        return apply_refusal(tx, stopped, refusal, pace=pace)
    _set(tx, stopped, to=DeliveryState.QUEUED, reason="not_sent", next_at=next_at)
    return Dispatched(result=Result.NOT_SENT, next_at=next_at)


def _set(tx: Tx, stopped: Stopped, *, to: DeliveryState, reason: str, next_at: datetime | None) -> None:
    set_delivery_state(
        tx, stopped.file, to=to, reason=reason, next_at=next_at, at=stopped.at, actor=stopped.actor
    )
