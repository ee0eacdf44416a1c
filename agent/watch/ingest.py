"""Ingest: changes of outside systems into the mirror, each page in one transaction with its cursor."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from agent.store.mirror import apply_envelopes, touch
from agent.store.streams import (
    quarantine,
    release_quarantined,
    save_progress,
    save_reconciliation,
    stream_states,
)
from agent.store.tables.mirror import MirrorRecord
from agent.store.transaction import Store, Tx, chunked
from tools.errors import ToolError
from tools.ports import Batch, Rejected, Source, StreamSpec
from tools.records.base import Envelope
from tools.records.registry import RECORD_TYPES

_DELETES = 1_000
"""Deleted records per transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """What reading one stream brought."""

    read: int
    stored: int
    rejected: int
    """Rows that went to quarantine for the first time."""
    missed: int = 0
    """Records that only reconciliation found."""


@dataclass(frozen=True, slots=True)
class Ingest:
    """Reads sources into the mirror."""

    store: Store

    def pull(self, source: Source, stream: StreamSpec, *, now: datetime) -> Pulled:
        """Read what changed since the last time.

        A crash between two pages re-reads at most one page, and the mirror drops what it knows. A snapshot
        stream is read as a whole and compared by content. The stream counts as read at `now` only when the
        source says that nothing is left: half of what changed is not fresh.

        Raises:
            ToolError: The source failed; the pages before it are kept, and the cursor stands behind them.
        """
        with self.store.read() as conn:
            state = stream_states(conn, source.name).get(stream.name)
        cursor = state.cursor if state and not stream.snapshot else None
        totals = Pulled(read=0, stored=0, rejected=0)
        for batch in source.read(stream.name, cursor, now=now):
            with self.store.write() as tx:
                totals = _sum(totals, _apply(tx, source.name, stream.name, batch, at=now))
                save_progress(
                    tx,
                    source.name,
                    stream.name,
                    cursor=batch.next_cursor,
                    watermark=batch.watermark if batch.complete else None,
                    read_at=now if batch.complete else None,
                )
        return totals

    def reconcile(self, source: Source, stream: StreamSpec, *, now: datetime) -> Pulled:
        """Re-read the look-back window and compare ids, so that late and deleted rows are found.

        What changed after the last complete read is not missed, only new; the cursor stays where it is, and
        a later pull reads it again.

        Raises:
            ToolError: The source failed, or lists no records at all while the mirror has some; what was
                found before is kept.
        """
        with self.store.read() as conn:
            state = stream_states(conn, source.name).get(stream.name)
            # before the ids are asked for: what is added meanwhile must not look deleted
            mirrored = set(_mirrored_ids(conn, source.name, stream))
        totals = Pulled(read=0, stored=0, rejected=0)
        offered = state.watermark if state else None
        for batch in source.lookback(stream.name, now=now):
            with self.store.write() as tx:
                totals = _sum(totals, _apply(tx, source.name, stream.name, batch, at=now, offered=offered))
        gone = _not_listed(source, stream, mirrored)
        for part in chunked(gone, _DELETES):
            with self.store.write() as tx:
                rows = tx.conn.execute(_mirrored(source.name, stream.name, (stream.record_type,), part))
                apply_envelopes(tx.conn, [_deleted(row, now) for row in rows.mappings()])
        missed = totals.missed + len(gone)
        with self.store.write() as tx:
            save_reconciliation(tx, source.name, stream.name, missed=missed, at=now)
        return Pulled(
            read=totals.read, stored=totals.stored + len(gone), rejected=totals.rejected, missed=missed
        )

    def put(self, source_name: str, stream: str, answer: Envelope | Rejected, *, now: datetime) -> None:
        """Bring one freshly read record into the mirror; known content is noted as seen again."""
        envelopes = (answer,) if isinstance(answer, Envelope) else ()
        rejected = () if isinstance(answer, Envelope) else (answer,)
        batch = Batch(envelopes=envelopes, rejected=rejected, next_cursor=None, watermark=now, complete=True)
        with self.store.write() as tx:
            _apply(tx, source_name, stream, batch, at=now)
            touch(tx.conn, envelopes)

    def remove(self, source_name: str, stream: str, record_id: str, *, now: datetime) -> None:
        """Mark a record as deleted that a fresh look did not find."""
        with self.store.write() as tx:
            # all types, so that the primary key is used
            rows = tx.conn.execute(_mirrored(source_name, stream, tuple(RECORD_TYPES), (record_id,)))
            apply_envelopes(tx.conn, [_deleted(row, now) for row in rows.mappings()])


def _mirrored(
    source: str, stream: str, types: Sequence[str], record_ids: Sequence[str]
) -> SelectOfScalar[MirrorRecord]:
    return select(MirrorRecord).where(
        col(MirrorRecord.type).in_(types),
        col(MirrorRecord.id).in_(record_ids),
        col(MirrorRecord.source) == source,
        col(MirrorRecord.stream) == stream,
        col(MirrorRecord.deleted).is_(False),
    )


def _apply(
    tx: Tx, source: str, stream: str, batch: Batch, *, at: datetime, offered: datetime | None = None
) -> Pulled:
    applied = apply_envelopes(tx.conn, batch.envelopes)
    if batch.envelopes:
        release_quarantined(tx, source, stream, [envelope.id for envelope in batch.envelopes])
    # after the good rows: of a good and a bad version on one page nobody knows which is the later
    new = quarantine(tx, source, batch.rejected, at=at) if batch.rejected else 0
    late = {
        (envelope.type, envelope.id)
        for envelope in batch.envelopes
        if offered is not None and envelope.source_updated_at < offered
    }
    return Pulled(
        read=len(batch.envelopes) + len(batch.rejected),
        stored=len(applied.stored),
        rejected=new,
        missed=len(late.intersection(applied.stored)),
    )


def _sum(before: Pulled, more: Pulled) -> Pulled:
    return Pulled(
        read=before.read + more.read,
        stored=before.stored + more.stored,
        rejected=before.rejected + more.rejected,
        missed=before.missed + more.missed,
    )


def _mirrored_ids(conn: Connection, source: str, stream: StreamSpec) -> Iterator[str]:
    yield from conn.execute(
        select(MirrorRecord.id).where(
            col(MirrorRecord.type) == stream.record_type,
            col(MirrorRecord.source) == source,
            col(MirrorRecord.stream) == stream.name,
            col(MirrorRecord.deleted).is_(False),
        )
    ).scalars()


def _not_listed(source: Source, stream: StreamSpec, mirrored: set[str]) -> list[str]:
    listed = 0
    gone = set(mirrored)
    for record_id in source.ids(stream.name):
        gone.discard(record_id)
        listed += 1
    if gone and not listed:
        raise ToolError(
            f"stream {stream.name!r} lists no records, but {len(gone)} are known; nothing is deleted",
            system=source.name,
            retryable=True,
        )
    return sorted(gone)


def _deleted(row: RowMapping, now: datetime) -> Envelope:
    return Envelope(
        source=row["source"],
        stream=row["stream"],
        type=row["type"],
        id=row["id"],
        version=row["version"],
        # its last change stays what it was: should the record turn up again, it must not look outdated
        source_updated_at=row["source_updated_at"],
        observed_at=max(now, row["observed_at"]),
        deleted=True,
        customer_ref=row["customer_ref"],
        body=row["body"],
    )
