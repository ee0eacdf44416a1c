"""Rows stamped early and committed late: the horizon keeps them all, reading without one loses some."""

import sqlite3
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import psycopg
import pytest

from tests.contract.companies import NOW, ids_of
from tools.ports import Cursor
from tools.sql.config import SqlConnectorConfig
from tools.sql.source import SqlSource

WRITERS = 8
WRITING_SECONDS = 2.0
LATE_SHARE = 0.3
"""Share of transactions that stay open for a while after their rows were stamped."""
LONGEST_OPEN_SECONDS = 0.4

Write = Callable[[int, float], None]
"""Writes rows for one writer and commits after that many seconds."""


@dataclass(slots=True)
class Poller:
    """Polls one stream as the daemon does, and remembers everything it was given."""

    source: SqlSource
    cursor: Cursor | None = None
    seen: list[str] = field(default_factory=list[str])

    def poll(self) -> None:
        batches = list(self.source.read("customer", self.cursor, now=NOW))
        self.seen += ids_of(batches)
        self.cursor = batches[-1].next_cursor or self.cursor


@contextmanager
def poller(url: str, *, lag: str) -> Generator[Poller]:
    stream = {
        "record": "customer",
        "query": "select id, changed_on from person",
        "key": "id",
        "cursor": {"col": "changed_on", "tz": "UTC"},
        "lag": lag,
        "map": {"id": "id", "name": {"const": ""}},
    }
    config = SqlConnectorConfig.model_validate(
        {"connector": "sql", "name": "shop", "url": url, "streams": (stream,)}
    )
    source = SqlSource(config, url=url)
    yield Poller(source)
    source.close()


def write_for_a_while(write: Write) -> threading.Event:
    """Start the writers; the event is set when all of them have committed."""
    done, stop = threading.Event(), threading.Event()

    def run(number: int) -> None:
        random = Random(number)
        while not stop.is_set():
            late = random.random() < LATE_SHARE
            write(number, random.uniform(0, LONGEST_OPEN_SECONDS) if late else 0.0)
            stop.wait(0.002)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(WRITERS)]

    def supervise() -> None:
        stop.wait(WRITING_SECONDS)
        stop.set()
        for thread in threads:
            thread.join()
        done.set()

    for thread in threads:
        thread.start()
    threading.Thread(target=supervise).start()
    return done


def poll_until_all_is_old(
    done: threading.Event, careful: Poller, careless: Poller, *, lag_seconds: float
) -> None:
    pause = threading.Event()
    while not done.is_set():
        careful.poll()
        careless.poll()
        pause.wait(0.02)
    pause.wait(lag_seconds + 0.1)
    careful.poll()
    careless.poll()


def check(careful: Poller, careless: Poller, committed: set[str]) -> None:
    assert len(committed) > 500
    assert set(careful.seen) == committed
    assert len(careful.seen) == len(committed)
    lost = committed - set(careless.seen)
    assert lost, "without a horizon rows must get lost here, or this test shows nothing"


@pytest.mark.postgres
def test_no_row_of_a_slow_transaction_is_lost_or_read_twice(postgres_url: str) -> None:
    plain = postgres_url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(plain, autocommit=True) as admin:
        admin.execute("create table person (id bigserial primary key, changed_on timestamptz default now())")
        admin.execute("create index on person (changed_on, id)")
    connections = [psycopg.connect(plain) for _ in range(WRITERS)]
    hold = threading.Event()

    def write(number: int, seconds: float) -> None:
        connection = connections[number]
        connection.execute(
            "insert into person (id) select nextval('person_id_seq') from generate_series(1, 5)"
        )
        hold.wait(seconds)
        connection.commit()

    with poller(postgres_url, lag="2s") as careful, poller(postgres_url, lag="0s") as careless:
        done = write_for_a_while(write)
        poll_until_all_is_old(done, careful, careless, lag_seconds=2)

    for connection in connections:
        connection.close()
    with psycopg.connect(plain) as admin:
        committed = {str(row[0]) for row in admin.execute("select id from person")}
    check(careful, careless, committed)


def test_no_row_that_waited_for_the_lock_is_lost_or_read_twice(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as admin:
        admin.execute("pragma journal_mode = wal")
        admin.execute("create table person (id integer primary key, changed_on text)")
        admin.execute("create index ix_person on person (changed_on, id)")
    admin.close()
    connections = [
        sqlite3.connect(path, isolation_level=None, timeout=30, check_same_thread=False)
        for _ in range(WRITERS)
    ]
    hold = threading.Event()

    def write(number: int, seconds: float) -> None:
        connection = connections[number]
        connection.execute("pragma synchronous = off")
        stamp = connection.execute("select strftime('%Y-%m-%d %H:%M:%f', 'now')").fetchone()[0]
        hold.wait(seconds)  # a program stamps its rows, does something else, and then gets the lock
        connection.execute("begin immediate")
        connection.executemany("insert into person (changed_on) values (?)", [(stamp,)] * 5)
        connection.execute("commit")

    url = f"sqlite:///{path}"
    with poller(url, lag="2s") as careful, poller(url, lag="0s") as careless:
        done = write_for_a_while(write)
        poll_until_all_is_old(done, careful, careless, lag_seconds=2)

    committed = {str(row[0]) for row in connections[0].execute("select id from person")}
    for connection in connections:
        connection.close()
    check(careful, careless, committed)
