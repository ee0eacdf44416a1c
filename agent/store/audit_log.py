"""The audit log as it is stored: the bytes that verification hashes, and what it compares them with."""

from collections.abc import Collection, Generator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

import sqlalchemy
from sqlalchemy import ColumnElement, Connection, Integer, LargeBinary, exists, func
from sqlmodel import SQLModel, col, select
from sqlmodel.sql.sqltypes import UTCDateTime

from agent.canonical import GENESIS
from agent.store.tables.ledger import AuditEventRow, AuditPending, AuditSeal
from agent.store.transaction import chunked

PAGE: Final = 5_000
"""Events read at once."""

RecordedTable = Literal["decision", "draft"]
"""Tables whose rows are vouched for by an event with their hash."""

_TABLES: Final = SQLModel.metadata.tables


class RawSeal(NamedTuple):
    """A link of the chain with its event, as the bytes that are stored; the event's are None when it is gone.

    Instants are `YYYY-MM-DD HH:MM:SS.ffffff` in UTC on both databases.
    """

    seq: int
    sealed_id: bytes
    leaf: bytes
    chain: bytes
    id: bytes | None
    type: bytes | None
    at: bytes | None
    subject_ref: bytes | None
    case_id: bytes | None
    envelope: bytes | None


@dataclass(frozen=True, slots=True)
class Head:
    """How far the chain goes: its length and its last value; what an outsider keeps to notice a cut."""

    size: int
    chain: str
    """Hex."""

    def text(self) -> str:
        """Return `size:chain`, as `verify --against` takes it."""
        return f"{self.size}:{self.chain}"


def head(connection: Connection) -> Head:
    """Return how far the chain goes; size 0 and the genesis value for an empty log."""
    last = connection.execute(
        select(AuditSeal.seq, AuditSeal.chain).order_by(col(AuditSeal.seq).desc()).limit(1)
    ).first()
    return Head(last[0], last[1]) if last else Head(0, GENESIS.hex())


def events_so_far(connection: Connection) -> int:
    """Return how many events are committed: the same number means that nothing has changed in between.

    Those that are sealed and those that wait for it, so that one that commits late counts as well.
    """
    waiting = connection.execute(select(func.count()).select_from(AuditPending)).scalar_one()
    return head(connection).size + int(waiting)


def raw_seals(connection: Connection, *, after: int = 0) -> Generator[list[RawSeal]]:
    """Yield the chain in order, in pages, from the link after a sequence number."""
    seal, event = _TABLES["audit_seal"].c, _TABLES["audit_event"].c
    statement = (
        sqlalchemy.select(
            seal.seq,
            *_raw(connection, seal.event_id, seal.leaf, seal.chain, event.id, event.type),
            _raw_instant(connection, event.at),
            *_raw(connection, event.subject_ref, event.case_id, event.envelope),
        )
        .select_from(AuditSeal)
        .outerjoin(AuditEventRow, event.id == seal.event_id)
        .order_by(seal.seq)
        .limit(PAGE)
    )
    while page := [RawSeal(*row) for row in connection.execute(statement.where(seal.seq > after))]:
        yield page
        after = page[-1].seq


def seal_before(connection: Connection, since: datetime) -> int:
    """Return the sequence number just before the first event that is not older than an instant."""
    first = connection.execute(
        select(AuditSeal.seq)
        .join(AuditEventRow, col(AuditEventRow.id) == col(AuditSeal.event_id))
        .where(col(AuditEventRow.at) >= since)
        .order_by(col(AuditSeal.seq))
        .limit(1)
    ).scalar_one_or_none()
    return head(connection).size if first is None else first - 1


def chain_at(connection: Connection, seq: int) -> str | None:
    """Return the chain value after a number of events, hex; None when the log is shorter."""
    if seq == 0:
        return GENESIS.hex()
    return connection.execute(select(AuditSeal.chain).where(col(AuditSeal.seq) == seq)).scalar_one_or_none()


def event_outside_chain(connection: Connection) -> tuple[str, str] | None:
    """Return (id, type) of the first event that neither is in the chain nor waits for it."""
    found = connection.execute(
        select(AuditEventRow.id, AuditEventRow.type)
        .where(
            ~exists().where(col(AuditSeal.event_id) == col(AuditEventRow.id)),
            ~exists().where(col(AuditPending.event_id) == col(AuditEventRow.id)),
        )
        .order_by(col(AuditEventRow.id))
        .limit(1)
    ).first()
    return (found[0], found[1]) if found else None


def pending_events(connection: Connection) -> tuple[int, datetime | None, str | None]:
    """Return how many events wait for the chain, since when, and one that waits although it is gone."""
    number, oldest = connection.execute(
        sqlalchemy.select(func.count(), func.min(col(AuditEventRow.at)))
        .select_from(AuditPending)
        .outerjoin(AuditEventRow, col(AuditEventRow.id) == col(AuditPending.event_id))
    ).one()
    gone = connection.execute(
        select(AuditPending.event_id)
        .where(~exists().where(col(AuditEventRow.id) == col(AuditPending.event_id)))
        .limit(1)
    ).scalar_one_or_none()
    return int(number), oldest, gone


def raw_columns(
    connection: Connection, table: RecordedTable, names: Sequence[str], ids: Collection[str]
) -> Generator[dict[str, bytes | int | None]]:
    """Yield the named columns and the id of rows: texts and instants as bytes, whole numbers as they are."""
    columns = _TABLES[table].c
    raw = [_raw_any(connection, columns[name]).label(name) for name in ("id", *names)]
    for part in chunked(sorted(ids)):
        rows = connection.execute(sqlalchemy.select(*raw).where(columns["id"].in_(part))).mappings()
        yield from (dict(row) for row in rows)


def ids_after(connection: Connection, table: RecordedTable, after: str) -> list[str]:
    """Return the next page of ids of a table."""
    column = _TABLES[table].c.id
    statement = sqlalchemy.select(column).where(column > after).order_by(column).limit(PAGE)
    return list(connection.execute(statement).scalars())


def row_count(connection: Connection, table: RecordedTable) -> int:
    """Return the number of rows of a table."""
    return int(connection.execute(sqlalchemy.select(func.count()).select_from(_TABLES[table])).scalar_one())


def _raw_any(connection: Connection, column: ColumnElement[Any]) -> ColumnElement[Any]:
    if isinstance(column.type, Integer):
        return column
    return (
        _raw_instant(connection, column)
        if isinstance(column.type, UTCDateTime)
        else _raw(connection, column)[0]
    )


def _raw(connection: Connection, *columns: ColumnElement[Any]) -> list[ColumnElement[bytes]]:
    # a byte that was flipped in the file can make a text that no driver decodes, so bytes are read
    if connection.dialect.name == "sqlite":
        return [sqlalchemy.cast(column, LargeBinary) for column in columns]
    return [func.convert_to(column, "UTF8", type_=LargeBinary) for column in columns]


def _raw_instant(connection: Connection, column: ColumnElement[Any]) -> ColumnElement[bytes]:
    if connection.dialect.name == "sqlite":
        return _raw(connection, column)[0]
    in_utc = func.timezone("UTC", column)
    return _raw(connection, func.to_char(in_utc, "YYYY-MM-DD HH24:MI:SS.US"))[0]
