"""Ordinary records of the four industries, to be changed field by field."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from tools.records.base import CustomerId, Money, Record
from tools.records.commerce import Invoice, Order, Shipment
from tools.records.operations import Incident, Usage
from tools.records.vocabulary import (
    IncidentStatus,
    InvoiceStatus,
    OrderStatus,
    Severity,
    ShipmentStatus,
)

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
PROMISED_AT = datetime(2026, 11, 5, 0, 0, tzinfo=UTC)
"""The end of 4 November."""
R = TypeVar("R", bound=Record)


def changed(record: R, changes: dict[str, Any]) -> R:
    """Return a copy with other values, checked like any record."""
    return type(record).model_validate({**dict(record), **changes})


def order(**changes: Any) -> Order:
    plain = Order(
        id="o1",
        number="1001",
        customer_id=CustomerId("c1"),
        placed_at=NOW - timedelta(days=3),
        promised_at=PROMISED_AT,
        promised_on=date(2026, 11, 4),
        status=OrderStatus.FULFILLED,
        total=Money(minor=4990, currency="EUR"),
    )
    return changed(plain, changes)


def shipment(**changes: Any) -> Shipment:
    plain = Shipment(
        id="s1",
        order_id="o1",
        customer_id=CustomerId("c1"),
        tracking_no="T1",
        carrier="DHL",
        status=ShipmentStatus.IN_TRANSIT,
    )
    return changed(plain, changes)


def invoice(**changes: Any) -> Invoice:
    plain = Invoice(
        id="i1",
        customer_id=CustomerId("c1"),
        number="R-7",
        status=InvoiceStatus.OPEN,
        due_at=PROMISED_AT,
        due_on=date(2026, 11, 4),
        amount_due=Money(minor=12050, currency="EUR"),
    )
    return changed(plain, changes)


def incident(**changes: Any) -> Incident:
    plain = Incident(
        id="inc1",
        kind="outage",
        status=IncidentStatus.IDENTIFIED,
        severity=Severity.MAJOR,
        confirmed=True,
        started_at=NOW - timedelta(minutes=20),
    )
    return changed(plain, changes)


def usage(**changes: Any) -> Usage:
    plain = Usage(
        id="u1",
        customer_id=CustomerId("c1"),
        metric="data",
        unit="MB",
        period_start=datetime(2026, 11, 1, tzinfo=UTC),
        period_end=datetime(2026, 12, 1, tzinfo=UTC),
        resets_on=date(2026, 12, 1),
        value=8_500,
        allowance=10_000,
        measured_at=NOW - timedelta(hours=1),
    )
    return changed(plain, changes)
