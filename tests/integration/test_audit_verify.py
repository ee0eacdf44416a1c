"""Verification notices every change of the log and names the event."""

from collections.abc import Callable
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import Connection, insert, text

from agent.audit.verify import Flaw, Verification, parse_head, verify
from agent.canonical import GENESIS, chain_hash, leaf_hash
from agent.clock import SimulatedClock
from agent.domain.audit import AuditEvent
from agent.store.audit_log import Head, head
from agent.store.tables.ledger import AuditPending
from agent.store.transaction import Store
from tests.conftest import START
from tests.sending_bench import SYSTEM, Bench

LATER = START + timedelta(minutes=10)


@pytest.fixture
def log(store: Store, clock: SimulatedClock) -> Store:
    """A store in which two cases were decided, drafted and approved."""
    return filled(store, clock)


def filled(store: Store, clock: SimulatedClock) -> Store:
    bench = Bench(store=store, clock=clock)
    bench.approved("e1")
    bench.approved("e2")
    while store.seal_pending():
        pass
    return store


def check(store: Store, *against: Head) -> Verification:
    with store.read() as conn:
        return verify(conn, now=LATER, against=against)


def after(store: Store, change: Callable[[Connection], object], *against: Head) -> Verification:
    """Verify what a change leaves, then undo it."""
    with store.writer.connect() as conn, conn.begin() as transaction:
        change(conn)
        found = verify(conn, now=LATER, against=against)
        transaction.rollback()
    return found


def sql(statement: str, **values: object) -> Callable[[Connection], object]:
    return lambda conn: conn.execute(text(statement), values)


def test_an_untouched_log_is_ok(any_store: Store, clock: SimulatedClock) -> None:
    filled(any_store, clock)

    found = check(any_store)

    with any_store.read() as conn:
        assert found.head == head(conn)
    assert (found.fault, found.exit_code, found.rows, found.pending) == (None, 0, 4, 0)
    assert found.head.size > 10


def test_an_empty_log_is_ok(any_store: Store) -> None:
    assert check(any_store).head.size == 0


EVENT_CHANGES = (
    ("UPDATE audit_event SET type = 'case.closed' WHERE id = :id", "column type"),
    ("UPDATE audit_event SET at = :at WHERE id = :id", "column at"),
    ("UPDATE audit_event SET case_id = NULL WHERE id = :id", "column case_id"),
    ("UPDATE audit_event SET subject_ref = 'nobody' WHERE id = :id", "column subject_ref"),
    ("UPDATE audit_event SET envelope = replace(envelope, 'shipping', 'Shipping') WHERE id = :id", "text"),
    ("UPDATE audit_seal SET leaf = upper(leaf) WHERE event_id = :id", "leaf"),
    ("UPDATE audit_seal SET chain = upper(chain) WHERE event_id = :id", "chain"),
    ("DELETE FROM audit_event WHERE id = :id", "missing"),
)


def test_a_changed_event_is_named(any_store: Store, clock: SimulatedClock) -> None:
    filled(any_store, clock)
    with any_store.read() as conn:
        seq, event_id = _second_case(conn)

    for statement, what in EVENT_CHANGES:
        values = {"at": LATER} if ":at" in statement else {}
        found = after(any_store, sql(statement, id=event_id, **values))

        assert found.fault is not None, statement
        assert (found.fault.seq, found.fault.event_id, found.exit_code) == (seq, event_id, 1), statement
        assert what in found.fault.what
        assert found.head.size == seq - 1

    assert check(any_store).ok


ROW_CHANGES = (
    ("decision", "UPDATE decision SET body = replace(body, 'order', 'Order')"),
    ("decision", "UPDATE decision SET body_hash = 'x'"),
    ("decision", "UPDATE decision SET kind = 'abstain'"),
    ("decision", "UPDATE decision SET propensity_ppm = propensity_ppm - 1"),
    ("decision", "DELETE FROM decision"),
    ("draft", "UPDATE draft SET body = replace(body, 'order', 'Order')"),
    ("draft", "UPDATE draft SET content_hash = 'x'"),
    ("draft", "DELETE FROM draft"),
)


@pytest.mark.parametrize(("table", "statement"), ROW_CHANGES, ids=[change[1][:40] for change in ROW_CHANGES])
def test_a_changed_row_is_named_by_its_event(log: Store, table: str, statement: str) -> None:
    with log.read() as conn:
        row_id = conn.execute(text(f"SELECT max(id) FROM {table}")).scalar_one()
        event_id = conn.execute(
            text("SELECT max(id) FROM audit_event WHERE type = :type"), {"type": f"{table}.recorded"}
        ).scalar_one()

    found = after(log, sql(f"{statement} WHERE id = :id", id=row_id))

    assert found.fault is not None
    assert found.fault.event_id == event_id
    assert row_id in found.fault.what
    assert found.exit_code == 1


