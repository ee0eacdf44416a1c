"""Attempts: one row per provider call, written before the call and settled after it."""

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, RowMapping, insert, update
from sqlmodel import col, select

from agent.domain.audit import Actor, AuditEvent
from agent.domain.drafts import AttemptId, DeliveryId
from agent.store.deliveries import DeliveryFile
from agent.store.tables.sending import AttemptRow
from agent.store.transaction import Tx


class AttemptState(StrEnum):
    """Where one provider call stands; all but `started` are final."""

    STARTED = "started"
    """The intent is durable; the call may be under way, or its worker died."""
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One call to a provider."""

    id: AttemptId
    delivery_id: DeliveryId
    number: int
    state: AttemptState
    idempotency_key: str
    body_hash: str
    provider: str
    owner: str
    deadline: datetime
    started_at: datetime
    ended_at: datetime | None
    provider_ref: str | None
    detail: str


def start_attempt(
    tx: Tx, file: DeliveryFile, *, provider: str, owner: str, at: datetime, deadline: datetime, actor: Actor
) -> Attempt:
    """Write the durable intent to call a provider once; a second open one for a delivery is impossible.

    Args:
        tx: The transaction that passed every check.
        file: The delivery; its id is the idempotency key.
        provider: The capability's name.
        owner: The worker whose lock proves that it lives.
        at: Now.
        deadline: After this instant the call is not begun any more.
        actor: Who sends.
    """
    delivery = file.delivery
    attempt = Attempt(
        id=AttemptId(tx.ids.new("att", at=at)),
        delivery_id=delivery.id,
        number=delivery.attempts + 1,
        state=AttemptState.STARTED,
        idempotency_key=delivery.id,
        body_hash=delivery.content_hash,
        provider=provider,
        owner=owner,
        deadline=deadline,
        started_at=at,
        ended_at=None,
        provider_ref=None,
        detail="",
    )
    tx.conn.execute(insert(AttemptRow), [asdict(attempt)])
    tx.record(_event(attempt, file, at=at, actor=actor, detail=""))
    return attempt


def finish_attempt(
    tx: Tx,
    attempt: Attempt,
    file: DeliveryFile,
    *,
    state: AttemptState,
    at: datetime,
    provider_ref: str | None,
    detail: str,
    actor: Actor,
) -> bool:
    """Settle an attempt; return False when recovery settled it before."""
    changed = tx.conn.execute(
        update(AttemptRow)
        .where(col(AttemptRow.id) == attempt.id, col(AttemptRow.state) == attempt.state)
        .values(state=state, ended_at=at, provider_ref=provider_ref, detail=detail)
    )
    if changed.rowcount != 1:
        return False
    tx.record(_event(attempt, file, at=at, actor=actor, state=state, detail=detail))
    return True


def open_attempts(connection: Connection) -> list[Attempt]:
    """Return the attempts that nobody has settled, oldest first."""
    return [_attempt(row) for row in connection.execute(_OPEN).mappings()]


_OPEN: Final = (
    select(AttemptRow).where(col(AttemptRow.state) == AttemptState.STARTED).order_by(col(AttemptRow.id))
)


def attempts_of(connection: Connection, delivery_id: str) -> list[Attempt]:
    """Return the attempts of a delivery in order."""
    rows = connection.execute(
        select(AttemptRow).where(col(AttemptRow.delivery_id) == delivery_id).order_by(col(AttemptRow.number))
    ).mappings()
    return [_attempt(row) for row in rows]


def _attempt(row: RowMapping) -> Attempt:
    return Attempt(
        id=AttemptId(row["id"]),
        delivery_id=DeliveryId(row["delivery_id"]),
        number=row["number"],
        state=AttemptState(row["state"]),
        idempotency_key=row["idempotency_key"],
        body_hash=row["body_hash"],
        provider=row["provider"],
        owner=row["owner"],
        deadline=row["deadline"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        provider_ref=row["provider_ref"],
        detail=row["detail"],
    )


def _event(
    attempt: Attempt,
    file: DeliveryFile,
    *,
    at: datetime,
    actor: Actor,
    detail: str,
    state: AttemptState = AttemptState.STARTED,
) -> AuditEvent:
    return AuditEvent(
        type=f"attempt.{state}",
        at=at,
        actor=actor,
        customer_id=file.customer_id,
        case_id=file.delivery.case_id,
        body={
            "attempt": attempt.id,
            "body_hash": attempt.body_hash,
            "delivery": attempt.delivery_id,
            "detail": detail,
            "number": attempt.number,
            "provider": attempt.provider,
        },
    )
