"""A crash at any statement of ingest, sweep or screen: the next run loses nothing and doubles nothing."""

import itertools
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import delete, event
from sqlmodel import SQLModel, col, select

from agent.audit.verify import verify
from agent.store.tables.cases import CaseFile, DecisionRow, SituationRow, WorkRow
from agent.store.tables.ledger import AuditEventRow
from agent.store.tables.mirror import MirrorChange, MirrorRecord, Timer
from agent.store.transaction import Store, count
from agent.watch.ingest import Ingest
from tests.builders import (
    DAY,
    NOW,
    FakeSource,
    customer,
    envelope_of,
    incident,
    invoice,
    order,
    playbook,
    shipment,
    subscription,
)
from tests.watching import Watching, watching
from tools.records.base import CustomerId
from tools.records.vocabulary import IncidentStatus, ProtectedFlag


class CrashError(Exception):
    """The process died here."""


@dataclass
class Failpoint:
    """Dies at the n-th statement or commit of the writer; never when `at` is 0."""

    at: int = 0
    passed: int = 0

    def step(self, *_: Any) -> None:
        self.passed += 1
        if self.passed == self.at:
            raise CrashError


@contextmanager
def failing(store: Store, at: int) -> Generator[Failpoint]:
    point = Failpoint(at=at)
    event.listen(store.writer, "before_cursor_execute", point.step)
    event.listen(store.writer, "commit", point.step)
    try:
        yield point
    finally:
        event.remove(store.writer, "before_cursor_execute", point.step)
        event.remove(store.writer, "commit", point.step)


@dataclass
class Day:
    """Two waves of changes, each followed by a sweep and a screen, from one source with cursors."""

    watch: Watching
    source: FakeSource = field(default_factory=lambda: FakeSource(page=3))

    def run(self) -> None:
        """Do what is still to be done; started again after a crash, it goes on from the database."""
        if not self.source.rows:
            self.source.add(*FIRST)
        self._round()
        if len(self.source.rows["order"]) == ORDERS:
            self.source.add(*SECOND)
        self._round()

    def _round(self) -> None:
        for stream in self.source.streams():
            Ingest(self.watch.store).pull(self.source, stream, now=NOW)
        self.watch.sweep()
        self.watch.screen()


ORDERS = 5
FIRST = (
    *(customer(id=f"c{at}", emails=(f"c{at}@example.com",), phones=()) for at in range(4)),
    customer(id="c4", protected=(ProtectedFlag.HARDSHIP,)),
    *(order(id=f"o{at}", customer_id=CustomerId(f"c{at}")) for at in range(ORDERS)),
    shipment(order_id="o1", customer_id=CustomerId("c1")),
    invoice(due_at=NOW + 9 * DAY),
    subscription(customer_id=CustomerId("c2")),
    incident(customer_ids=("c0", "c3")),
)
SECOND = (
    envelope_of(order(id="o0", customer_id=CustomerId("c0"), delivered_at=NOW), source_updated_at=NOW),
    envelope_of(order(id="o9", customer_id=CustomerId("c3")), source_updated_at=NOW),
    envelope_of(incident(status=IncidentStatus.RESOLVED), source_updated_at=NOW),
)


def test_a_crash_at_a_statement_changes_nothing_in_the_end(any_store: Store) -> None:
    _crash_everywhere(any_store, every=13 if any_store.is_sqlite else 41)


@pytest.mark.slow
def test_a_crash_at_any_statement_changes_nothing_in_the_end(store: Store) -> None:
    _crash_everywhere(store, every=1)


def _crash_everywhere(store: Store, *, every: int) -> None:
    Day(_fresh(store)).run()
    expected = _outcome(store)

    crashes = 0
    for at in itertools.count(1, every):
        day = Day(_fresh(store))
        try:
            with failing(store, at=at):
                day.run()
            break  # it ran to its end before the failpoint
        except CrashError:
            crashes += 1
        day.run()

        assert _outcome(store) == expected, f"after a crash at step {at}"

    assert crashes * every > 100
    assert expected["open changes"] == 0
    store.seal_pending()
    with store.read() as conn:
        assert verify(conn, now=NOW).ok


def _fresh(store: Store) -> Watching:
    with store.write() as tx:
        for table in reversed(SQLModel.metadata.sorted_tables):
            if table.name not in {"meta", "subject_key"}:  # the store remembers the keys of subjects
                tx.conn.execute(delete(table))
    chosen = (playbook("shipping_delay"), playbook("payment_due"), playbook("service_disruption"))
    # so small that a day takes several transactions
    return replace(watching(store, *chosen), page_size=4, most_cases=2)


_CASES = sqlalchemy.select(
    col(CaseFile.id),
    col(CaseFile.signal_key),
    col(CaseFile.state),
    col(CaseFile.turn),
    col(CaseFile.situation_id),
)
_DECISIONS = sqlalchemy.select(col(DecisionRow.case_id), col(DecisionRow.turn), col(DecisionRow.reason))


def _outcome(store: Store) -> dict[str, object]:
    """Return everything that must be the same whatever happened on the way, so no ids."""
    with store.read() as conn:
        cases = list(conn.execute(_CASES))
        name = {row[0]: row[1] for row in cases}
        return {
            "cases": sorted((row[1], row[2], row[3], row[4] is not None) for row in cases),
            "decisions": sorted((name[row[0]], row[1], row[2]) for row in conn.execute(_DECISIONS)),
            "situations": count(conn, SituationRow),
            "work": count(conn, WorkRow),
            "events": Counter(conn.execute(select(AuditEventRow.type)).scalars()),
            "records": sorted(map(tuple, conn.execute(select(MirrorRecord.id, MirrorRecord.content_hash)))),
            "timers": sorted(map(tuple, conn.execute(select(Timer.id, Timer.next_at)))),
            "open changes": count(conn, MirrorChange),
        }