def test_a_decision_that_no_event_tells_of_is_named(log: Store) -> None:
    with log.read() as conn:
        columns = conn.execute(text("SELECT * FROM decision LIMIT 1")).keys()
    values = ", ".join({"id": "'dec_forged'", "turn": "99"}.get(name, name) for name in columns)

    found = after(log, sql(f"INSERT INTO decision SELECT {values} FROM decision LIMIT 1"))

    assert found.fault is not None
    assert "dec_forged has no event" in found.fault.what


def test_a_thousand_flipped_bits_are_all_noticed_and_named(log: Store) -> None:
    random = Random(11)
    with log.writer.connect() as conn:
        targets = _targets(conn)
        conn.rollback()
        for _ in range(1_000):
            table, column, rowid, seq = random.choice(targets)
            _flip(conn, table, column, rowid, random)
            found = verify(conn, now=LATER)
            conn.rollback()
            assert found.fault is not None, (table, column, seq)
            assert found.fault.seq == seq, (table, column, seq, found.fault)


def test_a_missing_link_is_a_gap(log: Store) -> None:
    found = after(log, sql("DELETE FROM audit_seal WHERE seq = 5"))

    assert found.fault is not None
    assert (found.fault.flaw, found.fault.seq, found.exit_code) == (Flaw.GAP, 5, 2)


def test_exchanged_events_are_noticed(log: Store) -> None:
    def exchange(conn: Connection) -> None:
        rows = conn.execute(text("SELECT seq, event_id FROM audit_seal WHERE seq IN (3, 4)"))
        ids = {int(row[0]): str(row[1]) for row in rows}
        for seq, event_id in ((3, "x"), (4, ids[3]), (3, ids[4])):
            sql("UPDATE audit_seal SET event_id = :id WHERE seq = :seq", id=event_id, seq=seq)(conn)

    found = after(log, exchange)

    assert found.fault is not None
    assert found.fault.seq == 3


def test_an_event_put_in_beside_the_chain_is_noticed(any_store: Store, clock: SimulatedClock) -> None:
    filled(any_store, clock)

    found = after(
        any_store,
        sql(
            "INSERT INTO audit_event SELECT 'evt_forged', type, at, subject_ref, case_id, envelope "
            "FROM audit_event LIMIT 1"
        ),
    )

    assert found.fault is not None
    assert (found.fault.event_id, found.exit_code) == ("evt_forged", 1)


def test_a_cut_end_is_noticed_by_whoever_kept_the_head(log: Store) -> None:
    known = check(log).head

    def cut(conn: Connection) -> None:
        sql("DELETE FROM audit_event WHERE id IN (SELECT event_id FROM audit_seal WHERE seq > 3)")(conn)
        sql("DELETE FROM audit_seal WHERE seq > 3")(conn)
        for table in ("decision", "draft"):
            sql(f"DELETE FROM {table}")(conn)
        sql("DELETE FROM audit_event WHERE type LIKE '%.recorded'")(conn)

    assert after(log, cut).head.size <= 3
    found = after(log, cut, known)

    assert found.fault is not None
    assert found.exit_code in {1, 2}


def test_a_log_cut_after_its_first_event_verifies_only_without_a_head(log: Store) -> None:
    known = check(log).head

    def cut(conn: Connection) -> None:
        sql("DELETE FROM audit_event WHERE id IN (SELECT event_id FROM audit_seal WHERE seq > 1)")(conn)
        sql("DELETE FROM audit_seal WHERE seq > 1")(conn)
        sql("DELETE FROM decision")(conn)
        sql("DELETE FROM draft")(conn)

    assert after(log, cut).ok
    found = after(log, cut, known)

    assert found.fault is not None
    assert (found.fault.flaw, found.fault.seq) == (Flaw.GAP, 2)
    assert f"{known.size - 1} events are missing" in found.fault.what


def test_a_log_written_anew_is_noticed_by_whoever_kept_a_head(log: Store) -> None:
    known = check(log).head

    def rewrite(conn: Connection) -> None:
        rows = conn.execute(
            text("SELECT seq, id, envelope FROM audit_seal JOIN audit_event ON id = event_id ORDER BY seq")
        ).all()
        chain = GENESIS
        for seq, event_id, envelope in rows:
            forged = envelope.replace('"shadow":false', '"shadow":true')
            leaf = leaf_hash(forged)
            chain = chain_hash(chain, leaf)
            sql("UPDATE audit_event SET envelope = :e WHERE id = :id", e=forged, id=event_id)(conn)
            sql(
                "UPDATE audit_seal SET leaf = :l, chain = :c WHERE seq = :s",
                l=leaf.hex(),
                c=chain.hex(),
                s=seq,
            )(conn)

    assert after(log, rewrite).ok
    found = after(log, rewrite, known)

    assert found.fault is not None
    assert (found.fault.seq, found.exit_code) == (known.size, 1)


