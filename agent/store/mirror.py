"""The mirror: records of outside systems, their links, and which of them changed."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

import sqlalchemy
from sqlalchemy import Connection, Delete, Insert, Select, bindparam, delete, insert, type_coerce, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import col

from agent.domain.mirror import RecordKey, Seen
from agent.store.bulk import ReadInstant
from agent.store.plans import filtered, is_among, packed
from agent.store.tables.mirror import MirrorChange, MirrorLink, MirrorRecord
from agent.store.transaction import chunked
from tools.records.base import Envelope
from tools.records.registry import parse_body, parser_of

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

_PART = 1_000
"""Records per statement."""

_SEEN = sqlalchemy.select(
    col(MirrorRecord.id),
    col(MirrorRecord.source),
    col(MirrorRecord.stream),
    col(MirrorRecord.customer_ref),
    type_coerce(col(MirrorRecord.source_updated_at), ReadInstant()),
    type_coerce(col(MirrorRecord.observed_at), ReadInstant()),
    col(MirrorRecord.body),
)

_TOUCH: Final = (
    update(MirrorRecord)
    .where(
        col(MirrorRecord.type) == bindparam("of_type"),
        col(MirrorRecord.id) == bindparam("of_id"),
        col(MirrorRecord.source_updated_at) <= bindparam("new_updated_at"),
        col(MirrorRecord.observed_at) <= bindparam("new_observed_at"),
    )
    .values(
        version=bindparam("new_version"),
        source_updated_at=bindparam("new_updated_at"),
        observed_at=bindparam("new_observed_at"),
    )
)


@cache
def _known_by_id(*, as_text: bool) -> Select[str, str, datetime, datetime]:
    return sqlalchemy.select(
        col(MirrorRecord.id),
        col(MirrorRecord.content_hash),
        col(MirrorRecord.source_updated_at),
        col(MirrorRecord.observed_at),
    ).where(col(MirrorRecord.type) == bindparam("type"), is_among(MirrorRecord.id, "ids", as_text=as_text))


@cache
def _seen_by_id(*, as_text: bool, deleted: bool) -> Select[*tuple[Any, ...]]:
    wanted = _SEEN.where(
        col(MirrorRecord.type) == bindparam("type"), is_among(MirrorRecord.id, "ids", as_text=as_text)
    )
    return wanted if deleted else wanted.where(col(MirrorRecord.deleted).is_(False))


@cache
def _seen_by_customer(*, as_text: bool) -> Select[*tuple[Any, ...]]:
    return _SEEN.where(
        is_among(MirrorRecord.customer_ref, "ids", as_text=as_text),
        filtered(col(MirrorRecord.type)) == bindparam("type"),
        col(MirrorRecord.deleted).is_(False),
    ).order_by(col(MirrorRecord.id))


@cache
def _linked_to(*, as_text: bool) -> Select[str, str]:
    return sqlalchemy.select(col(MirrorLink.value), col(MirrorLink.id)).where(
        col(MirrorLink.relation) == bindparam("relation"),
        is_among(MirrorLink.value, "values", as_text=as_text),
        filtered(col(MirrorLink.type)) == bindparam("type"),
    )


@cache
def _shared_by_several(*, as_text: bool) -> Select[str]:
    return (
        sqlalchemy.select(col(MirrorLink.value))
        .where(
            col(MirrorLink.relation) == bindparam("relation"),
            is_among(MirrorLink.value, "values", as_text=as_text),
        )
        .group_by(col(MirrorLink.value))
        .having(sqlalchemy.func.count() > 1)
    )


@cache
def _drop_links(*, as_text: bool) -> Delete:
    return delete(MirrorLink).where(
        col(MirrorLink.type) == bindparam("type"), is_among(MirrorLink.id, "ids", as_text=as_text)
    )


@cache
def _upsert(dialect: str) -> Insert:
    statement = (sqlite_insert if dialect == "sqlite" else postgresql_insert)(MirrorRecord)
    return statement.on_conflict_do_update(
        index_elements=["type", "id"], set_={name: statement.excluded[name] for name in _UPDATED}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What became of a batch of envelopes."""

    stored: tuple[RecordKey, ...]
    """Records whose content is new."""
    unchanged: int
    """Seen before with the same content."""
    outdated: int
    """Older than what the mirror holds; dropped."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What decides whether an envelope is news."""

    content_hash: str
    updated_at: datetime
    observed_at: datetime


