"""The mirror: records of outside systems, their links, and which of them changed."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy
from sqlalchemy import Connection, delete, insert
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import col, select

from agent.domain.mirror import RecordKey, Seen
from agent.store.tables.mirror import MirrorChange, MirrorLink, MirrorRecord
from agent.store.transaction import chunked
from tools.records.base import Envelope
from tools.records.registry import parse_body

_UPDATED = (
    "source",
    "stream",
    "customer_ref",
    "version",
    "content_hash",
    "source_updated_at",
    "observed_at",
    "deleted",
    "body",
)

_SEEN = sqlalchemy.select(
    col(MirrorRecord.id),
    col(MirrorRecord.source),
    col(MirrorRecord.stream),
    col(MirrorRecord.customer_ref),
    col(MirrorRecord.source_updated_at),
    col(MirrorRecord.observed_at),
    col(MirrorRecord.body),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What became of a batch of envelopes."""

    stored: int
    unchanged: int
    """Seen before with the same content."""
    outdated: int
    """Older than what the mirror holds; dropped."""


def apply_envelopes(conn: Connection, envelopes: Sequence[Envelope]) -> Applied:
    """Store what is new, drop what is known or older, and note each effective change.

    A later-read row with the same change time but other content wins: a source may correct a row without
    moving its time.
    """
    newest: dict[RecordKey, Envelope] = {}
    for envelope in envelopes:
        known = newest.get((envelope.type, envelope.id))
        if known is None or envelope.source_updated_at >= known.source_updated_at:
            newest[envelope.type, envelope.id] = envelope
    effective: list[tuple[Envelope, str]] = []
    unchanged = outdated = 0
    for batch in chunked(list(newest.values()), 2_000):
        existing = _versions(conn, batch)
        for envelope in batch:
            before = existing.get((envelope.type, envelope.id))
            content_hash = envelope.content_hash
            if before is not None and before[0] == content_hash:
                unchanged += 1
            elif before is not None and before[1] > envelope.source_updated_at:
                outdated += 1
            else:
                effective.append((envelope, content_hash))
    for part in chunked(effective, 1_000):
        _store(conn, part)
    return Applied(stored=len(effective), unchanged=unchanged, outdated=outdated)


def _versions(conn: Connection, envelopes: Sequence[Envelope]) -> dict[RecordKey, tuple[str, datetime]]:
    by_type: dict[str, list[str]] = defaultdict(list)
    for envelope in envelopes:
        by_type[envelope.type].append(envelope.id)
    found: dict[RecordKey, tuple[str, datetime]] = {}
    for record_type, ids in by_type.items():
        rows = conn.execute(
            select(MirrorRecord.id, MirrorRecord.content_hash, MirrorRecord.source_updated_at).where(
                col(MirrorRecord.type) == record_type, col(MirrorRecord.id).in_(ids)
            )
        )
        for record_id, content_hash, updated_at in rows:
            found[record_type, record_id] = (content_hash, updated_at)
    return found


def _store(conn: Connection, part: Sequence[tuple[Envelope, str]]) -> None:
    make = sqlite_insert if conn.dialect.name == "sqlite" else postgresql_insert
    statement = make(MirrorRecord)
    upsert = statement.on_conflict_do_update(
        index_elements=["type", "id"], set_={name: statement.excluded[name] for name in _UPDATED}
    )
    conn.execute(
        upsert,
        [
            {
                "type": envelope.type,
                "id": envelope.id,
                "source": envelope.source,
                "stream": envelope.stream,
                "customer_ref": envelope.customer_ref,
                "version": envelope.version,
                "content_hash": content_hash,
                "source_updated_at": envelope.source_updated_at,
                "observed_at": envelope.observed_at,
                "deleted": envelope.deleted,
                "body": envelope.body,
            }
            for envelope, content_hash in part
        ],
    )
    by_type: dict[str, list[str]] = defaultdict(list)
    links: list[dict[str, object]] = []
    for envelope, _ in part:
        by_type[envelope.type].append(envelope.id)
        if not envelope.deleted:
            for relation, value in set(parse_body(envelope.type, envelope.body).links()):
                links.append({"type": envelope.type, "id": envelope.id, "relation": relation, "value": value})
    for record_type, ids in by_type.items():
        conn.execute(
            delete(MirrorLink).where(col(MirrorLink.type) == record_type, col(MirrorLink.id).in_(ids))
        )
    if links:
        conn.execute(insert(MirrorLink), links)
    conn.execute(insert(MirrorChange), [{"type": envelope.type, "id": envelope.id} for envelope, _ in part])


def load_records(conn: Connection, keys: Collection[RecordKey]) -> dict[RecordKey, Seen]:
    """Return the mirrored records of these keys; deleted ones are left out."""
    by_type: dict[str, list[str]] = defaultdict(list)
    for record_type, record_id in keys:
        by_type[record_type].append(record_id)
    found: dict[RecordKey, Seen] = {}
    for record_type, ids in by_type.items():
        for part in chunked(ids):
            rows = conn.execute(
                _SEEN.where(
                    col(MirrorRecord.type) == record_type,
                    col(MirrorRecord.id).in_(part),
                    col(MirrorRecord.deleted).is_(False),
                )
            )
            for record_id, source, stream, customer_ref, updated_at, observed_at, body in rows:
                found[record_type, record_id] = Seen(
                    record=parse_body(record_type, body),
                    type=record_type,
                    source=source,
                    stream=stream,
                    customer_ref=customer_ref,
                    source_updated_at=updated_at,
                    observed_at=observed_at,
                )
    return found


def linked(
    conn: Connection, relation: str, values: Collection[str], record_type: str
) -> dict[str, list[str]]:
    """Return value → ids of the records of one type that point at it by a relation."""
    found: dict[str, list[str]] = defaultdict(list)
    for part in chunked(sorted(set(values))):
        rows = conn.execute(
            select(MirrorLink.value, MirrorLink.id).where(
                col(MirrorLink.relation) == relation,
                col(MirrorLink.value).in_(part),
                col(MirrorLink.type) == record_type,
            )
        )
        for value, record_id in rows:
            found[value].append(record_id)
    return dict(found)


def shared_values(conn: Connection, relation: str, values: Collection[str]) -> frozenset[str]:
    """Return those values that more than one record points at, such as a phone two customers share."""
    shared: set[str] = set()
    for part in chunked(sorted(set(values))):
        shared |= set(
            conn.execute(
                select(MirrorLink.value)
                .where(col(MirrorLink.relation) == relation, col(MirrorLink.value).in_(part))
                .group_by(col(MirrorLink.value))
                .having(sqlalchemy.func.count() > 1)
            ).scalars()
        )
    return frozenset(shared)
