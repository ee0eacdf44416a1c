"""Deliveries: queueing each message once, reading them back, and changing their state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final

import sqlalchemy
from sqlalchemy import Connection, RowMapping, Select, bindparam, func, insert, update
from sqlmodel import col, select

from agent.domain.audit import Actor, AuditEvent
from agent.domain.cases import Case, CaseId
from agent.domain.drafts import Delivery, DeliveryId, DeliveryState, Draft, DraftId
from agent.errors import ConflictError
from agent.store.messages import message_from_json, message_to_json
from agent.store.plans import filtered, is_among, packed
from agent.store.tables.sending import DeliveryRow
from agent.store.transaction import Tx, chunked
from tools.records.base import CustomerId
from tools.records.vocabulary import ChannelKind, Purpose

MAYBE_OUT: Final = (
    DeliveryState.SENDING,
    DeliveryState.ACCEPTED,
    DeliveryState.UNKNOWN,
    DeliveryState.NEEDS_HUMAN,
)
"""States in which the customer may have got the message: they count to the caps."""
NEVER_SENT: Final = (DeliveryState.SUPPRESSED, DeliveryState.CANCELLED)
"""Final states of a message that surely did not leave; they free its deduplication key."""
_FREED: Final = "~"  # then the delivery's own id, so that the key may be used again


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelivery:
    """A message to be queued."""

    case: Case
    draft: Draft
    step: int
    """0 for the first message of a case."""
    purpose: Purpose
    counts_to_cap: bool
    needs_approval: bool
    review_id: str | None
    next_at: datetime
    expires_at: datetime | None = None
    """After this it is not sent any more; None means the draft's own end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFile:
    """A delivery with what sending it needs to know."""

    delivery: Delivery
    customer_id: CustomerId
    scenario: str
    purpose: Purpose
    channel: ChannelKind
    needs_approval: bool
    counts_to_cap: bool
    message_text: str
    """The stored canonical text, whose hash must equal the approved one."""
    state_reason: str
    intent_at: datetime | None


def dedup_key(signal_key: str, step: int) -> str:
    """Return the key under which one step of one signal is sent at most once."""
    return f"{signal_key}#{step}"


def queue_deliveries(
    tx: Tx, deliveries: Sequence[NewDelivery], *, at: datetime, actor: Actor
) -> dict[CaseId, DeliveryId]:
    """Queue messages; leave out those whose signal and step are queued or sent already.

    Returns:
        The ids of the new deliveries by case.
    """
    taken = taken_keys(tx.conn, [dedup_key(new.case.signal_key, new.step) for new in deliveries])
    rows: list[dict[str, object]] = []
    queued: dict[CaseId, DeliveryId] = {}
    for new in deliveries:
        key = dedup_key(new.case.signal_key, new.step)
        if key in taken:
            continue
        taken.add(key)
        delivery_id = DeliveryId(tx.ids.new("dlv", at=at))
        queued[new.case.id] = delivery_id
        rows.append(_queued_row(new, delivery_id, key))
        body: dict[str, object] = {
            "channel": new.draft.message.channel,
            "content_hash": new.draft.message.content_hash,
            "delivery": delivery_id,
            "draft": new.draft.id,
            "next_at": new.next_at.isoformat(),
            "review": new.review_id,
            "step": new.step,
        }
        tx.record(_event("queued", at, actor, new.case.customer_id, new.case.id, body))
    if rows:
        # of two processes that queue the same step at once, the second waits here, fails and rolls back
        tx.conn.execute(insert(DeliveryRow), rows)
    return queued


def queue_delivery(tx: Tx, new: NewDelivery, *, at: datetime, actor: Actor) -> DeliveryId:
    """Queue one message.

    Raises:
        ConflictError: A message for this signal and step is queued or sent already.
    """
    queued = queue_deliveries(tx, [new], at=at, actor=actor)
    if new.case.id not in queued:
        raise ConflictError(f"a message for case {new.case.id}, step {new.step}, is queued or sent already")
    return queued[new.case.id]