def apply_envelopes(conn: Connection, envelopes: Sequence[Envelope]) -> Applied:
    """Store what is new, drop what is known or older, and note each effective change.

    Of two versions with the same change time the one read later wins: a source may correct a row without
    moving its time. A version with known content moves only its times, so that one from between two equal
    versions stays outdated.
    """
    newest: dict[RecordKey, Envelope] = {}
    for envelope in envelopes:
        rival = newest.get((envelope.type, envelope.id))
        if rival is None or _times(envelope) >= _times(rival):
            newest[envelope.type, envelope.id] = envelope
    stored: list[RecordKey] = []
    unchanged = outdated = 0
    for part in chunked(list(newest.values()), _PART):
        known = _known(conn, part)
        effective: list[tuple[Envelope, str]] = []
        seen_again: list[Envelope] = []
        for envelope in part:
            before = known.get((envelope.type, envelope.id))
            content_hash = envelope.content_hash
            newer = before is None or (before.updated_at, before.observed_at) <= _times(envelope)
            if before is not None and before.content_hash == content_hash:
                unchanged += 1
                if newer and before.updated_at != envelope.source_updated_at:
                    seen_again.append(envelope)
            elif newer:
                effective.append((envelope, content_hash))
            else:
                outdated += 1
        if effective:
            _store(conn, effective)
        touch(conn, seen_again)
        stored += [(envelope.type, envelope.id) for envelope, _ in effective]
    return Applied(stored=tuple(stored), unchanged=unchanged, outdated=outdated)


def touch(conn: Connection, envelopes: Sequence[Envelope]) -> None:
    """Note when records of known content were changed and seen last; times never move back."""
    if not envelopes:
        return
    conn.execute(
        _TOUCH,
        [
            {
                "of_type": envelope.type,
                "of_id": envelope.id,
                "new_version": envelope.version,
                "new_updated_at": envelope.source_updated_at,
                "new_observed_at": envelope.observed_at,
            }
            for envelope in envelopes
        ],
    )


def _times(envelope: Envelope) -> tuple[datetime, datetime]:
    return envelope.source_updated_at, envelope.observed_at


def _known(conn: Connection, envelopes: Sequence[Envelope]) -> dict[RecordKey, _Known]:
    by_type: dict[str, list[str]] = defaultdict(list)
    for envelope in envelopes:
        by_type[envelope.type].append(envelope.id)
    found: dict[RecordKey, _Known] = {}
    for record_type, ids in by_type.items():
        many = packed(conn, ids)
        rows = conn.execute(_known_by_id(as_text=many.as_text), {"type": record_type, "ids": many.value})
        for record_id, content_hash, updated_at, observed_at in rows.all():
            found[record_type, record_id] = _Known(content_hash, updated_at, observed_at)
    return found


def _store(conn: Connection, part: Sequence[tuple[Envelope, str]]) -> None:
    links = {
        (envelope.type, envelope.id): list(dict.fromkeys(parse_body(envelope.type, envelope.body).links()))
        for envelope, _ in part
    }
    rows = [
        _row(envelope, content_hash, dict(links[envelope.type, envelope.id]))
        for envelope, content_hash in part
    ]
    conn.execute(_upsert(conn.dialect.name), rows)
    _replace_links(
        conn, {(one.type, one.id): [] if one.deleted else links[one.type, one.id] for one, _ in part}
    )
    conn.execute(insert(MirrorChange), [{"type": envelope.type, "id": envelope.id} for envelope, _ in part])


