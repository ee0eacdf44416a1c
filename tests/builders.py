"""Ordinary records, envelopes, playbooks and a source in memory, to be changed field by field in tests."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, TypeVar

from policies.loader import LIMITS_FILE, PLAYBOOK_FOLDER, load_limits, load_playbooks
from policies.model import Limits
from policies.triggers import CompiledPlaybook, compile_playbook
from tools.errors import ToolError
from tools.ports import Batch, Cursor, Finding, Health, Rejected, StreamSpec
from tools.records.base import CustomerId, Envelope, Money, Record
from tools.records.commerce import Invoice, Order, Shipment, Subscription
from tools.records.operations import Incident, Usage
from tools.records.people import Customer, Preference, Ticket
from tools.records.registry import RECORD_TYPES
from tools.records.vocabulary import (
    ChannelKind,
    ConsentState,
    IncidentStatus,
    InvoiceStatus,
    OrderStatus,
    Purpose,
    Severity,
    ShipmentStatus,
    SubscriptionStatus,
    TicketStatus,
)

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
"""The instant at which `clock` stands; eight in the morning in New York."""
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
R = TypeVar("R", bound=Record)


def changed(record: R, **changes: Any) -> R:
    """Return a copy with other values, checked like any record."""
    return type(record).model_validate({**dict(record), **changes})


def customer(**changes: Any) -> Customer:
    plain = Customer(
        id="c1",
        name="Ada Lovelace",
        emails=("ada@example.com",),
        phones=("+12125550101",),
        locale="en_US",
        tz="Europe/Berlin",
        country="DE",
    )
    return changed(plain, **changes)


def order(**changes: Any) -> Order:
    """An undelivered order whose promised day ended at midnight, so `shipping_delay` fires at `NOW`."""
    plain = Order(
        id="o1",
        number="1001",
        customer_id=CustomerId("c1"),
        placed_at=NOW - 5 * DAY,
        promised_at=datetime(2026, 11, 2, tzinfo=UTC),
        promised_on=date(2026, 11, 1),
        status=OrderStatus.FULFILLED,
        total=Money(minor=4990, currency="USD"),
    )
    return changed(plain, **changes)


def shipment(**changes: Any) -> Shipment:
    plain = Shipment(
        id="s1",
        order_id="o1",
        customer_id=CustomerId("c1"),
        tracking_no="T1",
        carrier="DHL",
        status=ShipmentStatus.IN_TRANSIT,
    )
    return changed(plain, **changes)


def invoice(**changes: Any) -> Invoice:
    """An open bill due in two days, so `payment_due` fires at `NOW`."""
    plain = Invoice(
        id="i1",
        customer_id=CustomerId("c1"),
        number="R-7",
        status=InvoiceStatus.OPEN,
        due_at=NOW + 2 * DAY,
        due_on=date(2026, 11, 4),
        amount_due=Money(minor=12000, currency="USD"),
    )
    return changed(plain, **changes)


def incident(**changes: Any) -> Incident:
    """A confirmed major incident, ten minutes old, so `service_disruption` fires at `NOW`."""
    plain = Incident(
        id="n1",
        kind="outage",
        status=IncidentStatus.IDENTIFIED,
        severity=Severity.MAJOR,
        confirmed=True,
        service_ids=("api",),
        started_at=NOW - timedelta(minutes=10),
    )
    return changed(plain, **changes)


def subscription(**changes: Any) -> Subscription:
    plain = Subscription(
        id="b1",
        customer_id=CustomerId("c1"),
        plan="pro",
        status=SubscriptionStatus.ACTIVE,
        price=Money(minor=2900, currency="USD"),
        service_ids=("api",),
    )
    return changed(plain, **changes)


def usage(**changes: Any) -> Usage:
    """A meter at 85 %, so `data_threshold` fires at `NOW` in the episode `near`."""
    plain = Usage(
        id="u1",
        customer_id=CustomerId("c1"),
        metric="data",
        unit="MB",
        period_start=datetime(2026, 11, 1, tzinfo=UTC),
        period_end=datetime(2026, 12, 1, tzinfo=UTC),
        resets_on=date(2026, 12, 1),
        value=850,
        allowance=1000,
        measured_at=NOW - HOUR,
    )
    return changed(plain, **changes)


def preference(**changes: Any) -> Preference:
    plain = Preference(
        id="p1",
        customer_id=CustomerId("c1"),
        channel=ChannelKind.EMAIL,
        purpose=Purpose.SERVICE,
        state=ConsentState.OPTED_OUT,
        source="web",
        at=NOW - DAY,
    )
    return changed(plain, **changes)


def ticket(**changes: Any) -> Ticket:
    plain = Ticket(
        id="t1",
        customer_id=CustomerId("c1"),
        channel="email",
        created_at=NOW - HOUR,
        reason="WISMO",
        reason_norm="order_status",
        status=TicketStatus.OPEN,
        about="order:o1",
    )
    return changed(plain, **changes)


def type_of(record: Record) -> str:
    """Return the record's type as envelopes name it."""
    return next(name for name, model in RECORD_TYPES.items() if model is type(record))


