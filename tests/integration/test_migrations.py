"""An older database is brought up to date by whoever opens it, whole or not at all."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import Connection, create_engine, inspect

from agent.clock import SimulatedClock
from agent.domain.cases import CaseId, CaseState
from agent.domain.queue import QueueFilter
from agent.ids import Ids
from agent.store import migrations
from agent.store.database import open_database
from agent.store.migrations import MIGRATIONS
from agent.store.mirror import apply_envelopes
from agent.store.reviews import reviews_of_case
from agent.store.tables.base import SCHEMA_VERSION
from tests.builders import customer, envelope_of
from tests.conftest import make_store
from tests.sending_bench import Bench

SCHEMAS = Path(__file__).parent.parent / "schemas"
KEPT = ("meta", "case_file", "decision", "draft", "mirror_record")


@contextmanager
def connected(url: str) -> Generator[Connection]:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def make_version_1(url: str) -> None:
    """Make a database as version 1 made it, empty."""
    with connected(url) as connection:
        schema = (SCHEMAS / f"v1.{connection.dialect.name}.sql").read_text(encoding="utf-8")
        for statement in schema.split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement)
        connection.exec_driver_sql("INSERT INTO meta (key, value) VALUES ('schema_version', '1')")


def copy_as_version_1(new: str, old: str) -> None:
    """Copy rows of today's database into one of version 1, without the columns that came later."""
    make_version_1(old)
    with connected(new) as source, connected(old) as target:
        for table in KEPT[1:]:
            names = [column["name"] for column in inspect(target).get_columns(table)]
            listed = ", ".join(names)
            rows = source.execute(sqlalchemy.text(f"SELECT {listed} FROM {table}")).mappings().all()
            values = ", ".join(f":{name}" for name in names)
            if rows:
                insert = sqlalchemy.text(f"INSERT INTO {table} ({listed}) VALUES ({values})")
                target.execute(insert, [dict(row) for row in rows])


@pytest.fixture
def old_url(database_url: str, tmp_path: Path) -> str:
    """URL of a second, empty database of the same engine."""
    if database_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path / 'old.db'}"
    with connected(database_url) as connection:
        name = f"{connection.engine.url.database}_old"
    engine = create_engine(database_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return str(engine.url.set(database=name).render_as_string(hide_password=False))


def shape(url: str) -> dict[str, Any]:
    """Return the columns and indices of every table; SQLite has one length of integer under several names."""
    with connected(url) as connection:
        seen = inspect(connection)
        alike = "BIGINT" if connection.dialect.name == "sqlite" else "-"
        return {
            table: (
                sorted(
                    (one["name"], str(one["type"]).replace(alike, "INTEGER"), one["nullable"])
                    for one in seen.get_columns(table)
                ),
                sorted((one["name"], one["column_names"], one["unique"]) for one in seen.get_indexes(table)),
            )
            for table in seen.get_table_names()
        }


def test_an_upgraded_database_has_the_shape_of_a_new_one(database_url: str, old_url: str) -> None:
    for engine in open_database(database_url):
        engine.dispose()
    make_version_1(old_url)

    for engine in open_database(old_url, create=False):
        engine.dispose()

    assert shape(old_url) == shape(database_url)


def test_waiting_drafts_stay_in_review_and_can_be_searched(
    database_url: str, old_url: str, clock: SimulatedClock, ids: Ids
) -> None:
    new = make_store(database_url, ids)
    bench = Bench(store=new, clock=clock)
    with new.write() as tx:
        apply_envelopes(tx.conn, [envelope_of(customer())])
    draft = bench.in_review()
    copy_as_version_1(database_url, old_url)

    old = make_store(old_url, ids)
    upgraded = Bench(store=old, clock=clock)

    (item,) = upgraded.desk.list_drafts(QueueFilter(search="LOVELACE"))
    assert (item.draft_id, item.object_ref, item.customer_name) == (draft.id, "order:1001", "Ada Lovelace")
    assert item.review_by == draft.expires_at  # its deadline is later
    assert upgraded.desk.list_drafts(QueueFilter(search="nobody")) == []
    answer = upgraded.desk.approve(draft.id, reviewer="ada", shown=draft.message.content_hash)
    assert answer.outcome == "approved"
    assert upgraded.case(draft.case_id).state is CaseState.APPROVED
    for store in (new, old):
        store.writer.dispose()
        store.reader.dispose()


def test_older_undos_learn_which_verdict_they_took_back(old_url: str, ids: Ids) -> None:
    make_version_1(old_url)
    said = ["d1 reject", "d2 undo", "d1 undo", "d1 snooze", "d1 approve", "d1 undo", "d1 undo", "d1 undo"]
    row = "INSERT INTO review VALUES (:id, :draft, 'c', :verdict, 'ann', '', '', :at, NULL)"
    with connected(old_url) as connection:
        for at, words in enumerate(said):
            draft, verdict = words.split()
            values = {
                "id": f"r{at}",
                "draft": draft,
                "verdict": verdict,
                "at": f"2026-11-02 10:0{at}:00.000000",
            }
            connection.execute(sqlalchemy.text(row), values)

    store = make_store(old_url, ids)

    with store.read() as conn:
        undone = {one.id: one.undoes for one in reviews_of_case(conn, CaseId("c")) if one.undoes}
    assert undone == {"r2": "r0", "r5": "r4", "r6": "r3"}
    for engine in (store.writer, store.reader):
        engine.dispose()


def test_a_step_that_fails_leaves_the_old_version(database_url: str) -> None:
    make_version_1(database_url)

    def fail(connection: Connection) -> None:
        MIGRATIONS[0].apply(connection)
        raise RuntimeError("the power went off")

    before = shape(database_url)
    broken = (migrations.Migration(2, fail),)
    with pytest.raises(RuntimeError), connected(database_url) as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # as the writer of the store does
        migrations.migrate(connection, found=1, steps=broken)

    assert shape(database_url) == before


def test_there_is_one_step_to_each_version() -> None:
    assert [step.version for step in MIGRATIONS] == list(range(2, SCHEMA_VERSION + 1))
