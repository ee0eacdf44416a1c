"""Transactions: every state change and its audit event commit together or not at all."""

import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeVar

from sqlalchemy import Connection, Engine, delete, func, text
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import SQLModel, col, select

from agent.canonical import GENESIS, canonical, chain_hash, leaf_hash
from agent.domain.audit import AuditEvent
from agent.ids import Ids
from agent.store.bulk import Values, insert_many
from agent.store.database import explain
from agent.store.envelopes import Envelopes
from agent.store.keyring import Keyring, Subject
from agent.store.plans import among
from agent.store.tables.ledger import AuditEventRow, AuditPending, AuditSeal, SubjectKey

CHUNK = 5_000
"""Most values in one IN list; SQLite allows 32,766 in all."""

T = TypeVar("T")

_SEAL_LOCK = 0x0A0D17  # any number, the same in every process
_LAST_SEAL: Final = select(AuditSeal.seq, AuditSeal.chain).order_by(col(AuditSeal.seq).desc()).limit(1)
_EVENT_COLUMNS = ("id", "type", "at", "subject_ref", "case_id", "envelope")
_SEAL_COLUMNS = ("seq", "event_id", "leaf", "chain")


def chunked(items: Sequence[T], size: int = CHUNK) -> Generator[Sequence[T]]:
    """Yield slices of at most `size` items; nothing for an empty sequence."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def insert_new(connection: Connection, table: type[SQLModel], rows: Sequence[Mapping[str, object]]) -> None:
    """Insert rows and leave out those whose unique keys exist already."""
    make = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
    connection.execute(make(table).on_conflict_do_nothing(), [dict(row) for row in rows])


@dataclass(frozen=True, slots=True)
class Tx:
    """An open write transaction: run statements on `conn`, hand every change to `record`."""

    conn: Connection
    ids: Ids
    _events: list[AuditEvent]

    def record(self, event: AuditEvent) -> None:
        """Add an audit event; it is written when the transaction commits."""
        self._events.append(event)


class Store:
    """The one database. `write` is the only way to change it."""

    def __init__(
        self,
        *,
        writer: Engine,
        reader: Engine,
        ids: Ids,
        keyring: Keyring,
        subjects_kept: int = 100_000,
    ) -> None:
        """Take the engines; `subjects_kept` customers' audit subjects stay in memory at most."""
        self.writer = writer
        self.reader = reader
        self.ids = ids
        self.keyring = keyring
        self._subjects: dict[str, Subject] = {}
        self._subjects_kept = subjects_kept
        self._lock = threading.Lock()  # database work runs in threads

    @property
    def is_sqlite(self) -> bool:
        """Whether one process writes at a time, so that sealing can happen inline."""
        return self.writer.dialect.name == "sqlite"

    @contextmanager
    def write(self) -> Generator[Tx]:
        """Open a write transaction; commit at the end, roll everything back on an exception.

        Raises:
            StoreError: The database is full, read-only, locked or gone.
        """
        events: list[AuditEvent] = []
        try:
            with self.writer.begin() as connection:
                yield Tx(conn=connection, ids=self.ids, _events=events)
                subjects = self._append(connection, events) if events else {}
            self._remember(subjects)  # only what was committed
        except IntegrityError:
            raise  # a constraint did its work; the caller knows what it means
        except DBAPIError as exc:
            raise explain(exc, place=self.writer.url.render_as_string(hide_password=True)) from exc

    @contextmanager
    def read(self) -> Generator[Connection]:
        """Open a read transaction: one consistent view, no write lock."""
        with self.reader.connect() as connection, connection.begin():
            yield connection

    def seal_pending(self) -> int:
        """Put the events that wait for it into the chain; return how many.

        Seal order is log order: an event whose transaction commits late is simply sealed later. Only one
        process seals at a time; the others return 0.
        """
        if self.is_sqlite:
            return 0
        with self.writer.begin() as connection:
            if not connection.execute(
                text("SELECT pg_try_advisory_xact_lock(:k)"), {"k": _SEAL_LOCK}
            ).scalar():
                return 0
            waiting = connection.execute(
                select(AuditEventRow.id, AuditEventRow.envelope)
                .join(AuditPending, col(AuditPending.event_id) == col(AuditEventRow.id))
                .order_by(col(AuditEventRow.id))
                .limit(CHUNK)
            ).all()
            _seal(connection, [(event_id, envelope) for event_id, envelope in waiting])
            for part in chunked([event_id for event_id, _ in waiting]):
                connection.execute(delete(AuditPending).where(col(AuditPending.event_id).in_(part)))
            return len(waiting)

    def subjects(self, connection: Connection, customer_ids: Sequence[str]) -> dict[str, Subject]:
        """Return the audit subjects of customers that have one."""
        found: dict[str, Subject] = {}
        for part in chunked(customer_ids):
            rows = connection.execute(
                select(SubjectKey.customer_id, SubjectKey.subject_ref, SubjectKey.wrapped_key).where(
                    among(connection, SubjectKey.customer_id, part)
                )
            )
            for customer_id, ref, wrapped in rows.all():
                found[customer_id] = Subject(ref=ref, wrapped=wrapped)
        return found

    def _remember(self, subjects: Mapping[str, Subject]) -> None:
        """Keep subjects at hand, the newest ones, so that a process that stays does not grow."""
        with self._lock:
            self._subjects.update(subjects)
            for surplus in list(islice(self._subjects, max(0, len(self._subjects) - self._subjects_kept))):
                del self._subjects[surplus]

    def _append(self, connection: Connection, events: Sequence[AuditEvent]) -> dict[str, Subject]:
        subjects = self._ensure_subjects(connection, events)
        envelopes = Envelopes()
        rows: list[Values] = []
        sealed: list[tuple[str, str]] = []
        for event in events:
            event_id = self.ids.new("evt", at=event.at)
            subject = subjects[event.customer_id] if event.customer_id is not None else None
            ref = subject.ref if subject else None
            private = self._encrypted(event, subject, event_id) if event.private else None
            envelope = envelopes.text(event, event_id=event_id, subject_ref=ref, private=private)
            rows.append((event_id, event.type, event.at, ref, event.case_id, envelope))
            sealed.append((event_id, envelope))
        insert_many(connection, AuditEventRow, _EVENT_COLUMNS, rows)
        if self.is_sqlite:
            _seal(connection, sealed)
        else:
            insert_many(connection, AuditPending, ("event_id",), [(event_id,) for event_id, _ in sealed])
        return subjects

    def _encrypted(self, event: AuditEvent, subject: Subject | None, event_id: str) -> str:
        if subject is None:
            raise ValueError(f"event {event.type!r} has private fields but no customer")
        return self.keyring.encrypt(subject, canonical(event.private), event_id=event_id)

    def _ensure_subjects(self, connection: Connection, events: Sequence[AuditEvent]) -> dict[str, Subject]:
        wanted = {event.customer_id: event.at for event in events if event.customer_id is not None}
        # read once: another thread may make room meanwhile
        known: dict[str, Subject] = {one: subject for one in wanted if (subject := self._subjects.get(one))}
        missing = [customer_id for customer_id in wanted if customer_id not in known]
        if missing:
            known |= self.subjects(connection, missing)
        new_rows: list[dict[str, object]] = []
        for customer_id in missing:
            if customer_id not in known:
                subject = known[customer_id] = self.keyring.new_subject()
                new_rows.append(
                    {
                        "subject_ref": subject.ref,
                        "customer_id": customer_id,
                        "wrapped_key": subject.wrapped,
                        "created_at": wanted[customer_id],
                    }
                )
        if new_rows:
            insert_new(connection, SubjectKey, new_rows)
            if not self.is_sqlite:  # another process may have been first; its key counts
                known |= self.subjects(connection, [str(row["customer_id"]) for row in new_rows])
        return known


def _seal(connection: Connection, events: Sequence[tuple[str, str]]) -> None:
    if not events:
        return
    last = connection.execute(_LAST_SEAL).first()
    seq, chain = (last[0], bytes.fromhex(last[1])) if last else (0, GENESIS)
    rows: list[Values] = []
    for event_id, envelope in events:
        seq += 1
        leaf = leaf_hash(envelope)
        chain = chain_hash(chain, leaf)
        rows.append((seq, event_id, leaf.hex(), chain.hex()))
    insert_many(connection, AuditSeal, _SEAL_COLUMNS, rows)


def count(connection: Connection, table: type) -> int:
    """Return the number of rows of a table."""
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())
