"""Work: one row per thing that must be advanced, asked for by whoever sees the need.

`next_at` is the due time while a row waits, the expiry of its lease while it is queued or runs, and null
while it is parked or finished. Delays, retries, take-over from a dead worker and repair of lost jobs are
therefore one query; `agent.store.work_claims` has it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, case, func, or_
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import col, select

from agent.store.tables.cases import WorkRow
from agent.store.transaction import Tx, chunked


class WorkStatus(StrEnum):
    """Where a thing to be advanced stands."""

    READY = "ready"
    """Waits for `next_at`."""
    QUEUED = "queued"
    """Claimed, not begun; `next_at` is the lease expiry."""
    RUNNING = "running"
    """Begun; `next_at` is the lease expiry."""
    PARKED = "parked"
    """Waits for a person or an event, without a date."""
    DONE = "done"
    DEAD = "dead"
    """Given up after too many tries."""


IN_HAND: Final = (WorkStatus.QUEUED, WorkStatus.RUNNING)
"""The states in which `next_at` is the expiry of a lease."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItem:
    """A thing to be advanced."""

    key: str
    kind: str
    ref: str
    status: WorkStatus
    turn: int
    """How many turns it has finished."""
    attempts: int
    """How often this turn was begun, the present try included."""
    token: int
    """Proof of the present claim."""
    priority: int
    next_at: datetime | None
    error: str

    @property
    def claim_id(self) -> str:
        """The idempotent key of this claim: unique over all claims of all items."""
        return f"{self.key}#{self.token}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWork:
    """A thing that shall be advanced at a time."""

    key: str
    kind: str
    ref: str
    at: datetime
    priority: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """What becomes of an item after a turn: due again at a time, parked, or done."""

    status: WorkStatus
    at: datetime | None = None


DONE: Final = Next(status=WorkStatus.DONE)
PARK: Final = Next(status=WorkStatus.PARKED)


def again(at: datetime) -> Next:
    """The item is due again at a time."""
    return Next(status=WorkStatus.READY, at=at)


def enqueue(tx: Tx, *, key: str, kind: str, ref: str, at: datetime, priority: int = 0) -> None:
    """Ask for a turn of an item; asking twice is like asking once.

    A finished, parked or dead item becomes ready again with fresh attempts. A ready one keeps the earlier
    time. One in hand is remembered and gets another turn when this one ends.

    Args:
        tx: The transaction that made the turn necessary.
        key: Names the item, for example `dispatch:dlv_01K9…`.
        kind: Which turn runs it; the same for every call with this key.
        ref: Id of what the turn is about.
        at: Earliest time of the turn.
        priority: Higher goes first among the due.
    """
    enqueue_all(tx, [NewWork(key=key, kind=kind, ref=ref, at=at, priority=priority)])


def enqueue_all(tx: Tx, items: Sequence[NewWork]) -> None:
    """Do what `enqueue` does for many items with distinct keys, in bulk."""
    for part in chunked(items, 1_000):
        if tx.conn.dialect.name == "sqlite":
            upsert = sqlite_insert(WorkRow)
            excluded = upsert.excluded
            tx.conn.execute(
                upsert.on_conflict_do_update(
                    index_elements=["key"], set_=_asked_again(excluded.next_at, excluded.priority)
                ),
                [_row(item) for item in part],
            )
        else:
            upsert_on_server = postgresql_insert(WorkRow)
            excluded = upsert_on_server.excluded
            tx.conn.execute(
                upsert_on_server.on_conflict_do_update(
                    index_elements=["key"], set_=_asked_again(excluded.next_at, excluded.priority)
                ),
                [_row(item) for item in part],
            )


def get_work(connection: Connection, key: str) -> WorkItem | None:
    """Return an item, or None."""
    row = connection.execute(select(WorkRow).where(col(WorkRow.key) == key)).mappings().first()
    return None if row is None else work_item(row)


def dead_work(connection: Connection) -> list[WorkItem]:
    """Return the items that were given up, sorted by key."""
    rows = connection.execute(
        select(WorkRow).where(col(WorkRow.status) == WorkStatus.DEAD).order_by(col(WorkRow.key))
    ).mappings()
    return [work_item(row) for row in rows]


def count_work(connection: Connection) -> dict[tuple[str, WorkStatus], int]:
    """Return (kind, status) → number of items."""
    rows = connection.execute(
        select(WorkRow.kind, WorkRow.status, func.count()).group_by(col(WorkRow.kind), col(WorkRow.status))
    )
    return {(kind, WorkStatus(status)): number for kind, status, number in rows}


def next_due(connection: Connection, *, kinds: Collection[str]) -> datetime | None:
    """Return when the next item is due or its lease expires; None when nothing waits."""
    return connection.execute(
        select(func.min(col(WorkRow.next_at))).where(col(WorkRow.kind).in_(sorted(kinds)))
    ).scalar_one()


def work_item(row: RowMapping) -> WorkItem:
    """Return a row of the table as an item."""
    return WorkItem(
        key=row["key"],
        kind=row["kind"],
        ref=row["ref"],
        status=WorkStatus(row["status"]),
        turn=row["turn"],
        attempts=row["attempts"],
        token=row["token"],
        priority=row["priority"],
        next_at=row["next_at"],
        error=row["error"],
    )


def _row(item: NewWork) -> dict[str, object]:
    return {
        "key": item.key,
        "kind": item.kind,
        "ref": item.ref,
        "status": WorkStatus.READY,
        "turn": 0,
        "attempts": 0,
        "token": 0,
        "owner": None,
        "priority": item.priority,
        "next_at": item.at,
        "again_at": None,
        "error": "",
    }


def _asked_again(
    at: ColumnElement[datetime | None], priority: ColumnElement[int]
) -> dict[str, ColumnElement[Any]]:
    # spelled out, because an IN list cannot be sent with many rows at once
    in_hand = or_(*(col(WorkRow.status) == status for status in IN_HAND))
    ready = col(WorkRow.status) == WorkStatus.READY
    due, again_at = col(WorkRow.next_at), col(WorkRow.again_at)
    return {
        "status": case((in_hand, col(WorkRow.status)), else_=WorkStatus.READY),
        "next_at": case((in_hand, due), (and_(ready, due < at), due), else_=at),
        "again_at": case((and_(in_hand, again_at < at), again_at), (in_hand, at), else_=None),
        "attempts": case((or_(in_hand, ready), col(WorkRow.attempts)), else_=0),
        "priority": case((col(WorkRow.priority) > priority, col(WorkRow.priority)), else_=priority),
    }
