"""Exports can be verified by strangers, hide what must stay hidden, and are safe to open."""

import csv
import json
import re
import subprocess
import sys
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from sqlalchemy import text

from agent.audit.export import ERASED, export, export_csv, export_customer, safe_cell
from agent.clock import SimulatedClock
from agent.domain.audit import AuditEvent
from agent.errors import NotFoundError, TamperedError
from agent.store.transaction import Store
from tests.conftest import START
from tests.sending_bench import ADDRESS, CUSTOMER, SYSTEM, Bench
from tools.records.base import CustomerId

PAGE = Path(__file__).parent.parent.parent / "docs" / "audit-format.md"


@pytest.fixture
def log(store: Store, clock: SimulatedClock) -> Store:
    bench = Bench(store=store, clock=clock)
    bench.approved("e1")
    clock.advance(timedelta(hours=1))
    bench.approved("e2")
    return store


def exported(store: Store, **options: object) -> str:
    out = StringIO()
    with store.read() as conn:
        export(conn, out, **options)  # type: ignore[arg-type]  # passed through
    return out.getvalue()


def strangers_verdict(log: str) -> subprocess.CompletedProcess[bytes]:
    """Run the script of the documentation without anything but the standard library."""
    script = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert script is not None
    assert len(script[1].strip().splitlines()) <= 16
    command = [sys.executable, "-I", "-S", "-c", script[1]]
    return subprocess.run(command, input=log.encode(), capture_output=True, check=False)


def test_a_stranger_verifies_an_export_with_the_documentation_alone(log: Store) -> None:
    with log.write() as tx:
        private = {"name": "Zoë 🙂", "odd": '"\\\u2028\n'}
        event = AuditEvent(type="case.opened", at=START, actor=SYSTEM, customer_id=CUSTOMER, body=private)
        tx.record(event)

    verdict = strangers_verdict(exported(log))

    assert (verdict.returncode, verdict.stderr) == (0, b"")


def test_a_part_of_the_log_verifies_from_where_it_starts(log: Store) -> None:
    part = exported(log, since=START + timedelta(minutes=30))

    assert not part.splitlines()[0].startswith('{"format":"outrider-audit-1","from":"0:')
    assert 2 < len(part.splitlines()) < len(exported(log).splitlines())
    assert strangers_verdict(part).returncode == 0


@pytest.mark.parametrize("bit", range(0, 4000, 173))
def test_a_stranger_notices_a_changed_export(log: Store, bit: int) -> None:
    lines = exported(log).splitlines()
    middle = bytearray(lines[4].encode())
    middle[bit % len(middle)] ^= 1
    lines[4] = middle.decode(errors="replace")

    assert strangers_verdict("\n".join(lines)).returncode != 0


def test_personal_data_is_in_clear_only_when_asked_for(log: Store) -> None:
    with log.read() as conn:
        clear = StringIO()
        export(conn, clear, keyring=log.keyring)

    assert ADDRESS not in exported(log)
    assert ADDRESS in clear.getvalue()
    assert strangers_verdict(clear.getvalue()).returncode == 0


def test_fields_whose_key_was_destroyed_are_marked(log: Store) -> None:
    with log.write() as tx:
        tx.conn.execute(text("DELETE FROM subject_key"))

    clear = exported(log, keyring=log.keyring)

    assert ADDRESS not in clear
    assert f'"private":"{ERASED}"' in clear
    assert strangers_verdict(clear).returncode == 0


def test_an_event_that_was_changed_is_not_exported(log: Store) -> None:
    with log.write() as tx:
        tx.conn.execute(text("UPDATE audit_event SET envelope = replace(envelope, 'sms', 'SMS') || ' '"))

    with pytest.raises(TamperedError, match="event 1 evt_"):
        exported(log)


def test_a_customer_gets_everything_about_them_and_nothing_else(log: Store) -> None:
    with log.write() as tx:
        tx.record(
            AuditEvent(
                type="case.opened",
                at=START,
                actor=SYSTEM,
                customer_id=CustomerId("c2"),
                private={"name": "Bob"},
            )
        )
    out = StringIO()

    with log.read() as conn:
        number = export_customer(conn, out, customer_id=CUSTOMER, keyring=log.keyring)

    head, *events = [json.loads(line) for line in out.getvalue().splitlines()]
    assert head["customer"] == CUSTOMER
    assert len(events) == number > 5
    assert [event["seq"] for event in events] == sorted(event["seq"] for event in events)
    assert ADDRESS in out.getvalue()
    assert "Bob" not in out.getvalue()


def test_an_unknown_customer_is_said_to_be_unknown(log: Store) -> None:
    with log.read() as conn, pytest.raises(NotFoundError, match="nobody"):
        export_customer(conn, StringIO(), customer_id="nobody", keyring=log.keyring)


def test_a_spreadsheet_takes_no_cell_for_a_formula(log: Store) -> None:
    with log.write() as tx:
        tx.record(AuditEvent(type="=cmd|'/c calc'!A1", at=START, actor=SYSTEM, customer_id=None))
    out = StringIO(newline="")

    with log.read() as conn:
        done = export_csv(conn, out)

    rows = list(csv.DictReader(StringIO(out.getvalue(), newline="")))
    assert len(rows) == done.events == done.head.size
    assert rows[-1]["type"] == "'=cmd|'/c calc'!A1"
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_formulas_are_defused(cell: str) -> None:
    assert safe_cell(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "1", "a=1", "{}"])
def test_other_cells_stay(cell: str) -> None:
    assert safe_cell(cell) == cell


def test_an_export_is_the_same_on_both_databases(any_store: Store, clock: SimulatedClock) -> None:
    Bench(store=any_store, clock=clock).approved()
    while any_store.seal_pending():
        pass

    assert strangers_verdict(exported(any_store)).returncode == 0