_BY_ID: Final = select(DeliveryRow).where(col(DeliveryRow.id) == bindparam("id"))
_BY_ID_LOCKED: Final = _BY_ID.with_for_update()


def get_delivery(connection: Connection, delivery_id: str, *, lock: bool = False) -> DeliveryFile | None:
    """Return a delivery; with `lock`, nobody else changes it until the transaction ends."""
    row = connection.execute(_BY_ID_LOCKED if lock else _BY_ID, {"id": delivery_id}).mappings().first()
    return delivery_file(row) if row else None


def deliveries_of_case(connection: Connection, case_id: CaseId) -> list[DeliveryFile]:
    """Return the deliveries of a case, oldest first."""
    rows = connection.execute(
        select(DeliveryRow).where(col(DeliveryRow.case_id) == case_id).order_by(col(DeliveryRow.id))
    ).mappings()
    return [delivery_file(row) for row in rows]


def due_deliveries(connection: Connection, *, now: datetime, limit: int) -> list[DeliveryId]:
    """Return the deliveries that are to be sent or looked into by now, the longest due first."""
    rows = connection.execute(
        select(DeliveryRow.id)
        .where(
            col(DeliveryRow.state).in_([DeliveryState.QUEUED, DeliveryState.UNKNOWN]),
            col(DeliveryRow.next_at) <= now,
        )
        .order_by(col(DeliveryRow.next_at), col(DeliveryRow.id))
        .limit(limit)
    ).scalars()
    return [DeliveryId(delivery_id) for delivery_id in rows]


def deliveries_in(connection: Connection, state: DeliveryState, *, limit: int) -> list[DeliveryFile]:
    """Return deliveries in one state, oldest first: `needs_human` is a person's list."""
    rows = connection.execute(
        select(DeliveryRow).where(col(DeliveryRow.state) == state).order_by(col(DeliveryRow.id)).limit(limit)
    ).mappings()
    return [delivery_file(row) for row in rows]


def set_delivery_state(
    tx: Tx,
    file: DeliveryFile,
    *,
    to: DeliveryState,
    reason: str,
    next_at: datetime | None,
    at: datetime,
    actor: Actor,
    facts: Mapping[str, object] | None = None,
    event: str | None = None,
) -> None:
    """Move a delivery to another state; `SENDING` counts an attempt and starts the cap's clock.

    Args:
        tx: The transaction.
        file: The delivery as it was read in it.
        to: The new state.
        reason: A short code, for example `expired` or a gate's rule id.
        next_at: When to look at it again; None when finished or parked.
        at: Now.
        actor: Who moves it.
        facts: More for the audit event; nothing personal.
        event: What the audit event calls it, if not by the state's name.

    Raises:
        ConflictError: It is no longer in the state in which it was read.
    """
    delivery = file.delivery
    changed = tx.conn.execute(
        update(DeliveryRow)
        .where(col(DeliveryRow.id) == delivery.id, col(DeliveryRow.state) == delivery.state)
        .values(state=to, state_reason=reason, next_at=next_at, **_consequences(file, to, at))
    )
    if changed.rowcount != 1:
        raise ConflictError(f"delivery {delivery.id} is no longer {delivery.state}")
    at_text = next_at.isoformat() if next_at else None
    body = {**(facts or {}), "delivery": delivery.id, "next_at": at_text, "reason": reason}
    tx.record(_event(event or to, at, actor, file.customer_id, delivery.case_id, body))


def cancel_deliveries(
    tx: Tx, case_ids: Sequence[CaseId], *, reason: str, at: datetime, actor: Actor
) -> list[DeliveryId]:
    """Cancel what is queued for cases; what is under way or sent stays. Return which."""
    ids: list[str] = []
    for part in chunked(case_ids):
        ids += tx.conn.execute(
            select(DeliveryRow.id).where(
                col(DeliveryRow.case_id).in_(part), filtered(col(DeliveryRow.state)) == DeliveryState.QUEUED
            )
        ).scalars()
    return cancel_queued(tx, sorted(ids), to=DeliveryState.CANCELLED, reason=reason, at=at, actor=actor)