def envelope_of(record: Record, **changes: Any) -> Envelope:
    """Wrap a record as the stream of its own type of the source `shop` would deliver it."""
    customer_ref = getattr(record, "customer_id", None)
    plain = {
        "source": "shop",
        "stream": type_of(record),
        "type": type_of(record),
        "id": record.id,
        "version": "1",
        "source_updated_at": NOW - HOUR,
        "observed_at": NOW,
        "customer_ref": customer_ref,
        "body": record.model_dump_json(),
    }
    return Envelope.model_validate({**plain, **changes})


@cache
def playbooks() -> dict[str, CompiledPlaybook]:
    """Return the playbooks that come with the product, by scenario."""
    return load_playbooks(PLAYBOOK_FOLDER)


@cache
def limits() -> Limits:
    """Return the limits that come with the product."""
    return load_limits(LIMITS_FILE)


def playbook(scenario: str, **changes: Any) -> CompiledPlaybook:
    """Return a shipped playbook with some fields replaced, each by a value of its own type."""
    shipped = playbooks()[scenario]
    if not changes:
        return shipped
    altered = shipped.playbook.model_copy(update=changes)
    return compile_playbook(altered, content_hash=shipped.content_hash, path=shipped.path)


@dataclass
class FakeSource:
    """Implements `Source` over lists in memory: one stream per record type, in the order of its rows."""

    name: str = "shop"
    page: int = 100
    rows: dict[str, list[Envelope | Rejected]] = field(default_factory=dict[str, list[Envelope | Rejected]])
    fails: list[ToolError] = field(default_factory=list[ToolError])
    """Raised one by one after the first page of a read."""
    gone: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """(stream, id) of records that no longer exist."""
    snapshot: bool = False
    reads: list[Cursor | None] = field(default_factory=list[Cursor | None])
    """The cursors it was asked with."""

    def add(self, *items: Record | Envelope | Rejected) -> "FakeSource":
        """Append rows to their streams; they count as changed now."""
        for item in items:
            row = envelope_of(item) if isinstance(item, Record) else item
            self.rows.setdefault(row.stream, []).append(row)
        return self

    def check(self) -> Health:
        return Health(system=self.name, findings=(Finding(level="ok", what="in memory"),))

    def streams(self) -> tuple[StreamSpec, ...]:
        return tuple(self.spec(name) for name in self.rows)

    def spec(self, stream: str) -> StreamSpec:
        """Return one stream's specification, whether or not it has rows."""
        return StreamSpec(
            name=stream,
            record_type=stream,
            page=self.page,
            snapshot=self.snapshot,
            reconcile_every_seconds=86_400,
            reconcile_lookback_seconds=604_800,
        )

    def read(self, stream: str, cursor: Cursor | None, *, now: datetime) -> Iterator[Batch]:
        self.reads.append(cursor)
        start = int(cursor.value) if cursor else 0
        rows = self.rows.get(stream, [])
        yield from self._pages(rows, start, now=now)

    def lookback(self, stream: str, *, now: datetime) -> Iterator[Batch]:
        yield from self._pages(self.rows.get(stream, []), 0, now=now)

    def ids(self, stream: str) -> Iterator[str]:
        found = {row.id for row in self.rows.get(stream, []) if isinstance(row, Envelope)}
        yield from sorted(one for one in found if (stream, one) not in self.gone)

    def get(self, stream: str, record_id: str, *, now: datetime) -> Envelope | Rejected | None:
        if (stream, record_id) in self.gone:
            return None
        for row in reversed(self.rows.get(stream, [])):
            if isinstance(row, Envelope) and row.id == record_id:
                return row.model_copy(update={"observed_at": now})
            if isinstance(row, Rejected) and row.record_id == record_id:
                return row
        return None

    def close(self) -> None:
        """Nothing is open."""

    def _pages(self, rows: Sequence[Envelope | Rejected], start: int, *, now: datetime) -> Iterator[Batch]:
        at = start
        while True:
            part = rows[at : at + self.page]
            at += len(part)
            yield Batch(
                envelopes=tuple(row for row in part if isinstance(row, Envelope)),
                rejected=tuple(row for row in part if isinstance(row, Rejected)),
                next_cursor=_cursor(at),
                watermark=now,
                complete=at >= len(rows),
            )
            if at >= len(rows):
                return
            if self.fails:
                raise self.fails.pop(0)


def _cursor(position: int) -> Cursor:
    return Cursor(
        stream_version="1", value_kind="integer", value=str(position), key_kind="integer", key=str(position)
    )


def rejected_row(record: Record, **changes: Any) -> Rejected:
    """Return a row of this record's stream that has a status nobody knows."""
    plain = Rejected(
        stream=type_of(record),
        record_type=type_of(record),
        record_id=record.id,
        kind="unmapped",
        field="status",
        value="teleported",
        problem="'teleported' is not in the map of status",
        raw=f'{{"id":"{record.id}","status":"teleported"}}',
    )
    fields = {name: getattr(plain, name) for name in plain.__dataclass_fields__}
    return Rejected(**{**fields, **changes})
