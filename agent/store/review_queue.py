"""The review queue: paged listing, counts, and the compare-and-set claim."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, and_, func, or_, update
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import col, select

from agent.domain.audit import Actor, ActorKind, AuditEvent
from agent.domain.drafts import DraftId, DraftState
from agent.errors import ConflictError, NotFoundError
from agent.store.drafts import DraftFile, draft_file, draft_from_json
from agent.store.tables.cases import DraftRow
from agent.store.transaction import Tx
from tools.records.base import CustomerId
from tools.records.vocabulary import ChannelKind


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFilter:
    """Which drafts to list; None leaves a field open."""

    state: DraftState | None = DraftState.PENDING
    scenario: str | None = None
    channel: ChannelKind | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueItem:
    """One line of the queue."""

    draft_id: DraftId
    case_id: str
    customer_id: CustomerId
    scenario: str
    channel: ChannelKind
    version: int
    state: DraftState
    subject: str
    body: str
    author: str
    review_reason: str
    value_micros: int
    content_hash: str
    created_at: datetime
    expires_at: datetime
    deadline: datetime | None
    claimed_by: str | None
    claimed_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePlace:
    """Where a page ended; the next one starts after it."""

    deadline: datetime | None
    draft_id: str


def list_queue(
    connection: Connection, wanted: QueueFilter, *, limit: int, after: QueuePlace | None = None
) -> list[QueueItem]:
    """Return one page of drafts, the earliest deadline first, those without one last."""
    deadline, draft_id = col(DraftRow.deadline), col(DraftRow.id)
    items: list[QueueItem] = []
    # two queries, because "those without one last" in a single order would keep the index from being used
    if after is None or after.deadline is not None:
        dated = [deadline.is_not(None), *([_beyond(after)] if after else [])]
        items = _page(connection, [*_conditions(wanted), *dated], limit=limit)
    if len(items) < limit:
        undated: list[ColumnElement[bool]] = [deadline.is_(None)]
        if after is not None and after.deadline is None:
            undated.append(draft_id > after.draft_id)
        items += _page(connection, [*_conditions(wanted), *undated], limit=limit - len(items))
    return items


def count_queue(connection: Connection, wanted: QueueFilter) -> int:
    """Return how many drafts a filter matches."""
    statement = select(func.count()).select_from(DraftRow).where(*_conditions(wanted))
    return int(connection.execute(statement).scalar_one())


def claim_draft(tx: Tx, draft_id: str, *, reviewer: str, now: datetime, until: datetime) -> int:
    """Reserve a pending draft for a reviewer; return its new lock version.

    A claim of one's own, or one that has run out, may be taken over.

    Raises:
        NotFoundError: There is no such draft.
        ConflictError: It is no longer pending, or another reviewer holds it.
    """
    row = tx.conn.execute(
        update(DraftRow)
        .where(col(DraftRow.id) == draft_id, col(DraftRow.state) == DraftState.PENDING, free(reviewer, now))
        .values(claimed_by=reviewer, claimed_until=until, lock_version=col(DraftRow.lock_version) + 1)
        .returning(col(DraftRow.lock_version), col(DraftRow.case_id), col(DraftRow.customer_id))
    ).first()
    if row is None:
        raise why_not(tx.conn, draft_id, now=now)
    tx.record(
        AuditEvent(
            type="draft.claimed",
            at=now,
            actor=Actor(kind=ActorKind.REVIEWER, id=reviewer),
            customer_id=CustomerId(row[2]),
            case_id=row[1],
            body={"draft": draft_id, "until": until.isoformat()},
        )
    )
    return int(row[0])


def take_draft(tx: Tx, file: DraftFile, *, reviewer: str, to: DraftState, reason: str, now: datetime) -> None:
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
            free(reviewer, now),
        )
        .values(state=to, lock_version=file.lock_version + 1, claimed_by=None, claimed_until=None)
    )
    if changed.rowcount != 1:
        raise why_not(tx.conn, file.draft.id, now=now)
    tx.record(
        AuditEvent(
            type=f"draft.{to}",
            at=now,
            actor=Actor(kind=ActorKind.REVIEWER, id=reviewer),
            customer_id=file.customer_id,
            case_id=file.draft.case_id,
            body={"draft": file.draft.id, "reason": reason},
        )
    )


def expired_drafts(connection: Connection, *, now: datetime, limit: int) -> list[DraftFile]:
    """Return pending drafts whose time has passed, the longest first."""
    rows = connection.execute(
        select(DraftRow)
        .where(col(DraftRow.state) == DraftState.PENDING, col(DraftRow.expires_at) <= now)
        .order_by(col(DraftRow.expires_at), col(DraftRow.id))
        .limit(limit)
    ).mappings()
    return [draft_file(row) for row in rows]


def free(reviewer: str, now: datetime) -> ColumnElement[bool]:
    """Return the SQL condition that a reviewer may act on a draft: unclaimed, their own, or run out."""
    return or_(
        col(DraftRow.claimed_by).is_(None),
        col(DraftRow.claimed_by) == reviewer,
        col(DraftRow.claimed_until) <= now,
    )


def why_not(connection: Connection, draft_id: str, *, now: datetime) -> ConflictError | NotFoundError:
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
    return ConflictError(f"draft {draft_id} was changed meanwhile; show it again")


def _conditions(wanted: QueueFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.state is not None:
        conditions.append(col(DraftRow.state) == wanted.state)
    if wanted.scenario is not None:
        conditions.append(col(DraftRow.scenario) == wanted.scenario)
    if wanted.channel is not None:
        conditions.append(col(DraftRow.channel) == wanted.channel)
    return conditions


def _beyond(place: QueuePlace) -> ColumnElement[bool]:
    deadline, draft_id = col(DraftRow.deadline), col(DraftRow.id)
    later = or_(deadline > place.deadline, and_(deadline == place.deadline, draft_id > place.draft_id))
    return and_(deadline >= place.deadline, later)  # the first part lets the index find the place


def _page(connection: Connection, conditions: list[ColumnElement[bool]], *, limit: int) -> list[QueueItem]:
    statement = (
        select(DraftRow).where(*conditions).order_by(col(DraftRow.deadline), col(DraftRow.id)).limit(limit)
    )
    return [_item(row) for row in connection.execute(statement).mappings()]


def _item(row: RowMapping) -> QueueItem:
    draft = draft_from_json(row["body"])
    return QueueItem(
        draft_id=draft.id,
        case_id=row["case_id"],
        customer_id=CustomerId(row["customer_id"]),
        scenario=row["scenario"],
        channel=draft.message.channel,
        version=row["version"],
        state=DraftState(row["state"]),
        subject=draft.message.subject,
        body=draft.message.body,
        author=draft.author,
        review_reason=row["review_reason"],
        value_micros=row["value_micros"],
        content_hash=row["content_hash"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        deadline=row["deadline"],
        claimed_by=row["claimed_by"],
        claimed_until=row["claimed_until"],
    )
