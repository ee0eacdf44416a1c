"""Rows written many at once are those that SQLAlchemy writes, on both databases."""

from datetime import datetime, timedelta, timezone

import pytest
import sqlalchemy
from sqlalchemy import insert, type_coerce
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel, col

from agent.store.bulk import ReadInstant, insert_many
from agent.store.tables.cases import CaseFile
from agent.store.transaction import Store
from tests.conftest import START

AHEAD = datetime(2026, 11, 2, 14, 30, 15, 250_000, tzinfo=timezone(timedelta(hours=5, minutes=30)))
ROWS: list[dict[str, object]] = [
    {
        "id": f"cas_{number}",
        "signal_key": f"key {number}",
        "scenario": "s",
        "playbook": "s@1",
        "customer_id": "c",
        "object_ref": "order:ö%?",
        "episode": "",
        "state": "new",
        "opened_at": opened_at,
        "updated_at": START,
        "deadline": deadline,
        "next_at": None,
        "situation_id": None,
        "turn": number,
        "shadow": number == 1,
    }
    for number, (opened_at, deadline) in enumerate([(AHEAD, None), (START, AHEAD), (START, START)])
]
COLUMNS = tuple(ROWS[0])
VALUES = [tuple(row.values()) for row in ROWS]
CASES = SQLModel.metadata.tables["case_file"]


def test_rows_are_stored_as_sqlalchemy_stores_them(any_store: Store) -> None:
    raw = sqlalchemy.select(*(sqlalchemy.cast(column, sqlalchemy.Text) for column in CASES.c)).order_by(
        CASES.c.id
    )
    stored: list[list[tuple[object, ...]]] = []
    for many in (True, False):
        with any_store.write() as tx:
            tx.conn.execute(sqlalchemy.delete(CaseFile))
            if many:
                insert_many(tx.conn, CaseFile, COLUMNS, VALUES)
            else:
                tx.conn.execute(insert(CaseFile), ROWS)
            stored.append([tuple(row) for row in tx.conn.execute(raw)])

    assert stored[0] == stored[1]


def test_instants_come_back_in_utc(any_store: Store) -> None:
    with any_store.write() as tx:
        insert_many(tx.conn, CaseFile, COLUMNS, VALUES)
    columns = (col(CaseFile.opened_at), col(CaseFile.deadline))

    with any_store.read() as conn:
        usual = conn.execute(sqlalchemy.select(*columns).order_by(col(CaseFile.id))).all()
        quick = conn.execute(
            sqlalchemy.select(*(type_coerce(column, ReadInstant()) for column in columns)).order_by(
                col(CaseFile.id)
            )
        ).all()

    assert [*quick] == [*usual] == [(row["opened_at"], row["deadline"]) for row in ROWS]
    assert {at.utcoffset() for row in quick for at in row if at} == {timedelta()}


def test_no_rows_are_fine(any_store: Store) -> None:
    with any_store.write() as tx:
        insert_many(tx.conn, CaseFile, COLUMNS, [])


def test_a_broken_constraint_is_told(any_store: Store) -> None:
    with pytest.raises(IntegrityError), any_store.write() as tx:
        insert_many(tx.conn, CaseFile, COLUMNS, [VALUES[0], VALUES[0]])


def test_an_instant_without_zone_is_refused(any_store: Store) -> None:
    naive = ROWS[0] | {"opened_at": START.replace(tzinfo=None)}
    with pytest.raises(Exception, match="timezone"), any_store.write() as tx:
        insert_many(tx.conn, CaseFile, COLUMNS, [tuple(naive.values())])
