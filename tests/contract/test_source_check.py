"""The health check finds what would lose, invent or damage data, and says what to do about it."""

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from tests.contract.companies import FORMS, LONG_AGO, NOW, Company, connector
from tools.ports import Finding
from tools.sql.source import SqlSource

FORM = {form.name: form for form in FORMS}


@pytest.fixture(params=["sqlite-seconds", pytest.param("postgres-timestamptz", marks=pytest.mark.postgres)])
def company(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Company]:
    form = FORM[request.param]
    url = request.getfixturevalue("shared_postgres") if form.postgres else f"sqlite:///{tmp_path / 'shop.db'}"
    made = Company(form=form, url=url, engine=create_engine(url, poolclass=NullPool))
    made.create()
    made.put(*[made.order(number) for number in range(5)])
    yield made
    made.close()


def wrong(source: SqlSource) -> list[Finding]:
    """Return the findings that are not ok, but for the rights of the tests' own superuser."""
    findings = source.check().findings
    return [item for item in findings if item.level != "ok" and "superuser" not in item.what]


def test_a_sound_stream_has_no_findings(company: Company) -> None:
    source = company.source()

    assert wrong(source) == []
    assert any("stream 'order' reads and maps" in finding.what for finding in source.check().findings)


def test_an_unmapped_word_is_found_before_it_comes(company: Company) -> None:
    company.put(company.order(7, LONG_AGO - timedelta(days=365), state="teleported"))

    (finding,) = wrong(company.source())

    assert finding.level == "error"
    assert "'state' holds 'teleported', which has no meaning for `status`" in finding.what
    assert finding.remedy == "add `teleported: …` under map.status.enum"


def test_rows_that_would_be_put_aside_are_counted(company: Company) -> None:
    company.put(*[company.order(number, currency="euro") for number in range(2)])

    (finding,) = wrong(company.source())

    assert finding.level == "warning"
    assert "2 of the newest 5 rows would be put aside: total" in finding.what
    assert "'euro' is no currency code" in finding.what


def test_a_doubled_key_is_named(company: Company) -> None:
    found = wrong(company.source(key="total_cents"))

    assert any("the key 'total_cents' is not unique: 1999 occurs twice" in finding.what for finding in found)


def test_a_cursor_without_an_index_is_a_warning(company: Company) -> None:
    company.sql("drop index ix_web_order")

    (finding,) = wrong(company.source())

    assert finding.level == "warning"
    assert "the cursor column 'changed_on' is not indexed" in finding.what
    assert finding.remedy == "create an index on (changed_on, order_no)"


def test_an_index_on_the_cursor_alone_will_do(company: Company) -> None:
    company.sql("drop index ix_web_order", "create index ix_changed on web_order (changed_on)")

    assert wrong(company.source()) == []


def test_rows_that_are_never_read_are_a_warning(company: Company) -> None:
    company.put(company.order(7, changed_on=None))

    (finding,) = wrong(company.source())

    assert finding.level == "warning"
    assert "key or time of change is NULL" in finding.what


def test_a_query_without_the_key_column_is_an_error(company: Company) -> None:
    (finding,) = wrong(company.source(key="nummer"))

    assert finding.level == "error"
    assert finding.what == "streams[0].key: the query returns no column 'nummer'"


def test_clocks_that_differ_are_a_warning(company: Company) -> None:
    config = connector(company.form.cursor)

    def findings(ours: datetime) -> list[Finding]:
        source = SqlSource(config, url=company.url, server_now=lambda: NOW, clock=lambda: ours)
        found = wrong(source)
        source.close()
        return found

    assert findings(NOW - timedelta(seconds=29)) == []
    assert "differ by 31 s" in findings(NOW - timedelta(seconds=31))[0].what


def test_a_database_that_is_away_is_one_error(tmp_path: Path) -> None:
    source = SqlSource(connector({"tz": "UTC"}), url=f"sqlite:///{tmp_path / 'nowhere.db'}")

    health = source.check()

    assert not health.ok
    assert [finding.level for finding in health.findings] == ["error"]


def test_times_in_two_forms_are_an_error(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    company = Company(form=FORM["sqlite-seconds"], url=url, engine=create_engine(url, poolclass=NullPool))
    company.create()
    company.put(company.order(1), company.order(2, changed_on="2026-10-01T08:00:00"))

    (finding,) = wrong(company.source())
    company.close()

    assert finding.level == "error"
    assert "is written in another form than the others" in finding.what


def test_a_sqlite_file_cannot_be_written_and_says_so(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    company = Company(form=FORM["sqlite-seconds"], url=url, engine=create_engine(url, poolclass=NullPool))
    company.create()

    findings = company.source().check().findings
    company.close()

    assert findings[-1] == Finding(level="ok", what="the file is opened read-only")


RIGHTS: dict[str, tuple[list[str], str]] = {
    "select": ([], "ok"),
    "insert": (["grant insert on web_order to {role}"], "error"),
    "update of a column's table": (["grant update on web_order to {role}"], "error"),
    "truncate": (["grant truncate on web_order to {role}"], "error"),
    "owner": (["alter table web_order owner to {role}"], "error"),
    "another table": (["create table if not exists own (a int)", "grant insert on own to {role}"], "ok"),
}


@pytest.mark.postgres
@pytest.mark.parametrize(("grants", "level"), RIGHTS.values(), ids=RIGHTS.keys())
@pytest.mark.parametrize("query", ["select * from web_order", "select * from late"], ids=["table", "view"])
def test_a_role_that_could_write_what_it_reads_is_an_error(
    shared_postgres: str, grants: list[str], level: str, query: str
) -> None:
    role = "reader_" + os.urandom(6).hex()
    plain = shared_postgres.replace("+psycopg", "", 1)
    company = Company(
        form=FORM["postgres-timestamptz"],
        url=shared_postgres,
        engine=create_engine(shared_postgres, poolclass=NullPool),
    )
    company.create()
    with psycopg.connect(plain, autocommit=True) as admin:
        admin.execute(f"create role {role} login".encode())
        admin.execute("create view late as select * from web_order where gone = 0")
        admin.execute(f"grant select on web_order, late to {role}".encode())
        for grant in grants:
            admin.execute(grant.format(role=role).encode())
    url = company.engine.url.set(username=role).render_as_string(hide_password=False)
    source = SqlSource(connector({"tz": "UTC"}, query=query), url=url)

    (finding,) = [item for item in source.check().findings if "role" in item.what]
    source.close()
    with psycopg.connect(plain, autocommit=True) as admin:
        admin.execute("drop view late")
        admin.execute(f"reassign owned by {role} to current_user".encode())
        admin.execute(f"drop owned by {role}".encode())
        admin.execute(f"drop role {role}".encode())
    company.close()

    assert finding.level == level
    if level == "error":
        assert finding.what == f"write-capable role: {role!r} may write to public.web_order"
        assert "SELECT on these tables and nothing else" in finding.remedy
