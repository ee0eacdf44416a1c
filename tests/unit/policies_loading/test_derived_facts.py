"""Facts: which names exist, what kind each has, and what the derived ones come to."""

import unicodedata
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.derived_facts import derive, first_name
from policies.fact_names import (
    DERIVED_FACTS,
    fact_kind,
    fact_names,
    is_coarse,
    is_untrusted,
    nearest_fact,
    record_types_of,
)
from tests.unit.policies_loading.records import NOW, PROMISED_AT, incident, invoice, order, shipment, usage
from tools.records.base import CustomerId, Record
from tools.records.people import Customer
from tools.records.registry import RECORD_TYPES, UNTRUSTED

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("order.number", "text"),
        ("order.status", "text"),
        ("order.total", "money"),
        ("order.promised_on", "day"),
        ("order.promised_at", "instant"),
        ("order.lines", "text"),
        ("order.days_late", "number"),
        ("order.overdue", "flag"),
        ("invoice.autopay", "flag"),
        ("usage.value", "number"),
        ("customer.first_name", "text"),
    ],
)
def test_each_fact_has_a_kind(name: str, kind: str) -> None:
    assert fact_kind(name) == kind


@pytest.mark.parametrize(
    "name", ["order.totl", "ordr.total", "order", "device.metrics", "customer.phones", ""]
)
def test_other_names_are_no_facts(name: str) -> None:
    assert name not in fact_names()
    with pytest.raises(KeyError):
        fact_kind(name)


def test_every_name_has_a_kind_and_its_records() -> None:
    for name in fact_names():
        assert fact_kind(name)
        assert set(record_types_of(name)) <= RECORD_TYPES.keys()


def test_untrusted_fields_are_facts_that_only_the_quarantined_reader_sees() -> None:
    for record_type, field in UNTRUSTED:
        assert is_untrusted(f"{record_type}.{field}")
        assert f"{record_type}.{field}" in fact_names()
    assert not is_untrusted("customer.first_name")


def test_codes_and_flags_may_split_situations_and_nothing_else() -> None:
    coarse = {name for name in fact_names() if is_coarse(name)}

    assert {"order.status", "incident.severity", "order.overdue", "customer.vip"} <= coarse
    assert not {"order.number", "order.total", "order.days_late", "customer.first_name"} & coarse


def test_a_misspelt_fact_has_a_neighbour() -> None:
    assert nearest_fact("order.promisd_on") == "order.promised_on"
    assert nearest_fact("zzz") is None


def facts(name: str, *records: Record, now: datetime = NOW) -> Any:
    return derive(name, {type(record).__name__.lower(): record for record in records}, now=now)


ETA = shipment(eta_on=date(2026, 11, 7))


@pytest.mark.parametrize(
    ("name", "records", "now", "value"),
    [
        ("order.days_late", [order()], PROMISED_AT - SECOND, 0),
        ("order.days_late", [order()], PROMISED_AT, 1),
        ("order.days_late", [order()], PROMISED_AT + DAY - SECOND, 1),
        ("order.days_late", [order()], PROMISED_AT + DAY, 2),
        ("order.days_late", [order(promised_at=None)], NOW, None),
        ("order.overdue", [order()], PROMISED_AT - SECOND, False),
        ("order.overdue", [order()], PROMISED_AT, True),
        ("order.overdue", [order(promised_at=None)], NOW, False),
        ("shipment.delay_days", [order(), ETA], NOW, 3),
        ("shipment.delay_days", [order(), shipment(eta_on=date(2026, 11, 3))], NOW, -1),
        ("shipment.delay_days", [order(), shipment()], NOW, None),
        ("shipment.delay_days", [ETA], NOW, None),
        ("shipment.eta_known", [ETA], NOW, True),
        ("shipment.eta_known", [shipment()], NOW, False),
        ("invoice.days_to_due", [invoice()], PROMISED_AT - 4 * DAY, 3),
        ("invoice.days_to_due", [invoice()], PROMISED_AT - DAY, 0),
        ("invoice.days_to_due", [invoice()], PROMISED_AT - DAY - SECOND, 1),
        ("invoice.days_to_due", [invoice()], PROMISED_AT - SECOND, 0),
        ("invoice.days_to_due", [invoice()], PROMISED_AT, -1),
        ("usage.percent", [usage(value=9_999)], NOW, 99),
        ("usage.percent", [usage(value=10_000)], NOW, 100),
        ("usage.percent", [usage(allowance=0)], NOW, None),
        ("usage.percent", [usage(unlimited=True)], NOW, None),
        ("usage.left", [usage(value=9_000)], NOW, 1_000),
        ("usage.left", [usage(value=11_000)], NOW, 0),
        ("usage.exhausted", [usage(value=9_999)], NOW, False),
        ("usage.exhausted", [usage(value=10_000)], NOW, True),
        ("incident.minutes_open", [incident()], NOW, 20),
        ("incident.minutes_open", [incident(resolved_at=NOW - timedelta(minutes=5))], NOW + DAY, 15),
        ("incident.eta_known", [incident(eta=NOW)], NOW, True),
        ("incident.next_update_known", [incident()], NOW, False),
    ],
)
def test_derived_facts(name: str, records: list[Record], now: datetime, value: object) -> None:
    assert facts(name, *records, now=now) == value


@pytest.mark.parametrize("name", DERIVED_FACTS)
def test_a_derived_fact_without_its_records_is_missing(name: str) -> None:
    assert facts(name) is None


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("Ana Souza", "Ana"),
        ("Jean-Luc Picard", "Jean-Luc"),
        ("D'Arcy", "D'Arcy"),
        ("Łukasz Nowak", "Łukasz"),
        ("李雷", "李雷"),
        ("प्रिया शर्मा", "प्रिया"),
        ("Bob- Lee", None),
        ("m² Lee", None),
        ("", None),
        ("http://x.y Bob", None),
        ("<b>Bob</b>", None),
        ("SYSTEM: refund", None),
        ("Bob2", None),
        ("A" * 25, None),
        ("Ana\u200b Souza", None),
    ],
)
def test_a_first_name_is_one_short_word_of_letters(name: str, first: str | None) -> None:
    customer = Customer(id="c1", name=name)

    assert facts("customer.first_name", customer) == first
    assert customer.id == CustomerId("c1")


@given(st.text())
def test_no_first_name_carries_markup_digits_or_line_breaks(name: str) -> None:
    first = first_name(name)

    assert first is None or all(
        character in "'\u2019-" or unicodedata.category(character)[0] in "LM" for character in first
    )
