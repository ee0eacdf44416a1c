"""Each mistake gets one message with place and remedy, exit code 2, and nothing is half-written."""

import shutil
import sqlite3
import subprocess
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from agent.store.tables.base import SCHEMA_VERSION
from policies.loader import PLAYBOOK_FOLDER
from tests.commands import Said, outrider, refused, untouched

SETTINGS = "data: data\nconnectors: [shop.yaml]\n"
CONNECTOR = """\
connector: sql
name: shop
url: ${SHOP_URL}
tz: UTC
streams:
  - record: customer
    query: select id, name, email, locale, country, changed_at from customers
    key: id
    cursor: changed_at
    map:
      id: id
      name: name
      emails: {col: email, type: list}
      locale: locale
      country: country
      status: {const: active}
  - record: invoice
    query: select id, customer_id, number, state, due_at, due_on, amount, currency, changed_at from bills
    key: id
    cursor: changed_at
    map:
      id: id
      customer_id: customer_id
      number: number
      status: {col: state, enum: {offen: open, bezahlt: paid}}
      due_at: {col: due_at, type: datetime, tz: UTC}
      due_on: {col: due_on, type: date}
      amount_due: {col: amount, type: money_minor, currency: currency}
"""
TABLES = """\
create table customers (id text, name text, email text, locale text, country text, changed_at text);
create table bills (id text, customer_id text, number text, state text, due_at text, due_on text,
                    amount bigint, currency text, changed_at text);
insert into customers values ('c1', 'Ada', 'ada@example.com', 'en_US', 'DE', '2026-01-01 00:00:00');
insert into bills values ('i1', 'c1', 'R-1', 'offen', '2026-12-01 00:00:00', '2026-12-01', 100, 'EUR',
                          '2026-01-01 00:00:00');
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with settings, a connector file, and the small database that it reads."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "outrider.yaml").write_text(SETTINGS)
    (folder / "shop.yaml").write_text(CONNECTOR)
    with closing(sqlite3.connect(folder / "company.db")) as database:
        database.executescript(TABLES)
    return folder


def run(folder: Path, *arguments: str, **env: str) -> Said:
    words = arguments or ("run", "--once")
    return outrider(*words, cwd=folder, env={"SHOP_URL": f"sqlite:///{folder / 'company.db'}", **env})


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def company(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "company.db")) as database, database:
        database.execute(statement)


def test_the_shop_of_these_tests_is_sound(shop: Path) -> None:
    said = run(shop, "run", "--once", "--json")

    assert said.code == 0, said.err
    assert said.json["round"]["stored"] == 2


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("scenario:", "scenario: [", ["payment_due.yaml:3", "broken"]),
        ("purpose: service", "purpose: service\ncolour: red", ["payment_due.yaml", "colour"]),
        ("version: 1", "version: 1\nversion: 2", ["payment_due.yaml", "version", "twice"]),
        ("draft_ttl: 24h", "draft_ttl: 22:30", ["payment_due.yaml", "22:30", "quote"]),
        ("invoice.status", "invoice.sttus", ["payment_due.yaml", "sttus", "status"]),
        ("invoice.status ==", "1 + invoice.status ==", ["payment_due.yaml", "trigger.when"]),
        ("draft_ttl: 24h", "draft_ttl: 24 turns", ["payment_due.yaml", "draft_ttl", "24 turns"]),
        ("template: email", "template: fax", ["payment_due", "fax"]),
    ],
    ids=[
        "broken_yaml",
        "unknown_field",
        "duplicate_key",
        "unquoted_time",
        "unknown_variable",
        "type_error",
        "bad_duration",
        "missing_template",
    ],
)
@pytest.mark.parametrize("command", ["playbooks check", "run --once"])
def test_a_mistake_in_a_playbook(shop: Path, command: str, old: str, new: str, words: list[str]) -> None:
    shutil.copytree(PLAYBOOK_FOLDER, shop / "playbooks")
    change(shop / "playbooks" / "bank" / "payment_due.yaml", old, new)
    (shop / "outrider.yaml").write_text(SETTINGS + "playbooks: playbooks\n")

    with untouched(shop):
        refused(run(shop, *command.split()), *words)


@pytest.mark.parametrize("still_required", [True, False])
@pytest.mark.parametrize("command", ["playbooks check", "run --once"])
def test_a_template_slot_that_no_fact_fills(shop: Path, command: str, still_required: bool) -> None:
    shutil.copytree(PLAYBOOK_FOLDER, shop / "playbooks")
    playbook = shop / "playbooks" / "bank" / "payment_due.yaml"
    change(playbook, "  - invoice.number\n", "")
    if not still_required:
        change(playbook, "required_facts: [invoice.number, ", "required_facts: [")
    (shop / "outrider.yaml").write_text(SETTINGS + "playbooks: playbooks\n")

    with untouched(shop):
        refused(run(shop, *command.split()), "invoice.number", "payment_due", "remedy")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("data: data", "data: data\ncolour: red", ["outrider.yaml", "colour"]),
        ("data: data", "data: data\nevery: soon", ["outrider.yaml", "every", "soon"]),
        ("shop.yaml", "shops.yaml", ["shops.yaml"]),
        ("data: data", "data: data\nmodel: {adapter: openai, name: m}", ["model.adapter", "OPENAI_API_KEY"]),
        ("data: data", "data: data\nmodel: {adapter: oracle}", ["outrider.yaml", "model", "oracle"]),
        ("data: data", "data: data\ndatabase: nonsense", ["database"]),
    ],
    ids=["unknown_field", "bad_duration", "no_such_file", "missing_key", "unknown_adapter", "no_address"],
)
def test_a_mistake_in_the_settings(shop: Path, old: str, new: str, words: list[str]) -> None:
    change(shop / "outrider.yaml", old, new)

    with untouched(shop):
        refused(run(shop), *words)


CONNECTOR_MISTAKES = {
    "broken_yaml": ("streams:", "streams: [", ["shop.yaml:6", "broken"]),
    "unknown_field": ("tz: UTC", "tz: UTC\ncolour: red", ["shop.yaml:5", "colour"]),
    "duplicate_key": ("tz: UTC", "tz: UTC\ntz: UTC", ["shop.yaml:5", "tz", "twice"]),
    "unknown_zone": ("tz: UTC", "tz: Mars/Olympus", ["shop.yaml:4", "Mars/Olympus", "Europe/Berlin"]),
    "unset_variable": ("${SHOP_URL}", "${SHOPS_URL}", ["shop.yaml", "SHOPS_URL"]),
    "unknown_record": ("record: invoice", "record: invoce", ["shop.yaml:17", "invoce", "invoice"]),
    "no_key_column": ("key: id", "key: ident", ["shop.yaml:8", "streams[0].key", "ident"]),
    "no_currency_column": ("currency: currency}", "currency: curr}", ["shop.yaml:28", "curr", "currency"]),
    "no_currency": ("currency: currency}", "currency_value: EURO}", ["shop.yaml:28", "EURO"]),
    "word_for_nothing": ("offen: open", "offen: opne", ["shop.yaml:25", "opne", "open"]),
    "constant_for_nothing": ("const: active", "const: aktiv", ["shop.yaml:16", "aktiv", "active"]),
}


@pytest.mark.parametrize("command", ["run --once", "doctor"])
@pytest.mark.parametrize(("old", "new", "words"), CONNECTOR_MISTAKES.values(), ids=CONNECTOR_MISTAKES.keys())
def test_a_mistake_in_a_connector(shop: Path, command: str, old: str, new: str, words: list[str]) -> None:
    change(shop / "shop.yaml", old, new)

    if command == "doctor":
        said = run(shop, command)
        assert said.code == 2
        assert all(word in said.out for word in words), said.out
        return
    with untouched(shop):
        refused(run(shop, *command.split()), *words)


def test_times_without_a_zone_are_refused_unless_a_zone_is_told(shop: Path) -> None:
    (shop / "shop.yaml").write_text(CONNECTOR.replace(", type: datetime, tz: UTC}", ", type: datetime}"))
    assert run(shop).code == 0, "the zone of the whole file holds"
    shutil.rmtree(shop / "data")
    (shop / "shop.yaml").write_text(CONNECTOR.replace("tz: UTC\n", "").replace(", tz: UTC}", "}"))

    with untouched(shop):
        refused(run(shop), "shop.yaml:25:7", "streams[1].map.due_at", "zone", "tz")


@pytest.mark.parametrize(
    ("statement", "word"),
    [
        ("update bills set state = 'verschollen'", "verschollen"),
        ("update bills set currency = 'EURO'", "currency"),
        ("update bills set due_at = 'whenever'", "due_at"),
    ],
    ids=["unmapped_word", "wrong_currency", "no_time"],
)
def test_a_row_that_no_mapping_knows_is_put_aside_and_told(shop: Path, statement: str, word: str) -> None:
    company(shop, statement)

    ran = run(shop, "run", "--once", "--json")
    told = run(shop, "doctor")
    status = run(shop, "status", "--json")

    assert status.json["quarantined"] == {"shop": 1}
    assert told.code in (0, 2), "rows that do not fit are no failure of a system"
    assert ran.code == 0, ran.err
    assert (ran.json["round"]["stored"], ran.json["round"]["rejected"]) == (1, 1)
    assert word in told.out
    assert "invoice" in told.out


@pytest.mark.postgres
@pytest.mark.parametrize("may_write", [True, False])
def test_a_role_that_may_write_is_named_and_bad_input(shop: Path, postgres_url: str, may_write: bool) -> None:
    plain = postgres_url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(plain, autocommit=True) as server:
        server.execute(TABLES.encode())
        server.execute("create role reader_of_tests login")
        server.execute("grant select on all tables in schema public to reader_of_tests")
        if may_write:
            server.execute("grant update on bills to reader_of_tests")
    try:
        said = run(shop, "doctor", SHOP_URL=_as_role(postgres_url, "reader_of_tests"))
    finally:
        with psycopg.connect(plain, autocommit=True) as server:
            server.execute("drop owned by reader_of_tests")
            server.execute("drop role reader_of_tests")

    assert ("may write" in said.out or "could write" in said.out) is may_write, said.out
    assert said.code == (2 if may_write else 0), said.out


def _as_role(url: str, role: str) -> str:
    before, _, after = url.partition("://")
    return f"{before}://{role}@{after.partition('@')[2]}"


def test_a_database_of_a_newer_version(shop: Path) -> None:
    assert run(shop).code == 0
    with closing(sqlite3.connect(shop / "data" / "outrider.db")) as database, database:
        database.execute("update meta set value = ? where key = 'schema_version'", [SCHEMA_VERSION + 1])

    with untouched(shop):
        refused(run(shop), "outrider.db", "newer", "upgrade")


def test_a_file_where_the_data_folder_should_be(shop: Path) -> None:
    (shop / "data").write_text("not a folder")

    with untouched(shop):
        refused(run(shop), "data", "OUTRIDER_DATA")


def test_a_file_that_is_no_database(shop: Path) -> None:
    (shop / "data").mkdir()
    (shop / "data" / "outrider.db").write_bytes(b"letters, " * 500)

    refused(run(shop), "outrider.db", "no SQLite database")


@contextmanager
def mounted(folder: Path, options: str) -> Generator[Path]:
    """Mount a small file system in memory; skip where that is not allowed."""
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting needs root and a kernel that allows it")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with mounted(tmp_path / "disk", "size=128k") as folder:
        yield folder


def test_a_full_disk(shop: Path, small_disk: Path) -> None:
    refused(run(shop, OUTRIDER_DATA=str(small_disk)), "full")


def test_a_disk_that_fills_up_later(shop: Path, tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=2m") as disk:
        assert run(shop, OUTRIDER_DATA=str(disk)).code == 0
        with (disk / "filler").open("wb", buffering=0) as filler:
            try:
                while filler.write(b"x" * 4096):
                    pass
            except OSError:
                pass
        company(shop, "update bills set amount = 200, changed_at = '2026-02-01 00:00:00'")

        said = run(shop, OUTRIDER_DATA=str(disk))
        refused(said, "full")

        (disk / "filler").unlink()
        after = run(shop, "run", "--once", "--json", OUTRIDER_DATA=str(disk))
        assert after.code == 0, after.err
        assert after.json["round"]["stored"] == 1
        assert run(shop, "audit", "verify", OUTRIDER_DATA=str(disk)).code == 0


def test_a_read_only_disk(shop: Path, tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=2m") as disk:
        assert run(shop, OUTRIDER_DATA=str(disk)).code == 0
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True, capture_output=True)

        with untouched(disk):
            refused(run(shop, OUTRIDER_DATA=str(disk)), "read-only")
