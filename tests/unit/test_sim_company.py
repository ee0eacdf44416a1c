import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.errors import InputError
from tools.sim.build import build_company
from tools.sim.company import Company, HiddenTruth, Seen, fingerprint
from tools.sim.ledger import plan_path
from tools.sim.moments import stamp
from tools.sim.rows import TABLES, columns_of

START = datetime(2026, 10, 1, tzinfo=UTC)
DAYS = 12
END = START + timedelta(days=DAYS)
# columns that speak of the past; all others may name a day to come
PAST = {
    "consent_log": ("said_on",),
    "web_order": ("placed_on", "handed_over_on", "done_on"),
    "parcel_scan": ("scanned_on",),
    "outage": ("began_on", "solved_on"),
    "usage_meter": ("read_on",),
    "inbound_contact": ("came_on",),
    "remark": ("written_on",),
}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "company.db"
    build_company(path, seed=7, customers=150, start=START, days=DAYS)
    return path


@pytest.fixture
def company(template: Path, tmp_path: Path) -> Company:
    return copy_of(template, tmp_path / "company.db")


def copy_of(template: Path, path: Path) -> Company:
    shutil.copy(template, path)
    shutil.copy(plan_path(template), plan_path(path))
    return Company(path)


def rows_of(company: Company, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(company.path)) as connection:
        return connection.execute(query).fetchall()


def troubles(company: Company, cause: str | None = None) -> list[HiddenTruth]:
    return [truth for truth in company.truths() if cause in {None, truth.cause}]


def messages_about(truths: list[HiddenTruth]) -> list[Seen]:
    return [
        Seen(customer_key=truth.customer_key, about_key=truth.about_key, at=truth.trouble_at)
        for truth in truths
        if truth.about_key is not None
    ]


def test_the_same_seed_builds_the_same_company(template: Path, tmp_path: Path) -> None:
    again, other = tmp_path / "again.db", tmp_path / "other.db"
    build_company(again, seed=7, customers=150, start=START, days=DAYS)
    build_company(other, seed=8, customers=150, start=START, days=DAYS)

    assert fingerprint(again) == fingerprint(template)
    assert fingerprint(other) != fingerprint(template)


