"""The cost of a sweep and a screen grows with what happened: every statement finds its rows by index."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event

from agent.store.transaction import Store
from tests.builders import NOW, customer, envelope_of, order, playbook, preference, shipment, ticket
from tests.watching import Watching, watching
from tools.records.base import CustomerId, Record

MANY = 300
"""More values in one IN list than SQLite expects rows behind a single `column = ?`."""
READ_WHOLE = {"kill_switch", "stream_cursor"}
"""Small tables: a few switches, a row per stream."""
BY_KEY = ("id=?", "value=?", "next_at<?", "object_ref=?", "customer_ref=?")
"""What an index must be searched by for the number of rows to depend on what was asked."""

Statements = list[tuple[str, Any]]


@contextmanager
def _recorded(engine: Engine) -> Generator[Statements]:
    statements: Statements = []

    def note(_conn: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE")):
            statements.append((statement, parameters[0] if many else parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


def _busy_store(store: Store) -> Watching:
    watch = watching(store, playbook("shipping_delay", holdout=None))
    records: list[Record] = []
    for at in range(MANY):
        owner = CustomerId(f"c{at}")
        records += [
            customer(id=owner, emails=(f"{owner}@example.com",), phones=(f"+1212555{at:04}",)),
            order(id=f"o{at}", customer_id=owner),
            shipment(id=f"s{at}", order_id=f"o{at}", customer_id=owner),
            preference(id=f"p{at}", customer_id=owner),
            ticket(id=f"t{at}", customer_id=owner, about=f"order:o{at}"),
        ]
    watch.feed(*records)
    return watch


@pytest.mark.parametrize("part", ["sweep", "closing", "screen"])
def test_every_statement_searches_an_index_by_its_key(store: Store, part: str) -> None:
    watch = _busy_store(store)
    if part != "sweep":
        watch.sweep()
    if part == "closing":
        watch.feed(*(envelope_of(order(id=f"o{at}"), deleted=True) for at in range(MANY)))

    with _recorded(store.writer) as statements:
        if part == "screen":
            watch.screen()
        else:
            watch.sweep()

    plans = {sql: _plan(store, sql, values) for sql, values in statements}
    bad = {(step, sql) for sql, steps in plans.items() for step in steps if not _by_index(sql, steps, step)}
    assert len(plans) > 8
    assert bad == set()


def test_a_sweep_reads_as_many_rows_in_a_large_mirror_as_in_a_small_one(store: Store) -> None:
    watch = _busy_store(store)
    watch.sweep()
    small = _work_of(watch)
    for start in range(10):
        watch.feed(*(order(id=f"x{start}-{at}", customer_id=CustomerId(f"y{at}")) for at in range(MANY)))
    watch.sweep()

    assert _work_of(watch) <= small * 1.2


def _work_of(watch: Watching) -> int:
    """Return the steps of SQLite's machine that a sweep over 100 changes takes."""
    watch.feed(*(order(id=f"o{at}", ship_postcode=str(watch.fed)) for at in range(100)))
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    with watch.store.writer.connect() as connection:
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        raw.set_progress_handler(count, 100)
    watch.sweep(NOW)
    with watch.store.writer.connect() as connection:
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        raw.set_progress_handler(None, 0)
    assert steps > 0
    return steps


def _plan(store: Store, sql: str, values: Any) -> list[str]:
    with store.reader.connect() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all()
    return [str(row[3]) for row in rows]


def _by_index(sql: str, steps: list[str], step: str) -> bool:
    if "LIMIT" in sql and not any("TEMP B-TREE" in other for other in steps):
        return True  # read in the order of an index, and only as many as are wanted
    verb, _, rest = step.partition(" ")
    if verb == "SCAN" and "VIRTUAL TABLE" in rest:
        return "json_each" in sql  # the values that were asked for
    if verb == "SCAN":
        return rest.split(maxsplit=1)[0] in READ_WHOLE
    return verb != "SEARCH" or any(key in step for key in BY_KEY)
