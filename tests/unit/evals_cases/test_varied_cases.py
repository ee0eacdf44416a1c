"""Hand-made cases varied: every family and scenario is, and what is expected follows from written rules."""

from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from evals.cases.loading import dataset_files, load_suites
from evals.cases.model import Case, Family
from evals.generated.forms import DECIMALS, FORMS, in_other_form
from evals.made import MADE_SUITES
from evals.results import Decided
from tests.evals_running import case_of

SUITES = ("varied_locale", "varied_currency", "varied_zone", "varied_order", "varied_together")
WITHOUT_AMOUNTS = {"data_threshold"}
MOST_EACH = 8


@cache
def by_hand() -> tuple[Case, ...]:
    return tuple(case for suite in load_suites(dataset_files()).values() for case in suite)


@cache
def varied(suite: str, seed: int = 1) -> tuple[Case, ...]:
    return MADE_SUITES[suite](seed, by_hand()).cases


def variants(suite: str, case: Case) -> tuple[Case, ...]:
    """Return the variants of one case over some seeds."""
    return tuple(one for seed in range(60) for one in MADE_SUITES[suite](seed, [case]).cases)


@pytest.mark.parametrize("suite", SUITES)
def test_every_family_and_scenario_is_varied(suite: str) -> None:
    cases = varied(suite)

    assert {case.family for case in cases} == set(Family)
    without = WITHOUT_AMOUNTS if suite == "varied_currency" else set[str]()
    assert {case.scenario for case in cases} == {case.scenario for case in by_hand()} - without
    assert sum(not case.expect.contact for case in cases) >= 0.4 * len(cases)


def test_nearly_every_case_is_varied_in_language_zone_and_order() -> None:
    counted = [case.id for case in by_hand() if not case.known_gap]

    for suite, least in (("varied_locale", 0.99), ("varied_zone", 0.9), ("varied_order", 1)):
        reached = {one.id.removeprefix(f"{suite}.").rpartition(".")[0] for one in varied(suite)}
        assert reached <= set(counted)
        assert len(reached) >= least * len(counted), suite


@pytest.mark.parametrize("suite", SUITES)
def test_a_seed_gives_the_same_and_another_seed_others_with_ids_of_their_own(suite: str) -> None:
    cases = varied(suite)

    assert cases == MADE_SUITES[suite](1, by_hand()).cases
    assert cases != varied(suite, 2)
    assert len({case.id for case in cases}) == len(cases)
    assert all(case.id.startswith(f"{suite}.") and "Varied: " in case.title for case in cases)


def test_there_are_not_more_than_can_be_run_in_minutes() -> None:
    assert sum(len(varied(suite)) for suite in SUITES) <= MOST_EACH * len(by_hand())


@pytest.mark.parametrize(
    ("text", "locale", "translated"),
    [
        ("November 4, 2026", "de_DE", "4. November 2026"),
        ("November 4, 2026", "fr_FR", "4 novembre 2026"),
        ("November 4, 2026", "es_ES", "4 de noviembre de 2026"),
        ("November 4, 2026", "en_GB", "4 November 2026"),
        ("€2,500.00", "de_DE", "2.500,00 €"),
        ("€2,500.00", "pt_BR", "€ 2.500,00"),
        ("$99.00", "fr_FR", "99,00 $US"),
        ("¥12,000", "es_ES", "12.000 JPY"),
        ("1,000", "fr_FR", "1 000"),
        ("85%", "de_DE", "85 %"),
        ("R-71", "de_DE", "R-71"),
        ("150 MB", "fr_FR", "150 MB"),
        ("running late", "de_DE", None),
    ],
)
def test_a_text_in_another_form(text: str, locale: str, translated: str | None) -> None:
    assert in_other_form(text, FORMS["en_US"], FORMS[locale]) == translated


@pytest.mark.parametrize("locale", FORMS)
def test_a_form_reads_what_it_writes(locale: str) -> None:
    form = FORMS[locale]

    for currency, decimals in DECIMALS.items():
        amount = Decimal(1_234_567).scaleb(-decimals)
        assert form.read_money(form.write_money(amount, currency)) == (amount, currency)
    for month in range(1, 13):
        day = datetime(2026, month, 9, tzinfo=UTC).date()
        assert form.read_day(form.write_day(day)) == day


def test_a_customer_elsewhere_is_told_at_eight_by_the_clock_there(tmp_path: Path) -> None:
    case = case_of(tmp_path, "scenario: shipping_delay\nexpect: {decision: contact}")

    found = {one.title: one for one in variants("varied_zone", case) if one.id.endswith(".elsewhere")}

    opens = {
        title.partition("lives in ")[2].partition(" and")[0]: one.expect.not_before
        for title, one in found.items()
    }
    assert opens == {
        "America/New_York": "2026-11-02T13:00:00+00:00",
        "Asia/Tokyo": "2026-11-02T23:00:00+00:00",
        "Australia/Lord_Howe": "2026-11-02T21:00:00+00:00",
        "Pacific/Auckland": "2026-11-02T19:00:00+00:00",
        "Pacific/Honolulu": "2026-11-02T18:00:00+00:00",
    }


def test_a_customer_for_whom_morning_is_too_late_gets_nothing(tmp_path: Path) -> None:
    case = case_of(
        tmp_path,
        "scenario: data_threshold\nrecords: {usage: {measured_at: -23h}}\nexpect: {decision: contact}",
    )

    (late,) = {one.id: one for one in variants("varied_zone", case) if "is too late" in one.title}.values()

    assert late.expect.decisions == (Decided.ABSTAIN,)
    assert late.expect.messages == 0


def test_a_world_that_moves_keeps_its_wall_clocks(tmp_path: Path) -> None:
    case = case_of(
        tmp_path,
        "scenario: shipping_delay\nrecords: {shipment: {eta_now: '2026-11-04T00:00:00Z'}}\n"
        "expect: {decision: contact, not_before: '2026-11-02T12:00:00Z'}",
    )

    moved = {one.zone: one for one in variants("varied_zone", case) if one.id.endswith(".moved")}

    tokyo = moved["Etc/GMT-8"]
    assert tokyo.start == datetime(2026, 11, 2, 4, tzinfo=UTC)
    assert tokyo.expect.not_before == "2026-11-02T04:00:00+00:00"
    assert tokyo.world.written()["shipment"] == [{"eta_now": "2026-11-03T16:00:00+00:00"}]
    assert tokyo.world.written()["customer"] == [{"tz": "Asia/Tokyo"}]


def test_events_put_between_leave_the_length_of_a_case_alone(tmp_path: Path) -> None:
    case = case_of(
        tmp_path,
        "scenario: shipping_delay\nreviewer: leaves\nruns: 59s\n"
        "events: [{after: 30m, approve: true}]\nexpect: {decision: contact}",
    )

    lengths = {sum((event.after for event in one.events), one.runs) for one in variants("varied_order", case)}

    assert lengths == {case.events[0].after + case.runs}