@settings(max_examples=5, deadline=None)
@given(cuts=st.lists(st.integers(0, DAYS * 86400), max_size=12))
def test_many_steps_come_to_the_same_as_one(
    template: Path, tmp_path_factory: pytest.TempPathFactory, cuts: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("steps")
    one, many = copy_of(template, folder / "one.db"), copy_of(template, folder / "many.db")

    in_one = one.advance(END)
    in_many = sum(many.advance(START + timedelta(seconds=cut)) for cut in sorted(cuts)) + many.advance(END)

    assert in_one == in_many
    assert fingerprint(one.path) == fingerprint(many.path)


@pytest.mark.parametrize("hours", [0, 1, 31, 24 * 6], ids=lambda hours: f"{hours} h")
def test_nothing_of_the_future_shows(company: Company, hours: int) -> None:
    now = START + timedelta(hours=hours)
    company.advance(now)

    for table in TABLES.values():
        for column in ("changed_on", *PAST.get(table, ())):
            (newest,) = rows_of(company, f"SELECT max({column}) FROM {table}")[0]
            assert newest is None or str(newest) <= stamp(int(now.timestamp())), (table, column)
    assert company.now == now


def test_time_does_not_go_back(company: Company) -> None:
    company.advance(START + timedelta(days=3))
    before = fingerprint(company.path)

    written = company.advance(START + timedelta(days=1))

    assert written == 0
    assert fingerprint(company.path) == before


def test_the_live_file_holds_neither_plan_nor_truth(company: Company) -> None:
    company.advance(END)

    names = {str(name) for (name,) in rows_of(company, "SELECT name FROM sqlite_master WHERE type = 'table'")}

    assert names == set(TABLES.values())
    content = company.path.read_bytes()
    assert b"prevent" not in content
    assert b"would_contact" not in content


def test_every_table_has_the_columns_of_its_row_class(company: Company) -> None:
    for row_type, table in TABLES.items():
        columns = tuple(
            name for (name,) in rows_of(company, f"SELECT name FROM pragma_table_info('{table}')")
        )
        assert columns == columns_of(row_type)


def test_a_company_overwrites_nothing(company: Company) -> None:
    before = company.path.read_bytes()

    with pytest.raises(InputError, match="never overwrites"):
        build_company(company.path, seed=1, customers=5, start=START, days=1)

    assert company.path.read_bytes() == before


def test_a_failed_build_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least one customer"):
        build_company(tmp_path / "company.db", seed=1, customers=0, start=START, days=1)

    assert list(tmp_path.iterdir()) == []


def test_a_missing_plan_is_named(company: Company) -> None:
    plan_path(company.path).unlink()

    with pytest.raises(InputError, match=r"company\.plan\.db"):
        company.advance(END)


def test_untold_people_contact_and_told_people_contact_less(template: Path, tmp_path: Path) -> None:
    untold, told = copy_of(template, tmp_path / "untold.db"), copy_of(template, tmp_path / "told.db")
    told.observe(messages_about(troubles(told)))

    untold.advance(END)
    told.advance(END)

    due = [truth for truth in troubles(untold) if truth.would_contact_at and truth.would_contact_at <= END]
    assert {truth.outcome for truth in due} == {"happened"}
    prevented = {truth.cause for truth in troubles(told) if truth.outcome == "prevented"}
    assert prevented
    assert "other" not in prevented


def test_a_message_after_the_contact_prevents_nothing(company: Company) -> None:
    late = [
        Seen(
            customer_key=truth.customer_key,
            about_key=truth.about_key,
            at=truth.would_contact_at + timedelta(seconds=1),
        )
        for truth in troubles(company)
        if truth.about_key is not None and truth.would_contact_at is not None
    ]
    company.observe(late)

    company.advance(END)

    assert "prevented" not in {truth.outcome for truth in troubles(company)}


def test_a_prevented_contact_leaves_no_row(company: Company) -> None:
    company.observe(messages_about(troubles(company)))
    company.advance(END + timedelta(days=5))

    prevented = [truth for truth in troubles(company) if truth.outcome == "prevented"]
    contacts = rows_of(company, "SELECT person_no, about_key, came_on FROM inbound_contact")

    assert prevented
    for truth in prevented:
        assert truth.would_contact_at is not None
        came = stamp(int(truth.would_contact_at.timestamp()))
        assert (int(truth.customer_key), truth.about_key, came) not in contacts


def test_the_same_outbox_counts_once(company: Company) -> None:
    outbox = messages_about(troubles(company))

    first = company.observe(outbox)
    after_first = fingerprint(company.path)
    second = company.observe(outbox)

    assert first > 0
    assert second == 0
    assert fingerprint(company.path) == after_first


def test_the_kind_of_object_may_stand_before_its_key(template: Path, tmp_path: Path) -> None:
    plain, typed = copy_of(template, tmp_path / "plain.db"), copy_of(template, tmp_path / "typed.db")
    bare = messages_about(troubles(plain))
    plain.observe(bare)
    typed.observe(
        Seen(customer_key=seen.customer_key, about_key=f"thing:{seen.about_key}", at=seen.at) for seen in bare
    )

    assert fingerprint(plain.path) == fingerprint(typed.path)


def test_messages_cause_contacts_and_opt_outs_after_they_were_read(company: Company) -> None:
    company.advance(START + timedelta(days=1))
    at = START + timedelta(days=1)
    people = [str(number) for (number,) in rows_of(company, "SELECT person_no FROM person")]
    company.observe(
        Seen(customer_key=person, about_key=f"order:none-{number}", at=at)
        for number in range(10)
        for person in people
    )

    company.advance(END)

    induced = rows_of(company, "SELECT came_on FROM inbound_contact WHERE grund = 'rueckfrage_nachricht'")
    stops = rows_of(company, "SELECT said_on FROM consent_log WHERE quelle = 'antwort_stop'")
    assert 30 <= len(induced) <= 90
    assert stops
    assert all(str(when) > stamp(int(at.timestamp())) for (when,) in [*induced, *stops])
