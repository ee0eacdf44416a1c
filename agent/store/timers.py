"""Timers and pending changes: what the sweep has to look at, found by index."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final

import sqlalchemy
from sqlalchemy import Connection, Select, bindparam, delete, insert
from sqlmodel import col

from agent.domain.mirror import RecordKey
from agent.store.plans import among, is_among, packed
from agent.store.tables.mirror import MirrorChange, Timer
from agent.store.transaction import Tx, chunked

_CHANGES: Final = (
    sqlalchemy.select(col(MirrorChange.seq), col(MirrorChange.type), col(MirrorChange.id))
    .order_by(col(MirrorChange.seq))
    .limit(bindparam("most"))
)
_TIMERS: Final = (
    sqlalchemy.select(
        col(Timer.scenario), col(Timer.type), col(Timer.id), col(Timer.slot), col(Timer.next_at)
    )
    .where(col(Timer.next_at) <= bindparam("now"))
    .order_by(col(Timer.next_at))
    .limit(bindparam("most"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DueTimer:
    """A timer whose instant has come."""

    scenario: str
    key: RecordKey
    slot: int
    next_at: datetime


def pending_changes(conn: Connection, limit: int) -> list[tuple[int, RecordKey]]:
    """Return the oldest changes as (seq, key)."""
    rows = conn.execute(_CHANGES, {"most": limit})
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
    rows = conn.execute(_TIMERS, {"now": now, "most": limit})
    return [
        DueTimer(scenario=scenario, key=(record_type, record_id), slot=slot, next_at=next_at)
        for scenario, record_type, record_id, slot, next_at in rows
    ]


def replace_timers(
    tx: Tx,
    evaluated: Mapping[str, Collection[RecordKey]],
    timers: Mapping[tuple[str, RecordKey], Sequence[datetime]],
) -> None:
    """Replace the timers of evaluated records; those that stand already are not written again.

    Args:
        tx: The transaction of the sweep's page.
        evaluated: Scenario → records that were evaluated; they keep no other timers.
        timers: (scenario, record) → later instants, ascending, of evaluated records.
    """
    rows: list[dict[str, object]] = []
    for scenario, keys in evaluated.items():
        by_type: dict[str, list[str]] = defaultdict(list)
        for record_type, record_id in keys:
            by_type[record_type].append(record_id)
        for record_type, ids in by_type.items():
            wanted = {one: list(timers.get((scenario, (record_type, one)), ())) for one in ids}
            _drop_others(tx, scenario, record_type, wanted)
            rows.extend(
                {"scenario": scenario, "type": record_type, "id": one, "slot": slot, "next_at": instant}
                for one, instants in wanted.items()
                for slot, instant in enumerate(instants)
            )
    for slice_of_rows in chunked(rows, 1_000):
        tx.conn.execute(insert(Timer), slice_of_rows)


def _drop_others(tx: Tx, scenario: str, record_type: str, wanted: dict[str, list[datetime]]) -> None:
    """Drop timers that are not wanted, and take out of `wanted` what stands already."""
    for part in chunked(sorted(wanted)):
        many = packed(tx.conn, part)
        found: dict[str, list[datetime]] = defaultdict(list)
        rows = tx.conn.execute(
            _timers_of(as_text=many.as_text), {"scenario": scenario, "type": record_type, "ids": many.value}
        )
        for record_id, next_at in rows.all():
            found[record_id].append(next_at)
        others = [record_id for record_id, instants in found.items() if instants != wanted[record_id]]
        for record_id in found.keys() - set(others):
            del wanted[record_id]
        if others:
            tx.conn.execute(
                delete(Timer).where(
                    col(Timer.scenario) == scenario,
                    col(Timer.type) == record_type,
                    among(tx.conn, Timer.id, others),
                )
            )


@cache
def _timers_of(*, as_text: bool) -> Select[str, datetime]:
    return (
        sqlalchemy.select(col(Timer.id), col(Timer.next_at))
        .where(
            col(Timer.scenario) == bindparam("scenario"),
            col(Timer.type) == bindparam("type"),
            is_among(Timer.id, "ids", as_text=as_text),
        )
        .order_by(col(Timer.id), col(Timer.slot))
    )
