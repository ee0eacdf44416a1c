"""Claiming work, beginning it, keeping its lease and ending it: every statement decides by one row alone.

`token` grows with every claim; whoever holds an older one can change nothing. So a duplicate, stale or lost
wake-up is harmless, and a worker that stood still cannot write over its successor.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Text,
    Update,
    and_,
    bindparam,
    case,
    not_,
    or_,
    tuple_,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar
from sqlmodel.sql.sqltypes import UTCDateTime

from agent.errors import LeaseLostError
from agent.store.tables.cases import WorkRow
from agent.store.transaction import Tx, chunked
from agent.store.work import IN_HAND, Next, WorkItem, WorkStatus, work_item

MAX_ATTEMPTS: Final = 5
"""How often a turn may be tried before it is given up."""
SUSPECT_ATTEMPTS: Final = 2
"""After so many tries that ended with the death of their worker, a turn runs alone."""


def anything_due(connection: Connection, *, now: datetime, kinds: Collection[str]) -> bool:
    """Return whether a claim could find something; needs no write lock."""
    return connection.execute(_ANY_DUE, _due_now(now, kinds)).first() is not None


def suspects_due(connection: Connection, *, now: datetime, kinds: Collection[str]) -> bool:
    """Return whether an item is due whose worker died `SUSPECT_ATTEMPTS` times while it ran."""
    return connection.execute(_SUSPECT_DUE, _due_now(now, kinds)).first() is not None


def claim(
    tx: Tx,
    *,
    now: datetime,
    limit: int,
    kinds: Collection[str],
    owner: str,
    lease: timedelta,
    suspects: bool = False,
    begun: bool = False,
) -> list[WorkItem]:
    """Take due items, the most important and longest due first; no other worker gets the same ones.

    Expired leases are due too: that is how a dead worker's items are taken over.

    Args:
        tx: The transaction that hands them to the engine.
        now: Now; items due exactly now are taken.
        limit: Most items.
        kinds: The kinds of turn this worker knows; others stay for workers that know them.
        owner: This worker.
        lease: Until when they must have begun.
        suspects: Only those that may have killed their worker, which must run alone; without it, all others.
        begun: They begin with this very transaction, so that no second one is needed to say so.
    """
    chosen = _choose(suspects=suspects)
    keys = tx.conn.execute(chosen, {**_due_now(now, kinds), "most": limit}).scalars().all()
    taken: list[WorkItem] = []
    for part in chunked(keys):
        rows = tx.conn.execute(
            _take(begun=begun),
            {"keys": list(part), "by": owner, "until": now + lease} | ({"at": now} if begun else {}),
        ).mappings()
        taken += [work_item(row) for row in rows]
    order = {key: place for place, key in enumerate(keys)}
    return sorted(taken, key=lambda item: order[item.key])


def begin(tx: Tx, *, key: str, token: int, now: datetime, owner: str, lease: timedelta) -> WorkItem | None:
    """Begin a claimed turn; None when the wake-up is stale: begun, taken over or finished by another."""
    row = (
        tx.conn.execute(
            update(WorkRow)
            .where(*_claimed(key, token, WorkStatus.QUEUED))
            .values(
                status=WorkStatus.RUNNING,
                owner=owner,
                next_at=now + lease,
                # the turn begins after it was asked for, so it will see what it was asked for
                again_at=case((col(WorkRow.again_at) > now, col(WorkRow.again_at)), else_=None),
            )
            .returning(WorkRow)
        )
        .mappings()
        .first()
    )
    return None if row is None else work_item(row)


def beat(tx: Tx, live: Mapping[str, int], *, now: datetime, lease: timedelta) -> set[str]:
    """Extend the leases of running items and return the keys whose lease is gone.

    Args:
        tx: The transaction.
        live: Key → token of the items in hand, taken before this call: one that began since then is not
            lost, it is only not in the list.
        now: Now.
        lease: From now on.
    """
    kept: set[str] = set()
    for part in chunked(sorted(live.items()), 1_000):
        kept.update(
            tx.conn.execute(
                update(WorkRow)
                .where(
                    tuple_(col(WorkRow.key), col(WorkRow.token)).in_(part),
                    col(WorkRow.status) == WorkStatus.RUNNING,
                )
                .values(next_at=now + lease)
                .returning(col(WorkRow.key))
            ).scalars()
        )
    return set(live) - kept


def end(tx: Tx, item: WorkItem, following: Next) -> None:
    """Finish a turn in the transaction that writes its results.

    Raises:
        LeaseLostError: Another worker has the item now; let it pass through to roll everything back.
    """
    changed = tx.conn.execute(
        _END,
        {"of": item.key, "held": item.token, "planned": following.at, "following": following.status},
    )
    if changed.rowcount != 1:
        raise LeaseLostError(f"work {item.key!r} was taken over by another worker")


def fail(tx: Tx, item: WorkItem, *, retry_at: datetime, error: str) -> bool:
    """Note a try that failed cleanly and make the item due again; False when the lease is gone.

    Args:
        tx: The transaction.
        item: The item as `begin` returned it.
        retry_at: When it is due again; `doomed` finds it then if it has no tries left.
        error: What happened, without personal data.
    """
    changed = tx.conn.execute(
        update(WorkRow)
        .where(*_claimed(item.key, item.token, WorkStatus.RUNNING))
        .values(status=WorkStatus.READY, next_at=retry_at, owner=None, error=error)
    )
    return changed.rowcount == 1


def give_back(tx: Tx, claims: Mapping[str, int], *, now: datetime) -> int:
    """Return items in hand, begun or not, as if they had not been claimed; the number given back.

    Args:
        tx: The transaction.
        claims: Key → token; those that somebody else has meanwhile are left alone.
        now: When they are due again.
    """
    given = 0
    for part in chunked(sorted(claims.items()), 1_000):
        given += tx.conn.execute(
            update(WorkRow)
            .where(tuple_(col(WorkRow.key), col(WorkRow.token)).in_(part), col(WorkRow.status).in_(IN_HAND))
            .values(
                status=WorkStatus.READY,
                next_at=now,
                owner=None,
                attempts=col(WorkRow.attempts) - case((col(WorkRow.attempts) > 0, 1), else_=0),
            )
        ).rowcount
    return given


def owners_in_hand(connection: Connection) -> list[str]:
    """Return the workers that claimed work and have not ended it."""
    return list(connection.execute(_OWNERS).scalars())


def expire_leases(tx: Tx, *, now: datetime, owners: Collection[str]) -> int:
    """Make due at once what these workers have in hand; only for those that are provably dead.

    What was running keeps that status, so that an item that kills its workers is recognised.
    """
    return tx.conn.execute(
        update(WorkRow)
        .where(col(WorkRow.status).in_(IN_HAND), col(WorkRow.owner).in_(owners), col(WorkRow.next_at) > now)
        .values(next_at=now)
    ).rowcount


def doomed(connection: Connection, *, now: datetime, kinds: Collection[str]) -> list[WorkItem]:
    """Return due items that have no tries left, to be buried one by one."""
    rows = connection.execute(_DOOMED, _due_now(now, kinds)).mappings()
    return [work_item(row) for row in rows]


def bury(tx: Tx, item: WorkItem, *, error: str | None = None) -> bool:
    """Give an item up; False when somebody else changed it. `error` None keeps the last one."""
    changed = tx.conn.execute(
        update(WorkRow)
        .where(
            col(WorkRow.key) == item.key,
            col(WorkRow.token) == item.token,
            col(WorkRow.status) == item.status,
            not_(_has_tries()),
        )
        .values(status=WorkStatus.DEAD, next_at=None, owner=None, token=col(WorkRow.token) + 1)
    )
    if changed.rowcount == 1 and error is not None:
        tx.conn.execute(update(WorkRow).where(col(WorkRow.key) == item.key).values(error=error))
    return changed.rowcount == 1


def _due_now(now: datetime, kinds: Collection[str]) -> dict[str, object]:
    """Return the parameters of `_DUE`."""
    return {"now": now, "kinds": sorted(kinds)}


def _has_tries() -> ColumnElement[bool]:
    return col(WorkRow.attempts) < MAX_ATTEMPTS


def _suspect() -> ColumnElement[bool]:
    # a clean failure sets it ready again, so one that is due while running lost its worker
    return and_(col(WorkRow.status) == WorkStatus.RUNNING, col(WorkRow.attempts) >= SUSPECT_ATTEMPTS)


def _still_ahead() -> ColumnElement[datetime | None]:
    # a turn begins after it was asked for, so it will see what it was asked for; later wishes stay
    now = bindparam("at", type_=UTCDateTime())
    return case((col(WorkRow.again_at) > now, col(WorkRow.again_at)), else_=None)


def _claimed(key: str, token: int, status: WorkStatus) -> tuple[ColumnElement[bool], ...]:
    return (col(WorkRow.key) == key, col(WorkRow.token) == token, col(WorkRow.status) == status)


_DUE: Final = (
    col(WorkRow.next_at) <= bindparam("now"),
    col(WorkRow.kind).in_(bindparam("kinds", expanding=True)),
)
_ANY_DUE: Final = select(WorkRow.key).where(*_DUE).limit(1)
_SUSPECT_DUE: Final = select(WorkRow.key).where(*_DUE, _suspect(), _has_tries()).limit(1)
_DOOMED: Final = select(WorkRow).where(*_DUE, not_(_has_tries())).order_by(col(WorkRow.key))
_OWNERS: Final = (
    select(WorkRow.owner)
    .where(col(WorkRow.status).in_(IN_HAND), col(WorkRow.owner).is_not(None))
    .distinct()
    .order_by(col(WorkRow.owner))
)


@cache
def _choose(*, suspects: bool) -> SelectOfScalar[str]:
    return (
        select(WorkRow.key)
        .where(*_DUE, _has_tries(), _suspect() if suspects else not_(_suspect()))
        .order_by(col(WorkRow.priority).desc(), col(WorkRow.next_at), col(WorkRow.key))
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)  # left out on SQLite, where one transaction writes at a time
    )


@cache
def _take(*, begun: bool) -> ReturningUpdate[Any]:
    return (
        update(WorkRow)
        .where(col(WorkRow.key).in_(bindparam("keys", expanding=True)))
        .values(
            status=WorkStatus.RUNNING if begun else WorkStatus.QUEUED,
            again_at=_still_ahead() if begun else col(WorkRow.again_at),
            # one that was claimed but never begun has not been tried
            attempts=col(WorkRow.attempts) + case((col(WorkRow.status) == WorkStatus.QUEUED, 0), else_=1),
            token=col(WorkRow.token) + 1,
            owner=bindparam("by"),
            next_at=bindparam("until"),
        )
        .returning(WorkRow)
    )


def _ended() -> Update:
    asked, planned = col(WorkRow.again_at), bindparam("planned", type_=UTCDateTime())
    return (
        update(WorkRow)
        .where(
            col(WorkRow.key) == bindparam("of"),
            col(WorkRow.token) == bindparam("held"),
            col(WorkRow.status) == WorkStatus.RUNNING,
        )
        .values(
            status=case((asked.is_(None), bindparam("following", type_=Text())), else_=WorkStatus.READY),
            next_at=case((or_(asked < planned, planned.is_(None)), asked), else_=planned),
            turn=col(WorkRow.turn) + 1,
            attempts=0,
            owner=None,
            again_at=None,
            error="",
        )
    )


_END: Final = _ended()
