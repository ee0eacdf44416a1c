import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tools.sim.build import build_company
from tools.sim.company import Company, Seen
from tools.sim.names import HOSTILE_NAMES, HOSTILE_REMARKS
from tools.sim.places import PLACES

START = datetime(2026, 10, 1, tzinfo=UTC)
DEMO_DAYS = 28


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """The size of the demo, four weeks on."""
    path = tmp_path_factory.mktemp("content") / "company.db"
    build_company(path, seed=11, customers=400, start=START, days=DEMO_DAYS)
    company = Company(path)
    company.advance(START + timedelta(days=DEMO_DAYS))
    return company


@pytest.fixture
def live(company: Company) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(company.path)) as connection:
        yield connection


@pytest.fixture
def plan(company: Company) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(company.path.with_name("company.plan.db"))) as connection:
        yield connection


def number(connection: sqlite3.Connection, query: str) -> int:
    (found,) = connection.execute(query).fetchone()
    return int(found)


@pytest.mark.parametrize("kind", HOSTILE_NAMES)
def test_hostile_name_is_there(live: sqlite3.Connection, kind: str) -> None:
    found = live.execute("SELECT count(*) FROM person WHERE full_name = ?", (HOSTILE_NAMES[kind],))

    assert found.fetchone()[0] >= 1


@pytest.mark.parametrize("kind", HOSTILE_REMARKS)
def test_hostile_remark_is_about_a_late_order(live: sqlite3.Connection, kind: str) -> None:
    found = live.execute(
        "SELECT count(*) FROM remark r JOIN web_order o ON o.order_no = r.about_key WHERE r.words = ?",
        (HOSTILE_REMARKS[kind],),
    )

    assert found.fetchone()[0] == 1


def test_one_remark_is_a_line_of_ten_thousand_characters(live: sqlite3.Connection) -> None:
    assert number(live, "SELECT max(length(words)) FROM remark WHERE instr(words, char(10)) = 0") >= 10_000


@pytest.mark.parametrize(
    ("what", "query", "low", "high"),
    [
        pytest.param(
            "never asked", "person_no NOT IN (SELECT person_no FROM consent_log)", 20, 70, id="no consent"
        ),
        pytest.param(
            "said no",
            "person_no IN (SELECT person_no FROM consent_log WHERE zweck = 'service' AND antwort = 'nein')",
            15,
            90,
            id="opted out of service",
        ),
        pytest.param("flag", "schutz <> ''", 3, 8, id="protected"),
        pytest.param("test", "stand = 'test'", 2, 6, id="test accounts"),
        pytest.param("staff", "stand = 'mitarbeiter'", 2, 6, id="employees"),
        pytest.param("closed", "stand = 'gekuendigt'", 3, 10, id="closed"),
        pytest.param("vip", "is_vip = 1", 3, 30, id="vip"),
        pytest.param("firm", "firm_no IS NOT NULL", 20, 120, id="business"),
        pytest.param("no zone", "zone IS NULL", 30, 100, id="unknown zone"),
        pytest.param("no mail", "mail IS NULL", 5, 40, id="no mail"),
        pytest.param("no phone", "handy IS NULL", 40, 120, id="no phone"),
        pytest.param(
            "family",
            "handy IN (SELECT handy FROM person GROUP BY handy HAVING count(*) > 1)",
            10,
            30,
            id="shared phones",
        ),
        pytest.param("two", "instr(sparten, ',') > 0", 20, 100, id="customers of two lines"),
    ],
)
def test_the_kinds_of_people_are_there(
    live: sqlite3.Connection, what: str, query: str, low: int, high: int
) -> None:
    assert low <= number(live, f"SELECT count(*) FROM person WHERE {query}") <= high, what


def test_telling_everybody_in_time_prevents_about_two_contacts_in_five(tmp_path: Path) -> None:
    path = tmp_path / "company.db"
    build_company(path, seed=5, customers=400, start=START, days=DEMO_DAYS)
    company = Company(path)
    company.observe(
        Seen(customer_key=truth.customer_key, about_key=truth.about_key, at=truth.trouble_at)
        for truth in company.truths()
        if truth.about_key is not None
    )

    company.advance(START + timedelta(days=DEMO_DAYS))

    decided = [truth for truth in company.truths() if truth.outcome and truth.prevent_ppm]
    prevented = sum(truth.outcome == "prevented" for truth in decided)
    assert 30 <= 100 * prevented / len(decided) <= 56