def test_an_older_head_still_verifies_after_the_log_has_grown(log: Store) -> None:
    known = check(log).head
    with log.write() as tx:
        tx.record(AuditEvent(type="case.opened", at=START, actor=SYSTEM, customer_id=None))

    assert check(log, known, Head(0, _GENESIS)).ok
    assert not check(log, Head(0, "0" * 64)).ok


def test_events_may_wait_for_the_chain_for_a_while(any_store: Store) -> None:
    with any_store.write() as tx:
        tx.record(AuditEvent(type="case.opened", at=START, actor=SYSTEM, customer_id=None))
    if any_store.is_sqlite:
        assert check(any_store).pending == 0
        return

    with any_store.read() as conn:
        soon, late = verify(conn, now=START), verify(conn, now=LATER)
    any_store.seal_pending()

    assert (soon.exit_code, soon.pending) == (0, 1)
    assert (late.exit_code, late.pending) == (4, 1)
    assert check(any_store).head.size == 1


def test_a_waiting_event_that_is_gone_is_noticed(log: Store) -> None:
    found = after(log, lambda conn: conn.execute(insert(AuditPending), [{"event_id": "evt_gone"}]))

    assert found.fault is not None
    assert found.fault.event_id == "evt_gone"


@pytest.mark.parametrize("text_", ["", "12", "12:xyz", "x:" + "0" * 64, "-1:" + "0" * 64, "1:" + "G" * 64])
def test_a_head_of_another_form_is_refused(text_: str) -> None:
    with pytest.raises(ValueError, match="is no head"):
        parse_head(text_)


def test_a_head_survives_printing(log: Store) -> None:
    known = check(log).head

    assert parse_head(known.text()) == known


_GENESIS = GENESIS.hex()
_TEXTS = {
    "audit_event": ("id", "type", "at", "subject_ref", "case_id", "envelope"),
    "audit_seal": ("event_id", "leaf", "chain"),
    "decision": ("id", "case_id", "stage", "kind", "reason", "channel", "arm", "at", "body", "body_hash"),
    "draft": ("id", "case_id", "channel", "content_hash", "review_reason", "created_at", "body", "body_hash"),
}


def _second_case(conn: Connection) -> tuple[int, str]:
    row = conn.execute(
        text(
            "SELECT seq, event_id FROM audit_seal JOIN audit_event ON id = event_id "
            "WHERE type = 'case.opened' ORDER BY seq DESC LIMIT 1"
        )
    ).one()
    return row[0], row[1]


def _targets(conn: Connection) -> list[tuple[str, str, int, int]]:
    """(table, column, rowid, seq of the event that vouches for it), each table as often as the others."""
    queries = {
        "audit_event": "SELECT e.rowid, s.seq FROM audit_event e JOIN audit_seal s ON s.event_id = e.id",
        "audit_seal": "SELECT s.rowid, s.seq FROM audit_seal s",
        "decision": _VOUCHED.format("decision"),
        "draft": _VOUCHED.format("draft"),
    }
    return [
        (table, column, rowid, seq)
        for table, query in queries.items()
        for rowid, seq in conn.execute(text(query)).all()
        for column in _TEXTS[table]
        if conn.execute(text(f"SELECT {column} FROM {table} WHERE rowid = {rowid}")).scalar()
    ]


_VOUCHED = (
    "SELECT r.rowid, s.seq FROM {0} r JOIN audit_event e ON e.type = '{0}.recorded' "
    "AND json_extract(e.envelope, '$.body.{0}') = r.id JOIN audit_seal s ON s.event_id = e.id"
)


def _flip(conn: Connection, table: str, column: str, rowid: int, random: Random) -> None:
    value = conn.execute(
        text(f"SELECT CAST({column} AS BLOB) FROM {table} WHERE rowid = {rowid}")
    ).scalar_one()
    changed = 0
    while not changed:  # the database itself refuses a flip that makes an id that another row has
        flipped = bytearray(value)
        flipped[random.randrange(len(flipped))] ^= 1 << random.randrange(8)
        changed = conn.execute(
            text(f"UPDATE OR IGNORE {table} SET {column} = CAST(:value AS TEXT) WHERE rowid = {rowid}"),
            {"value": bytes(flipped)},
        ).rowcount