def _row(envelope: Envelope, content_hash: str, links: Mapping[str, str]) -> dict[str, object]:
    return {
        "type": envelope.type,
        "id": envelope.id,
        "source": envelope.source,
        "stream": envelope.stream,
        "customer_ref": envelope.customer_ref or links.get("customer"),
        "version": envelope.version,
        "content_hash": content_hash,
        "source_updated_at": envelope.source_updated_at,
        "observed_at": envelope.observed_at,
        "deleted": envelope.deleted,
        "body": envelope.body,
    }


def _replace_links(conn: Connection, links: Mapping[RecordKey, Sequence[tuple[str, str]]]) -> None:
    by_type: dict[str, list[str]] = defaultdict(list)
    for record_type, record_id in links:
        by_type[record_type].append(record_id)
    for record_type, ids in by_type.items():
        many = packed(conn, ids)
        conn.execute(_drop_links(as_text=many.as_text), {"type": record_type, "ids": many.value})
    rows = [
        {"type": key[0], "id": key[1], "relation": relation, "value": value}
        for key, pairs in links.items()
        for relation, value in pairs
    ]
    if rows:
        conn.execute(insert(MirrorLink), rows)


def load_records(
    conn: Connection, keys: Collection[RecordKey], *, deleted: bool = False
) -> dict[RecordKey, Seen]:
    """Return the mirrored records of these keys; deleted ones, as they were last, only if asked for."""
    by_type: dict[str, list[str]] = defaultdict(list)
    for record_type, record_id in keys:
        by_type[record_type].append(record_id)
    found: dict[RecordKey, Seen] = {}
    for record_type, ids in by_type.items():
        for part in chunked(ids):
            many = packed(conn, part)
            rows = conn.execute(
                _seen_by_id(as_text=many.as_text, deleted=deleted), {"type": record_type, "ids": many.value}
            )
            seen = _seen(record_type, rows.all())
            found.update({(record_type, record_id): one for record_id, one in seen.items()})
    return found


def records_of_customers(conn: Connection, customer_ids: Collection[str], record_type: str) -> list[Seen]:
    """Return the records of one type that belong to these customers, by id."""
    found: list[Seen] = []
    for part in chunked(sorted(customer_ids)):
        many = packed(conn, part)
        rows = conn.execute(_seen_by_customer(as_text=many.as_text), {"type": record_type, "ids": many.value})
        found += _seen(record_type, rows.all()).values()
    return found


def linked(
    conn: Connection, relation: str, values: Collection[str], record_type: str
) -> dict[str, list[str]]:
    """Return value → ids of the records of one type that point at it by a relation."""
    found: dict[str, list[str]] = defaultdict(list)
    for part in chunked(sorted(set(values))):
        many = packed(conn, part)
        rows = conn.execute(
            _linked_to(as_text=many.as_text),
            {"relation": relation, "values": many.value, "type": record_type},
        )
        for value, record_id in rows.all():
            found[value].append(record_id)
    return dict(found)


def shared_values(conn: Connection, relation: str, values: Collection[str]) -> frozenset[str]:
    """Return those values that more than one record points at, such as a phone two customers share."""
    shared: set[str] = set()
    for part in chunked(sorted(set(values))):
        many = packed(conn, part)
        rows = conn.execute(
            _shared_by_several(as_text=many.as_text), {"relation": relation, "values": many.value}
        )
        shared |= set(rows.scalars())
    return frozenset(shared)


def _seen(record_type: str, rows: Sequence[sqlalchemy.Row[*tuple[Any, ...]]]) -> dict[str, Seen]:
    """Return id → record of rows of `_SEEN`; in one loop, because screens read thousands."""
    parse = parser_of(record_type)
    return {
        record_id: Seen(parse(body), record_type, source, stream, customer_ref, updated_at, observed_at)
        for record_id, source, stream, customer_ref, updated_at, observed_at, body in rows
    }
