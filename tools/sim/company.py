"""A built company: lets time pass, hears which messages its people got, and knows the hidden truth."""

import hashlib
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from tools.sim.chance import chance_of, happens
from tools.sim.contacts import FIRST_INDUCED, life_of_contact, new_contact, wait_for_reply
from tools.sim.journal import Journal, Planned
from tools.sim.ledger import apply_planned, both_files, decide_contacts, plan_path, plan_rows
from tools.sim.moments import MINUTE, Second, instant_of, second_of, stamp
from tools.sim.rows import TABLES, Consent, InboundContact

CONNECTOR_FILE: Final = Path(__file__).with_name("company.yaml")
"""The connector file to read a company by; `COMPANY_URL` in the environment names its database."""

_INDUCED_BY_SURPRISE: Final = 40_000
"""In ppm, for messages about something that was no trouble at all."""
_OPTS_OUT: Final = 4_000
_ROWS_PER_MESSAGE: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A message that reached a person."""

    customer_key: str
    """The person's number, as a record's `customer_id` has it."""
    about_key: str
    """What it was about, `type:id` or the bare id, for example `order:WO-0000012`."""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenTruth:
    """One trouble of one person, what they would do, and what came of it."""

    customer_key: str
    about_key: str | None
    """The bare id of the object; None for a contact about nothing in particular."""
    cause: str
    trouble_at: datetime
    would_contact_at: datetime | None
    prevent_ppm: int
    induced_ppm: int
    outcome: Literal["happened", "prevented"] | None
    """None while the time has not come, and for people who would not contact anyway."""


class Company:
    """A company built by `build_company`.

    Feed `observe` before `advance`: a message counts for the contacts that were not decided yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def now(self) -> datetime:
        """Up to when time has passed.

        Raises:
            InputError: A file of the company is missing.
        """
        with both_files(self.path) as connection:
            return instant_of(_clock(connection).applied_to)

    def advance(self, to: datetime) -> int:
        """Let time pass up to `to`, inclusive, and return how many rows were written.

        Going in many steps or in one comes to the same. Going back does nothing.

        Raises:
            InputError: A file of the company is missing.
            ValueError: `to` is naive.
        """
        until = second_of(to)
        with both_files(self.path) as connection:
            clock = _clock(connection)
            if until <= clock.applied_to:
                return 0
            decide_contacts(connection, to=until)
            written = apply_planned(connection, after=clock.applied_to, to=until)
            connection.execute("UPDATE plan.clock SET applied_to = ?", (until,))
            return written

    def observe(self, outbox: Iterable[Seen]) -> int:
        """Take note of messages that people got; return how many were new.

        A message may prevent a contact, cause one, or make the person opt out. The same message twice
        counts once, so the whole outbox can be given each time.

        Raises:
            InputError: A file of the company is missing.
            ValueError: A customer key is no number, or a time is naive.
        """
        new = 0
        with both_files(self.path) as connection:
            clock = _clock(connection)
            for seen in outbox:
                new += _note(connection, clock, seen)
        return new

    def truths(self) -> list[HiddenTruth]:
        """Return the hidden truth, for evaluations only; no connector can read it."""
        with both_files(self.path) as connection:
            rows = connection.execute(f"SELECT {_TRUTH} FROM plan.truth ORDER BY truth_no").fetchall()  # noqa: S608  # a constant
        return [_truth(*row) for row in rows]


def fingerprint(path: Path) -> str:
    """Return SHA-256 over every live and every planned row and truth, hex."""
    digest = hashlib.sha256()
    for file, tables in ((path, TABLES.values()), (plan_path(path), [*TABLES.values(), "truth", "seen"])):
        with closing(sqlite3.connect(file)) as connection:
            for table in tables:
                digest.update(table.encode())
                for row in connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2"):  # noqa: S608  # own names
                    digest.update(repr(row).encode())
    return digest.hexdigest()


_TRUTH: Final = "person_no, about_key, cause, trouble_at, would_contact_at, prevent_ppm, induced_ppm, outcome"


def _truth(
    person_no: int,
    about_key: str | None,
    cause: str,
    trouble_at: Second,
    would_contact_at: Second | None,
    prevent_ppm: int,
    induced_ppm: int,
    outcome: Literal["happened", "prevented"] | None,
) -> HiddenTruth:
    return HiddenTruth(
        customer_key=str(person_no),
        about_key=about_key,
        cause=cause,
        trouble_at=instant_of(trouble_at),
        would_contact_at=None if would_contact_at is None else instant_of(would_contact_at),
        prevent_ppm=prevent_ppm,
        induced_ppm=induced_ppm,
        outcome=outcome,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clock:
    seed: int
    since: Second
    applied_to: Second


def _clock(connection: sqlite3.Connection) -> _Clock:
    seed, since, applied_to = connection.execute("SELECT seed, since, applied_to FROM plan.clock").fetchone()
    # before the first step everything up to the start is still to come
    return _Clock(seed=seed, since=since, applied_to=since - 1 if applied_to is None else applied_to)


def _note(connection: sqlite3.Connection, clock: _Clock, seen: Seen) -> bool:
    person_no, key, at = int(seen.customer_key), seen.about_key.rpartition(":")[2], second_of(seen.at)
    added = connection.execute(
        "INSERT OR IGNORE INTO plan.seen (person_no, about_key, at) VALUES (?, ?, ?)", (person_no, key, at)
    )
    number = added.lastrowid
    if added.rowcount == 0 or number is None:
        return False
    chance = chance_of(clock.seed, f"seen/{person_no}/{key}/{at}")
    induced_ppm, kind = connection.execute(
        "SELECT max(induced_ppm), max(about_kind) FROM plan.truth WHERE person_no = ? AND about_key = ?",
        (person_no, key),
    ).fetchone()
    journal = Journal(chance, since=clock.applied_to + 1)
    read = max(at, clock.applied_to)
    if happens(chance, _INDUCED_BY_SURPRISE if induced_ppm is None else induced_ppm):
        came = read + wait_for_reply(chance)
        about = (kind, key) if kind else (None, None)
        first = new_contact(
            chance, FIRST_INDUCED + number, person_no, came, grund="rueckfrage_nachricht", about=about
        )
        for row, since in life_of_contact(chance, first, came):
            journal.write(row, since)
    if happens(chance, _OPTS_OUT):
        journal.write(_no_more(person_no, read + 20 * MINUTE, number), read + 20 * MINUTE)
    for row_type in (InboundContact, Consent):
        plan_rows(connection, row_type, _numbered(journal.planned(row_type), number), into="plan")
    return True


def _no_more(person_no: int, at: Second, number: int) -> Consent:
    return Consent(
        entry_no=FIRST_INDUCED + number,
        person_no=person_no,
        weg="mail",
        zweck="service",
        antwort="nein",
        quelle="antwort_stop",
        said_on=stamp(at),
        beleg=None,
    )


def _numbered(planned: list[Planned], number: int) -> list[Planned]:
    """Number the rows that one message caused apart from those of the plan and of other messages."""
    return [(row[0], (FIRST_INDUCED + number) * _ROWS_PER_MESSAGE + row[1], *row[2:]) for row in planned]
