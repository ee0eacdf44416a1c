"""Streams of outside systems: where reading stopped, and the rows that could not become records."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Final

import sqlalchemy
from sqlalchemy import Connection, Delete, bindparam, delete, insert, update
from sqlmodel import col, select

from agent.canonical import text_hash
from agent.store.plans import is_among, packed
from agent.store.tables.mirror import Quarantine, StreamCursor
from agent.store.transaction import Tx, chunked
from tools.ports import Cursor, Rejected

NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
_STATES: Final = select(StreamCursor).where(col(StreamCursor.source) == bindparam("source"))
_UPDATE: Final = update(StreamCursor).where(
    col(StreamCursor.source) == bindparam("of_source"), col(StreamCursor.stream) == bindparam("of_stream")
)
"""Its values are the other parameters."""
_READ_TIMES: Final = sqlalchemy.select(
    col(StreamCursor.source), col(StreamCursor.stream), col(StreamCursor.read_at)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamState:
    """What is known about one stream."""

    cursor: Cursor | None
    watermark: datetime | None
    read_at: datetime
    """When a read that reached its end began; `NEVER` before the first."""
    reconciled_at: datetime | None
    missed: int


def stream_states(conn: Connection, source: str) -> dict[str, StreamState]:
    """Return the state of each stream of a source that was ever read."""
    rows = conn.execute(_STATES, {"source": source}).mappings()
    return {row["stream"]: _state(row) for row in rows}


def save_progress(
    tx: Tx,
    source: str,
    stream: str,
    *,
    cursor: Cursor | None,
    watermark: datetime | None,
    read_at: datetime | None,
) -> None:
    """Write where reading stopped; belongs in the transaction that stores the records read.

    Args:
        tx: The transaction.
        source: The connector.
        stream: One of its streams.
        cursor: Behind the last row read; None leaves it where it is.
        watermark: Everything committed before it was read; None while more is left.
        read_at: When a read that reached its end began; None while more is left: what is half read is not
            fresh.
    """
    values: dict[str, object] = {}
    if cursor is not None:
        values = {
            "stream_version": cursor.stream_version,
            "value_kind": cursor.value_kind,
            "value": cursor.value,
            "key_kind": cursor.key_kind,
            "key": cursor.key,
        }
    if watermark is not None:
        values["watermark"] = watermark
    if read_at is not None:
        values["read_at"] = read_at
    _upsert(tx, source, stream, values)


def save_reconciliation(tx: Tx, source: str, stream: str, *, missed: int, at: datetime) -> None:
    """Note that a stream was reconciled and how many records only that found."""
    states = stream_states(tx.conn, source)
    before = states[stream].missed if stream in states else 0
    _upsert(tx, source, stream, {"reconciled_at": at, "missed": before + missed})


def _upsert(tx: Tx, source: str, stream: str, values: Mapping[str, object]) -> None:
    if tx.conn.execute(_UPDATE, {"of_source": source, "of_stream": stream, **values}).rowcount:
        return
    empty: dict[str, object] = {
        "stream_version": None,
        "value_kind": None,
        "value": None,
        "key_kind": None,
        "key": None,
        "watermark": None,
        "read_at": NEVER,
        "reconciled_at": None,
        "missed": 0,
    }
    tx.conn.execute(insert(StreamCursor), [{"source": source, "stream": stream, **empty, **values}])


def quarantine(tx: Tx, source: str, rejected: Sequence[Rejected], *, at: datetime) -> int:
    """Keep rows that could not become records; return how many are new. The same raw row is kept once."""
    hashed = {(item.stream, text_hash(item.raw)): item for item in rejected}
    known: set[tuple[str, str]] = set()
    for part in chunked(sorted({raw_hash for _, raw_hash in hashed})):
        where = (col(Quarantine.source) == source, col(Quarantine.raw_hash).in_(part))
        rows = tx.conn.execute(
            sqlalchemy.select(col(Quarantine.stream), col(Quarantine.raw_hash)).where(*where)
        )
        known |= {(stream, raw_hash) for stream, raw_hash in rows}
        tx.conn.execute(
            update(Quarantine).where(*where).values(last_seen_at=at, seen=col(Quarantine.seen) + 1)
        )
    fresh = [
        _quarantined(tx, source, item, raw_hash, at)
        for (stream, raw_hash), item in hashed.items()
        if (stream, raw_hash) not in known
    ]
    if fresh:
        tx.conn.execute(insert(Quarantine), fresh)
    return len(fresh)


def release_quarantined(tx: Tx, source: str, stream: str, record_ids: Collection[str]) -> None:
    """Drop quarantined rows of records that have been read well since."""
    for part in chunked(sorted(record_ids)):
        many = packed(tx.conn, part)
        tx.conn.execute(
            _release(as_text=many.as_text), {"source": source, "stream": stream, "ids": many.value}
        )


@cache
def _release(*, as_text: bool) -> Delete:
    return delete(Quarantine).where(
        col(Quarantine.source) == bindparam("source"),
        col(Quarantine.stream) == bindparam("stream"),
        is_among(Quarantine.record_id, "ids", as_text=as_text),
    )


def count_quarantined(conn: Connection) -> dict[str, int]:
    """Return source → rows in quarantine, without sources that have none."""
    counted = sqlalchemy.select(col(Quarantine.source), sqlalchemy.func.count()).group_by(
        col(Quarantine.source)
    )
    return {row[0]: row[1] for row in conn.execute(counted)}


def read_times(conn: Connection) -> dict[tuple[str, str], datetime]:
    """Return (source, stream) → when it was last read to its end, without streams that never were."""
    rows = conn.execute(_READ_TIMES)
    return {(source, stream): read_at for source, stream, read_at in rows if read_at != NEVER}


def _quarantined(tx: Tx, source: str, item: Rejected, raw_hash: str, at: datetime) -> dict[str, object]:
    return {
        "id": tx.ids.new("qua", at=at),
        "source": source,
        "stream": item.stream,
        "record_type": item.record_type,
        "record_id": item.record_id,
        "kind": item.kind,
        "field": item.field,
        "value": item.value,
        "problem": item.problem,
        "raw": item.raw,
        "raw_hash": raw_hash,
        "first_seen_at": at,
        "last_seen_at": at,
        "seen": 1,
    }


def _state(row: sqlalchemy.RowMapping) -> StreamState:
    cursor = None
    if row["value"] is not None:
        cursor = Cursor(
            stream_version=row["stream_version"],
            value_kind=row["value_kind"],
            value=row["value"],
            key_kind=row["key_kind"],
            key=row["key"],
        )
    return StreamState(
        cursor=cursor,
        watermark=row["watermark"],
        read_at=row["read_at"],
        reconciled_at=row["reconciled_at"],
        missed=row["missed"],
    )
