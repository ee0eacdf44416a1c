"""Timers and pending changes: what the sweep has to look at, found by index."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy
from sqlalchemy import Connection, delete, insert
from sqlmodel import col

from agent.domain.mirror import RecordKey
from agent.store.tables.mirror import MirrorChange, Timer
from agent.store.transaction import Tx, chunked


@dataclass(frozen=True, slots=True, kw_only=True)
class DueTimer:
    """A timer whose instant has come."""

    scenario: str
    key: RecordKey
    slot: int
    next_at: datetime


def pending_changes(conn: Connection, limit: int) -> list[tuple[int, RecordKey]]:
    """Return the oldest changes as (seq, key)."""
    rows = conn.execute(
        sqlalchemy.select(col(MirrorChange.seq), col(MirrorChange.type), col(MirrorChange.id))
        .order_by(col(MirrorChange.seq))
        .limit(limit)
    )
    return [(seq, (record_type, record_id)) for seq, record_type, record_id in rows if seq is not None]


def note_changes(tx: Tx, keys: Collection[RecordKey]) -> None:
    """Ask for another evaluation of records, as if they had changed."""
    rows = [{"type": record_type, "id": record_id} for record_type, record_id in sorted(keys)]
    if rows:
        tx.conn.execute(insert(MirrorChange), rows)


def drop_changes(tx: Tx, seqs: Sequence[int]) -> None:
    """Drop changes that have been evaluated."""
    for part in chunked(seqs):
        tx.conn.execute(delete(MirrorChange).where(col(MirrorChange.seq).in_(part)))


def due_timers(conn: Connection, now: datetime, limit: int) -> list[DueTimer]:
    """Return timers whose instant is not after `now`, the oldest first."""
    rows = conn.execute(
        sqlalchemy.select(
            col(Timer.scenario), col(Timer.type), col(Timer.id), col(Timer.slot), col(Timer.next_at)
        )
        .where(col(Timer.next_at) <= now)
        .order_by(col(Timer.next_at))
        .limit(limit)
    )
    return [
        DueTimer(scenario=scenario, key=(record_type, record_id), slot=slot, next_at=next_at)
        for scenario, record_type, record_id, slot, next_at in rows
    ]


def replace_timers(
    tx: Tx,
    evaluated: Mapping[str, Collection[RecordKey]],
    timers: Mapping[tuple[str, RecordKey], Sequence[datetime]],
) -> None:
    """Replace the timers of evaluated records.

    Args:
        tx: The transaction of the sweep's page.
        evaluated: Scenario → records that were evaluated; their timers are dropped.
        timers: (scenario, record) → later instants, ascending.
    """
    for scenario, keys in evaluated.items():
        by_type: dict[str, list[str]] = {}
        for record_type, record_id in keys:
            by_type.setdefault(record_type, []).append(record_id)
        for record_type, ids in by_type.items():
            for part in chunked(ids):
                tx.conn.execute(
                    delete(Timer).where(
                        col(Timer.scenario) == scenario,
                        col(Timer.type) == record_type,
                        col(Timer.id).in_(part),
                    )
                )
    rows = [
        {"scenario": scenario, "type": key[0], "id": key[1], "slot": slot, "next_at": instant}
        for (scenario, key), instants in timers.items()
        for slot, instant in enumerate(instants)
    ]
    for slice_of_rows in chunked(rows, 1_000):
        tx.conn.execute(insert(Timer), slice_of_rows)
