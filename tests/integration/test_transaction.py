"""A transaction keeps the change and its audit event together, on both databases."""

from dataclasses import replace

import pytest
from sqlalchemy import insert
from sqlmodel import col, select

from agent.domain.audit import Actor, ActorKind, AuditEvent
from agent.store.tables.base import Meta
from agent.store.tables.ledger import AuditEventRow, AuditSeal
from agent.store.transaction import Store, count
from tests.conftest import START
from tools.records.base import CustomerId

EVENT = AuditEvent(
    type="case.opened",
    at=START,
    actor=Actor(kind=ActorKind.SYSTEM, id="test"),
    customer_id=CustomerId("c1"),
    body={"reason": "late"},
    private={"name": "Ada"},
)


def test_an_event_commits_with_its_change_and_is_sealed(any_store: Store) -> None:
    with any_store.write() as tx:
        tx.conn.execute(insert(Meta), [{"key": "k", "value": "v"}])
        tx.record(EVENT)
    any_store.seal_pending()

    with any_store.read() as conn:
        envelope = conn.execute(select(AuditEventRow.envelope)).scalar_one()
        assert count(conn, AuditSeal) == 1
        assert conn.execute(select(Meta.value).where(col(Meta.key) == "k")).scalar_one() == "v"
    assert "Ada" not in envelope
    assert '"reason":"late"' in envelope


def test_an_exception_rolls_back_change_and_event(any_store: Store) -> None:
    with pytest.raises(ZeroDivisionError), any_store.write() as tx:
        tx.conn.execute(insert(Meta), [{"key": "k", "value": "v"}])
        tx.record(EVENT)
        raise ZeroDivisionError

    with any_store.read() as conn:
        assert count(conn, AuditEventRow) == 0
        assert conn.execute(select(Meta.value).where(col(Meta.key) == "k")).first() is None


def test_the_same_customer_keeps_one_subject(any_store: Store) -> None:
    for _ in range(2):
        with any_store.write() as tx:
            tx.record(EVENT)

    with any_store.read() as conn:
        refs = set(conn.execute(select(AuditEventRow.subject_ref)).scalars())
    assert len(refs) == 1


def test_a_subject_that_is_no_longer_at_hand_is_read_again(any_store: Store) -> None:
    small = Store(
        writer=any_store.writer,
        reader=any_store.reader,
        ids=any_store.ids,
        keyring=any_store.keyring,
        subjects_kept=2,
    )
    people = [CustomerId(f"c{number}") for number in range(5)]
    for _ in range(2):
        with small.write() as tx:
            for person in people:
                tx.record(replace(EVENT, customer_id=person))

    with small.read() as conn:
        refs = list(conn.execute(select(AuditEventRow.subject_ref)).scalars())
    assert len(refs) == 10
    assert len(set(refs)) == 5
