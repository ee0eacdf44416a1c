"""Who has a draft: claims with a lease, and every step on by compare-and-set."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, and_, case, or_, update
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import col, select

from agent.domain.audit import Actor, AuditEvent
from agent.domain.drafts import DraftState
from agent.errors import ConflictError, NotFoundError
from agent.store.drafts import UNCLAIMED, DraftFile
from agent.store.tables.cases import DraftRow
from agent.store.transaction import Tx
from tools.records.base import CustomerId


def claim_draft(tx: Tx, draft_id: str, *, actor: Actor, now: datetime, until: datetime) -> int:
    """Reserve a pending draft for a reviewer; return its new lock version.

    A claim of one's own goes on, and the time spent counts from its beginning; one that has run out, or is
    taken over from another, begins now.

    Raises:
        NotFoundError: There is no such draft.
        ConflictError: It is no longer pending, or another reviewer holds it.
    """
    mine = and_(col(DraftRow.claimed_by) == actor.id, col(DraftRow.claimed_until) > now)
    row = tx.conn.execute(
        update(DraftRow)
        .where(col(DraftRow.id) == draft_id, col(DraftRow.state) == DraftState.PENDING, free(actor.id, now))
        .values(
            claimed_by=actor.id,
            claimed_at=case((mine, col(DraftRow.claimed_at)), else_=now),
            claimed_until=until,
            lock_version=col(DraftRow.lock_version) + 1,
        )
        .returning(col(DraftRow.lock_version), col(DraftRow.case_id), col(DraftRow.customer_id))
    ).first()
    if row is None:
        raise why_not(tx.conn, draft_id, now=now)
    version, case_id, customer_id = row
    body = {"draft": draft_id, "until": until.isoformat()}
    _record(tx, "draft.claimed", actor, now, case_id=case_id, customer_id=customer_id, body=body)
    return int(version)


def renew_claim(tx: Tx, draft_id: str, *, actor: Actor, now: datetime, until: datetime) -> None:
    """Let a claim of one's own end later; what is being decided meanwhile is not disturbed.

    Raises:
        NotFoundError: There is no such draft.
        ConflictError: The claim has run out, or the draft is no longer pending.
    """
    row = tx.conn.execute(
        update(DraftRow)
        .where(
            col(DraftRow.id) == draft_id,
            col(DraftRow.state) == DraftState.PENDING,
            col(DraftRow.claimed_by) == actor.id,
            col(DraftRow.claimed_until) > now,
        )
        .values(claimed_until=until)
        .returning(col(DraftRow.case_id), col(DraftRow.customer_id))
    ).first()
    if row is None:
        raise why_not(tx.conn, draft_id, now=now, otherwise="your claim on it has run out; open it again")
    case_id, customer_id = row
    body = {"draft": draft_id, "renewed": True, "until": until.isoformat()}
    _record(tx, "draft.claimed", actor, now, case_id=case_id, customer_id=customer_id, body=body)


def release_claim(tx: Tx, file: DraftFile, *, actor: Actor, now: datetime) -> None:
    """End the claim on a draft, as it was read; whose it is, the caller has checked.

    Raises:
        ConflictError: It changed hands since it was read.
    """
    changed = tx.conn.execute(
        update(DraftRow)
        .where(
            col(DraftRow.id) == file.draft.id,
            col(DraftRow.claimed_by) == file.claimed_by,
            col(DraftRow.lock_version) == file.lock_version,
        )
        .values(lock_version=file.lock_version + 1, **UNCLAIMED)
    )
    if changed.rowcount != 1:
        raise why_not(tx.conn, file.draft.id, now=now)
    body = {"draft": file.draft.id, "holder": file.claimed_by}
    _record(tx, "draft.released", actor, now, file.draft.case_id, file.customer_id, body=body)


def take_draft(tx: Tx, file: DraftFile, *, actor: Actor, to: DraftState, reason: str, now: datetime) -> None:
    """Move a pending draft to its next state for a reviewer, if nothing happened to it since it was read.

    Raises:
        ConflictError: Somebody else was faster, or holds it.
    """
    changed = tx.conn.execute(
        update(DraftRow)
        .where(
            col(DraftRow.id) == file.draft.id,
            col(DraftRow.state) == DraftState.PENDING,
            col(DraftRow.lock_version) == file.lock_version,
            free(actor.id, now),
        )
        .values(state=to, lock_version=file.lock_version + 1, **UNCLAIMED)
    )
    if changed.rowcount != 1:
        raise why_not(tx.conn, file.draft.id, now=now)
    body = {"draft": file.draft.id, "reason": reason}
    _record(tx, f"draft.{to}", actor, now, file.draft.case_id, file.customer_id, body=body)


def record_first_approval(tx: Tx, file: DraftFile, *, review_id: str, actor: Actor, now: datetime) -> None:
    """Write on a pending draft who approved it first, and let it go; it stays pending for another person.

    Raises:
        ConflictError: Somebody else was faster, or holds it.
    """
    values = {
        "first_review_id": review_id,
        "first_approver": actor.id,
        "snoozed_by": None,
        "snoozed_until": None,
    }
    _change(tx, file, values, "draft.first_approved", actor=actor, now=now, body={"review": review_id})


def clear_first_approval(tx: Tx, file: DraftFile, *, actor: Actor, now: datetime) -> None:
    """Take the first approval off a pending draft.

    Raises:
        ConflictError: Somebody else was faster, or holds it.
    """
    values = {"first_review_id": None, "first_approver": None}
    body = {"review": file.first_review_id}
    _change(tx, file, values, "draft.first_approval_undone", actor=actor, now=now, body=body)


def snooze_draft(tx: Tx, file: DraftFile, *, until: datetime | None, actor: Actor, now: datetime) -> None:
    """Hide a pending draft from the queue until an instant, and let it go; None brings it back now.

    Raises:
        ConflictError: Somebody else was faster, or holds it.
    """
    event = "draft.snoozed" if until else "draft.woken"
    values = {"snoozed_by": actor.id if until else None, "snoozed_until": until}
    body = {"until": until.isoformat() if until else None}
    _change(tx, file, values, event, actor=actor, now=now, body=body)


def reopen_draft(tx: Tx, file: DraftFile, *, reason: str, actor: Actor, now: datetime) -> None:
    """Let a draft that was decided wait for a person again, if nothing happened to it since it was read.

    Raises:
        ConflictError: Somebody else was faster.
    """
    changed = tx.conn.execute(
        update(DraftRow)
        .where(
            col(DraftRow.id) == file.draft.id,
            col(DraftRow.state) == file.draft.state,
            col(DraftRow.lock_version) == file.lock_version,
        )
        .values(
            state=DraftState.PENDING,
            lock_version=file.lock_version + 1,
            snoozed_by=None,
            snoozed_until=None,
            **UNCLAIMED,
        )
    )
    if changed.rowcount != 1:
        raise why_not(tx.conn, file.draft.id, now=now)
    body = {"draft": file.draft.id, "reason": reason}
    _record(tx, "draft.pending", actor, now, file.draft.case_id, file.customer_id, body=body)


def restart_claim(tx: Tx, draft_id: str, *, actor: Actor, now: datetime) -> None:
    """Let the time that a reviewer spends on a draft count from now; their claim stays as it is."""
    tx.conn.execute(
        update(DraftRow)
        .where(col(DraftRow.id) == draft_id, col(DraftRow.claimed_by) == actor.id)
        .values(claimed_at=now)
    )


def free(reviewer: str, now: datetime) -> ColumnElement[bool]:
    """Return the SQL condition that a reviewer may act on a draft: unclaimed, their own, or run out."""
    return or_(
        col(DraftRow.claimed_by).is_(None),
        col(DraftRow.claimed_by) == reviewer,
        col(DraftRow.claimed_until) <= now,
    )


def why_not(
    connection: Connection,
    draft_id: str,
    *,
    now: datetime,
    otherwise: str = "it was changed meanwhile; show it again",
) -> ConflictError | NotFoundError:
    """Return the error that says why a draft could not be taken."""
    row = connection.execute(
        select(DraftRow.state, DraftRow.claimed_by, DraftRow.claimed_until).where(
            col(DraftRow.id) == draft_id
        )
    ).first()
    if row is None:
        return NotFoundError(f"there is no draft {draft_id}")
    state, claimed_by, claimed_until = row
    if state != DraftState.PENDING:
        return ConflictError(f"draft {draft_id} is {state}, no longer pending")
    if claimed_by and claimed_until and claimed_until > now:
        return ConflictError(f"draft {draft_id} is held by {claimed_by} until {claimed_until:%H:%M:%S} UTC")
    return ConflictError(f"draft {draft_id}: {otherwise}")


def _change(
    tx: Tx,
    file: DraftFile,
    values: Mapping[str, object],
    event: str,
    *,
    actor: Actor,
    now: datetime,
    body: Mapping[str, object],
) -> None:
    """Change columns of a draft that stays pending, and end the claim on it."""
    changed = tx.conn.execute(
        update(DraftRow)
        .where(
            col(DraftRow.id) == file.draft.id,
            col(DraftRow.state) == DraftState.PENDING,
            col(DraftRow.lock_version) == file.lock_version,
            free(actor.id, now),
        )
        .values(lock_version=file.lock_version + 1, **values, **UNCLAIMED)
    )
    if changed.rowcount != 1:
        raise why_not(tx.conn, file.draft.id, now=now)
    said = {"draft": file.draft.id, **body}
    _record(tx, event, actor, now, file.draft.case_id, file.customer_id, body=said)


def _record(
    tx: Tx,
    event: str,
    actor: Actor,
    at: datetime,
    case_id: str,
    customer_id: str,
    *,
    body: Mapping[str, object],
) -> None:
    tx.record(
        AuditEvent(
            type=event, at=at, actor=actor, customer_id=CustomerId(customer_id), case_id=case_id, body=body
        )
    )