def cancel_queued(
    tx: Tx, delivery_ids: Sequence[str], *, to: DeliveryState, reason: str, at: datetime, actor: Actor
) -> list[DeliveryId]:
    """Take deliveries that are still queued out of the queue for good; return which."""
    cancelled: list[DeliveryId] = []
    for part in chunked(delivery_ids):
        rows = tx.conn.execute(
            update(DeliveryRow)
            .where(col(DeliveryRow.id).in_(part), filtered(col(DeliveryRow.state)) == DeliveryState.QUEUED)
            .values(
                state=to,
                state_reason=reason,
                next_at=None,
                dedup_key=col(DeliveryRow.dedup_key) + _FREED + col(DeliveryRow.id),
            )
            .returning(col(DeliveryRow.id), col(DeliveryRow.case_id), col(DeliveryRow.customer_id))
        ).all()
        for delivery_id, case_id, customer_id in sorted(tuple(row) for row in rows):
            cancelled.append(DeliveryId(delivery_id))
            body: dict[str, object] = {"delivery": delivery_id, "next_at": None, "reason": reason}
            tx.record(_event(to, at, actor, CustomerId(customer_id), case_id, body))
    return cancelled


def withdraw_unreadable(tx: Tx, delivery_id: str, *, at: datetime, actor: Actor) -> CaseId | None:
    """Take a delivery whose stored message was damaged out of the way; return its case.

    One that may have left already is for a person; one that surely has not is suppressed.
    """
    reason = "approval_mismatch"
    cancel_queued(tx, [delivery_id], to=DeliveryState.SUPPRESSED, reason=reason, at=at, actor=actor)
    unknown = tx.conn.execute(
        update(DeliveryRow)
        .where(col(DeliveryRow.id) == delivery_id, col(DeliveryRow.state) == DeliveryState.UNKNOWN)
        .values(state=DeliveryState.NEEDS_HUMAN, state_reason=reason, next_at=None)
    )
    row = tx.conn.execute(
        select(DeliveryRow.case_id, DeliveryRow.customer_id).where(col(DeliveryRow.id) == delivery_id)
    ).first()
    if row is None:
        return None
    if unknown.rowcount:
        body: dict[str, object] = {"delivery": delivery_id, "next_at": None, "reason": reason}
        tx.record(_event(DeliveryState.NEEDS_HUMAN, at, actor, CustomerId(row[1]), row[0], body))
    return CaseId(row[0])


def sent_times(
    connection: Connection, customer_ids: Sequence[CustomerId], *, since: datetime
) -> dict[CustomerId, list[datetime]]:
    """Return when messages that count to the caps left for each customer, oldest first.

    Args:
        connection: Inside the transaction that writes an intent, the counts are final.
        customer_ids: Customers without messages are missing from the result.
        since: Inclusive.
    """
    times: dict[CustomerId, list[datetime]] = {}
    for part in chunked(customer_ids):
        many = packed(connection, part)
        rows = connection.execute(_sent(as_text=many.as_text), {"customers": many.value, "since": since})
        for customer_id, at in rows:
            if at is not None:
                times.setdefault(CustomerId(customer_id), []).append(at)
    return times


@cache
def _sent(*, as_text: bool) -> Select[str, datetime | None]:
    return (
        sqlalchemy.select(col(DeliveryRow.customer_id), col(DeliveryRow.intent_at))
        .where(
            is_among(DeliveryRow.customer_id, "customers", as_text=as_text),
            col(DeliveryRow.intent_at) >= bindparam("since"),
            filtered(col(DeliveryRow.state)).in_(MAYBE_OUT),
            col(DeliveryRow.counts_to_cap).is_(True),
        )
        .order_by(col(DeliveryRow.intent_at))
    )


