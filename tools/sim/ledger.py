"""The two files of a company: the live tables that a connector reads, and the simulator's private plan."""

import sqlite3
from collections.abc import Generator, Iterable
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, Literal

from tools.errors import InputError
from tools.sim.contacts import FIRST_INDUCED, FIRST_PLANNED
from tools.sim.journal import Planned
from tools.sim.rows import TABLES, InboundContact, Row, columns_of
from tools.sim.truth import Truth

_SCHEMA: Final = Path(__file__).with_name("company.sql")
_BUSY_SECONDS: Final = 30

_PRIVATE: Final = """
CREATE TABLE clock (
  one INTEGER PRIMARY KEY CHECK (one = 1), seed INTEGER NOT NULL, since INTEGER NOT NULL,
  until INTEGER NOT NULL, applied_to INTEGER
);
CREATE TABLE truth (
  truth_no INTEGER PRIMARY KEY, person_no INTEGER NOT NULL, about_kind TEXT, about_key TEXT,
  cause TEXT NOT NULL, grund TEXT NOT NULL, trouble_at INTEGER NOT NULL, would_contact_at INTEGER,
  prevent_ppm INTEGER NOT NULL, induced_ppm INTEGER NOT NULL, draw_ppm INTEGER NOT NULL,
  outcome TEXT CHECK (outcome IN ('happened', 'prevented'))
);
CREATE INDEX truth_time ON truth (would_contact_at);
CREATE INDEX truth_about ON truth (person_no, about_key);
CREATE TABLE seen (
  seen_no INTEGER PRIMARY KEY, person_no INTEGER NOT NULL, about_key TEXT NOT NULL, at INTEGER NOT NULL,
  UNIQUE (person_no, about_key, at)
);
"""

# A message prevents a contact only when it came first and the person's draw lies below the chance.
_DECIDE: Final = """
UPDATE plan.truth AS t SET outcome = CASE
  WHEN t.draw_ppm < t.prevent_ppm AND EXISTS (
    SELECT 1 FROM plan.seen s
    WHERE s.person_no = t.person_no AND s.about_key = t.about_key AND s.at <= t.would_contact_at)
  THEN 'prevented' ELSE 'happened' END
WHERE t.outcome IS NULL AND t.would_contact_at <= :to
"""
_HAPPENED: Final = (
    f"AND (contact_no >= {FIRST_INDUCED} OR EXISTS (SELECT 1 FROM plan.truth t "  # noqa: S608  # two constants
    f"WHERE t.truth_no = contact_no - {FIRST_PLANNED} AND t.outcome = 'happened')) "
)


def plan_path(path: Path) -> Path:
    """Return where the private file of a company lies: `company.plan.db` beside `company.db`."""
    return path.with_name(f"{path.stem}.plan{path.suffix}")


def refuse_existing(path: Path) -> None:
    """Make sure that building a company overwrites nothing.

    Raises:
        InputError: One of its two files is there.
    """
    for file in (path, plan_path(path)):
        if file.exists():
            raise InputError(
                "there is a file already and a company never overwrites one",
                remedy="choose another path, or delete the file",
                path=file,
            )


def create_live(path: Path) -> None:
    """Create the company's empty tables."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(_SCHEMA.read_text(encoding="utf-8"))


def create_plan(path: Path) -> sqlite3.Connection:
    """Create the private file and return a connection for filling it; the caller commits and closes."""
    connection = sqlite3.connect(path)
    # a build that fails leaves nothing worth keeping, so it needs no journal
    connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + _PRIVATE)
    for row_type, table in TABLES.items():
        columns = ", ".join(("due INTEGER", "seq INTEGER", *columns_of(row_type), "PRIMARY KEY (due, seq)"))
        connection.execute(f"CREATE TABLE {table} ({columns}) WITHOUT ROWID")
    return connection


def plan_rows(
    connection: sqlite3.Connection,
    row_type: type[Row],
    planned: Iterable[Planned],
    *,
    into: Literal["main", "plan"],
) -> None:
    """Store planned rows of one table in the private file, which the connection knows as `into`."""
    marks = ", ".join("?" * (len(columns_of(row_type)) + 2))
    table = f"{into}.{TABLES[row_type]}"
    connection.executemany(f"INSERT INTO {table} VALUES ({marks})", planned)  # noqa: S608  # own names


def store_truths(connection: sqlite3.Connection, truths: Iterable[Truth]) -> None:
    """Store the hidden truths, undecided."""
    marks = ", ".join("?" * len(Truth._fields))
    connection.executemany(f"INSERT INTO truth VALUES ({marks}, NULL)", truths)  # noqa: S608  # question marks


@contextmanager
def both_files(path: Path) -> Generator[sqlite3.Connection]:
    """Open the live tables as `main` and the private file as `plan`, in one transaction.

    Commits when the block ends, rolls back when it raises.

    Raises:
        InputError: One of the two files is missing.
    """
    for needed in (path, plan_path(path)):
        if not needed.is_file():
            raise InputError(
                "this file of the simulated company is missing", remedy="build it anew", path=needed
            )
    with closing(sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)) as connection:
        connection.execute("ATTACH ? AS plan", (str(plan_path(path)),))
        # invented data needs no power-fail safety, and a demo takes hundreds of steps
        connection.executescript("PRAGMA main.synchronous = OFF; PRAGMA plan.synchronous = OFF;")
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


def decide_contacts(connection: sqlite3.Connection, *, to: int) -> None:
    """Decide for every contact due by `to`, inclusive, whether it happens."""
    connection.execute(_DECIDE, {"to": to})


def apply_planned(connection: sqlite3.Connection, *, after: int, to: int) -> int:
    """Write what becomes visible after `after` and by `to`, inclusive, to the live tables; count the rows."""
    written = 0
    for row_type, table in TABLES.items():
        only = _HAPPENED if row_type is InboundContact else ""
        cursor = connection.execute(_upsert(row_type, table, only), {"after": after, "to": to})
        written += cursor.rowcount
    return written


def _upsert(row_type: type[Row], table: str, only: str) -> str:
    """Insert new rows and update known ones, in the order they became visible."""
    columns = columns_of(row_type)
    listed = ", ".join(columns)
    updates = ", ".join(f"{column} = excluded.{column}" for column in columns[1:-1])
    return (
        f"INSERT INTO main.{table} ({listed}) SELECT {listed} FROM plan.{table} "  # noqa: S608  # own names
        f"WHERE due > :after AND due <= :to {only}ORDER BY due, seq "
        # a trigger may have touched the row in between; its time of change never goes back
        f"ON CONFLICT ({columns[0]}) DO UPDATE SET {updates}, "
        "changed_on = max(changed_on, excluded.changed_on)"
    )
