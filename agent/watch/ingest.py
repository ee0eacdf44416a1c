"""Ingest: changes of outside systems into the mirror, each page in one transaction with its cursor."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping
from sqlmodel import col, select

from agent.store.mirror import apply_envelopes
from agent.store.streams import (
    quarantine,
    release_quarantined,
    save_progress,
    save_reconciliation,
    stream_states,
)
from agent.store.tables.mirror import MirrorRecord
from agent.store.transaction import Store, Tx
from tools.ports import Batch, Rejected, Source, StreamSpec
from tools.records.base import Envelope


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
        stream is read as a whole and compared by content.

        Raises:
            ToolError: The source failed; the pages before it are kept.
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
                    watermark=batch.watermark,
                    read_at=now,
                )
        return totals

    def reconcile(self, source: Source, stream: StreamSpec, *, now: datetime) -> Pulled:
        """Re-read the look-back window and compare ids, so that late and deleted rows are found.

        Raises:
            ToolError: The source failed; what was found before is kept.
        """
        totals = Pulled(read=0, stored=0, rejected=0)
        for batch in source.lookback(stream.name, now=now):
            with self.store.write() as tx:
                totals = _sum(totals, _apply(tx, source.name, stream.name, batch, at=now))
        existing = set(source.ids(stream.name))
        with self.store.write() as tx:
            gone = _gone(tx.conn, source.name, stream.name, existing, now=now)
            apply_envelopes(tx.conn, gone)
            missed = totals.stored + len(gone)
            save_reconciliation(tx, source.name, stream.name, missed=missed, at=now)
        return Pulled(
            read=totals.read, stored=totals.stored + len(gone), rejected=totals.rejected, missed=missed
        )

    def put(self, source_name: str, stream: str, answer: Envelope | Rejected, *, now: datetime) -> None:
        """Bring one freshly read record into the mirror."""
        envelopes = (answer,) if isinstance(answer, Envelope) else ()
        rejected = () if isinstance(answer, Envelope) else (answer,)
        batch = Batch(envelopes=envelopes, rejected=rejected, next_cursor=None, watermark=now, complete=True)
        with self.store.write() as tx:
            _apply(tx, source_name, stream, batch, at=now)

    def remove(self, source_name: str, stream: str, record_id: str, *, now: datetime) -> None:
        """Mark a record as deleted that a fresh look did not find."""
        with self.store.write() as tx:
            rows = tx.conn.execute(
                _MIRRORED.where(
                    col(MirrorRecord.source) == source_name,
                    col(MirrorRecord.stream) == stream,
                    col(MirrorRecord.id) == record_id,
                )
            ).mappings()
            apply_envelopes(tx.conn, [_deleted(row, now) for row in rows])


_MIRRORED = select(MirrorRecord)


def _apply(tx: Tx, source: str, stream: str, batch: Batch, *, at: datetime) -> Pulled:
    applied = apply_envelopes(tx.conn, batch.envelopes)
    new = quarantine(tx, source, batch.rejected, at=at) if batch.rejected else 0
    if batch.envelopes:
        release_quarantined(tx, source, stream, [envelope.id for envelope in batch.envelopes])
    return Pulled(read=len(batch.envelopes) + len(batch.rejected), stored=applied.stored, rejected=new)


def _sum(before: Pulled, more: Pulled) -> Pulled:
    return Pulled(
        read=before.read + more.read,
        stored=before.stored + more.stored,
        rejected=before.rejected + more.rejected,
    )


def _gone(conn: Connection, source: str, stream: str, existing: set[str], *, now: datetime) -> list[Envelope]:
    rows = conn.execute(
        _MIRRORED.where(
            col(MirrorRecord.source) == source,
            col(MirrorRecord.stream) == stream,
            col(MirrorRecord.deleted).is_(False),
        )
    ).mappings()
    return [_deleted(row, now) for row in rows if row["id"] not in existing]


def _deleted(row: RowMapping, now: datetime) -> Envelope:
    return Envelope(
        source=row["source"],
        stream=row["stream"],
        type=row["type"],
        id=row["id"],
        version=row["version"],
        source_updated_at=now,
        observed_at=now,
        deleted=True,
        customer_ref=row["customer_ref"],
        body=row["body"],
    )
