"""Recovery: attempts that a dead worker left open become unknown, and are then resolved like any other."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from agent.dispatch.ports import Owner, Pace
from agent.domain.audit import Actor
from agent.domain.drafts import DeliveryState
from agent.store.attempts import Attempt, AttemptState, finish_attempt, open_attempts
from agent.store.deliveries import get_delivery, set_delivery_state
from agent.store.locks import lock_cases
from agent.store.transaction import Store
from agent.store.work import enqueue
from tools.ports import Sender
from tools.records.vocabulary import ChannelKind


def recover_attempts(
    store: Store,
    owner: Owner,
    senders: Mapping[ChannelKind, Sender],
    *,
    pace: Pace,
    now: datetime,
    actor: Actor,
) -> int:
    """Settle the open attempts of dead workers as unknown; return how many.

    Args:
        store: The database.
        owner: Tells who is dead.
        senders: For the time a call may take, where a freed lock alone proves nothing.
        pace: Waits.
        now: Now.
        actor: Who recovers.
    """
    with store.read() as conn:
        attempts = open_attempts(conn)
    over = _longest_call(senders, pace)
    dead = {
        name: owner.is_dead(name) for name in sorted({attempt.owner for attempt in attempts} - {owner.id})
    }
    recovered = 0
    for attempt in attempts:
        certain = owner.exact or now >= attempt.deadline + over
        if dead.get(attempt.owner) and certain:
            recovered += _take_up(store, attempt, now=now, actor=actor)
    return recovered


def _take_up(store: Store, attempt: Attempt, *, now: datetime, actor: Actor) -> int:
    with store.write() as tx:
        known = get_delivery(tx.conn, attempt.delivery_id)
        if known is None:
            return 0
        lock_cases(tx.conn, [known.delivery.case_id])
        file = get_delivery(tx.conn, attempt.delivery_id, lock=True)
        if file is None or not finish_attempt(
            tx,
            attempt,
            file,
            state=AttemptState.UNKNOWN,
            at=now,
            provider_ref=None,
            detail="worker died",
            actor=actor,
        ):
            return 0
        set_delivery_state(
            tx, file, to=DeliveryState.UNKNOWN, reason="worker_died", next_at=now, at=now, actor=actor
        )
        enqueue(tx, key=f"dispatch:{attempt.delivery_id}", kind="dispatch", ref=attempt.delivery_id, at=now)
        return 1


def _longest_call(senders: Mapping[ChannelKind, Sender], pace: Pace) -> timedelta:
    longest = max((sender.capability.request_timeout for sender in senders.values()), default=timedelta(0))
    return longest + pace.call_grace