def sent_counts(
    connection: Connection, customer_ids: Sequence[CustomerId], *, since: datetime
) -> dict[CustomerId, int]:
    """Return how many messages that count to the caps left for each customer since an instant, inclusive."""
    times = sent_times(connection, customer_ids, since=since)
    return {customer_id: len(sent) for customer_id, sent in times.items()}


def count_deliveries(connection: Connection) -> dict[DeliveryState, int]:
    """Return how many deliveries there are in each state."""
    rows = connection.execute(select(DeliveryRow.state, func.count()).group_by(col(DeliveryRow.state)))
    return {DeliveryState(state): int(number) for state, number in rows}


def _consequences(file: DeliveryFile, to: DeliveryState, at: datetime) -> dict[str, object]:
    delivery = file.delivery
    if to is DeliveryState.SENDING:
        return {"attempts": delivery.attempts + 1, "intent_at": file.intent_at or at}
    if to in NEVER_SENT:
        return {"dedup_key": f"{delivery.dedup_key}{_FREED}{delivery.id}"}
    return {}


def _queued_row(new: NewDelivery, delivery_id: DeliveryId, key: str) -> dict[str, object]:
    message = new.draft.message
    return {
        "id": delivery_id,
        "case_id": new.case.id,
        "customer_id": new.case.customer_id,
        "scenario": new.case.scenario,
        "purpose": new.purpose,
        "channel": message.channel,
        "step": new.step,
        "dedup_key": key,
        "draft_id": new.draft.id,
        "review_id": new.review_id,
        "needs_approval": new.needs_approval,
        "content_hash": message.content_hash,
        "message": message_to_json(message),
        "state": DeliveryState.QUEUED,
        "state_reason": "",
        "next_at": new.next_at,
        "expires_at": new.expires_at or new.draft.expires_at,
        "attempts": 0,
        "counts_to_cap": new.counts_to_cap,
        "intent_at": None,
    }


def delivery_file(row: RowMapping) -> DeliveryFile:
    """Return a row of the table as a delivery.

    Raises:
        TamperedError: Its message cannot be read.
    """
    delivery = Delivery(
        id=DeliveryId(row["id"]),
        case_id=CaseId(row["case_id"]),
        step=row["step"],
        dedup_key=row["dedup_key"],
        draft_id=DraftId(row["draft_id"]),
        review_id=row["review_id"],
        content_hash=row["content_hash"],
        message=message_from_json(row["message"]),
        state=DeliveryState(row["state"]),
        next_at=row["next_at"],
        expires_at=row["expires_at"],
        attempts=row["attempts"],
    )
    return DeliveryFile(
        delivery=delivery,
        customer_id=CustomerId(row["customer_id"]),
        scenario=row["scenario"],
        purpose=Purpose(row["purpose"]),
        channel=ChannelKind(row["channel"]),
        needs_approval=row["needs_approval"],
        counts_to_cap=row["counts_to_cap"],
        message_text=row["message"],
        state_reason=row["state_reason"],
        intent_at=row["intent_at"],
    )


def taken_keys(connection: Connection, keys: Sequence[str]) -> set[str]:
    """Return those of the deduplication keys under which something is queued or was sent."""
    taken: set[str] = set()
    for part in chunked(keys):
        taken.update(
            connection.execute(
                select(DeliveryRow.dedup_key).where(col(DeliveryRow.dedup_key).in_(part))
            ).scalars()
        )
    return taken


def _event(
    state: str, at: datetime, actor: Actor, customer_id: CustomerId, case_id: str, body: dict[str, object]
) -> AuditEvent:
    return AuditEvent(
        type=f"delivery.{state}", at=at, actor=actor, customer_id=customer_id, case_id=case_id, body=body
    )