def test_every_place_is_lived_in(live: sqlite3.Connection) -> None:
    zones = {zone for (zone,) in live.execute("SELECT zone FROM person")}

    assert zones >= {place.zone for place in PLACES}


def test_mail_goes_to_reserved_domains_only(live: sqlite3.Connection) -> None:
    mails = [mail for (mail,) in live.execute("SELECT mail FROM person WHERE mail IS NOT NULL")]

    assert all(mail.endswith(("@example.com", "@example.net", "@example.org")) for mail in mails)
    assert all(mail.isascii() and " " not in mail for mail in mails)


@pytest.mark.parametrize(
    ("cause", "least"),
    [("late_parcel", 40), ("bill_due", 60), ("outage", 150), ("data_low", 20)],
)
def test_every_scenario_has_true_troubles(plan: sqlite3.Connection, cause: str, least: int) -> None:
    assert number(plan, f"SELECT count(*) FROM truth WHERE cause = '{cause}'") >= least


def test_about_eight_of_a_hundred_orders_are_late(live: sqlite3.Connection) -> None:
    late = number(live, "SELECT count(*) FROM web_order WHERE done_on > promised_until")
    done = number(live, "SELECT count(*) FROM web_order WHERE done_on IS NOT NULL")

    assert 5 <= 100 * late / done <= 11


def test_sixty_five_of_a_hundred_contacts_cannot_be_prevented(plan: sqlite3.Connection) -> None:
    other = number(plan, "SELECT count(*) FROM truth WHERE would_contact_at IS NOT NULL AND prevent_ppm = 0")
    every = number(plan, "SELECT count(*) FROM truth WHERE would_contact_at IS NOT NULL")

    assert 64 <= 100 * other / every <= 67


@pytest.mark.parametrize(
    "query",
    [
        pytest.param(
            "SELECT count(*) FROM web_order WHERE state = 'zollpruefung'", id="unmapped order state"
        ),
        pytest.param("SELECT count(*) FROM parcel WHERE state = 'DROHNE'", id="unmapped parcel state"),
        pytest.param(
            "SELECT count(*) FROM (SELECT 1 FROM parcel_scan GROUP BY parcel_no, scanned_on, code "
            "HAVING count(*) > 1)",
            id="the same event twice",
        ),
        pytest.param(
            "SELECT count(*) FROM parcel_scan a JOIN parcel_scan b ON a.parcel_no = b.parcel_no "
            "WHERE a.scanned_on < b.scanned_on AND a.due > b.due",
            id="scans out of order",
        ),
        pytest.param(
            "SELECT count(*) FROM person a JOIN person b ON a.person_no = b.person_no AND a.seq < b.seq "
            "WHERE a.full_name = b.full_name AND a.plz = b.plz AND a.changed_on < b.changed_on",
            id="rows written again unchanged",
        ),
        pytest.param(
            "SELECT count(*) FROM bill a JOIN bill b ON a.bill_no = b.bill_no AND a.seq < b.seq "
            "WHERE a.amount_cents <> b.amount_cents AND b.state = 'offen'",
            id="corrected amounts",
        ),
        pytest.param(
            "SELECT count(*) FROM outage a JOIN outage b ON a.outage_no = b.outage_no AND a.seq < b.seq "
            "WHERE a.state = 'behoben' AND b.state = 'bestaetigt'",
            id="an outage reopened",
        ),
        pytest.param(
            "SELECT count(*) FROM parcel_scan WHERE due > unixepoch(changed_on) + 600",
            id="rows that only reconciling finds",
        ),
    ],
)
def test_the_plan_has_what_real_systems_do(plan: sqlite3.Connection, query: str) -> None:
    assert number(plan, query) >= 1


def test_a_carrier_is_silent_for_a_day_and_a_half(live: sqlite3.Connection) -> None:
    heard = live.execute(
        "SELECT min(unixepoch(s.changed_on) - unixepoch(s.scanned_on)), count(*) FROM parcel_scan s "
        "JOIN parcel p ON p.parcel_no = s.parcel_no WHERE p.carrier = 'Rotkurier' "
        "AND s.scanned_on BETWEEN '2026-10-04 06:00:00' AND '2026-10-05 12:00:00'"
    ).fetchone()

    shortest, scans = heard
    assert scans > 10
    assert shortest >= 6 * 3600
