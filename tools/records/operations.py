"""Records of running a service: incidents, devices, usage, repairs, and what became of messages."""

from datetime import date
from typing import Annotated, ClassVar

from pydantic import Field

from tools.records.base import CustomerId, Instant, Label, Links, Record
from tools.records.forms import UNIT
from tools.records.vocabulary import (
    DeviceStatus,
    IncidentStatus,
    MessageEventKind,
    RepairStatus,
    Severity,
)


class Incident(Record):
    """Something broken or planned, and whom it touches.

    The scope is the union of its lists: customers named, subscriptions on a service or at a site,
    customers in a postcode. The title is untrusted text.
    """

    LINKS: ClassVar[Links] = ()

    kind: Label
    title: str = ""
    status: IncidentStatus
    severity: Severity
    confirmed: bool = False
    customer_ids: tuple[CustomerId, ...] = ()
    service_ids: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    postcodes: tuple[str, ...] = ()
    started_at: Instant
    eta: Instant | None = None
    resolved_at: Instant | None = None
    next_update_at: Instant | None = None
    public_url: str | None = None
    parent: str | None = None


class Device(Record):
    """A device at a customer."""

    LINKS: ClassVar[Links] = (("customer", "customer_id"),)

    customer_id: CustomerId
    model: Label
    firmware: str | None = None
    metrics: dict[str, int] = Field(default_factory=dict)
    status: DeviceStatus
    last_seen_at: Instant | None = None


class Usage(Record):
    """A meter of one customer in one period."""

    LINKS: ClassVar[Links] = (("customer", "customer_id"), ("account", "account_id"))

    customer_id: CustomerId
    account_id: str | None = None
    metric: Label
    unit: Annotated[str, UNIT]
    """Unit of `value` and `allowance`, for example `MB`."""
    period_start: Instant
    period_end: Instant
    resets_on: date
    """The calendar day of the reset, in the company's zone."""
    value: int
    allowance: int
    unlimited: bool = False
    measured_at: Instant
    errors: int = 0
    baseline: int | None = None


class Repair(Record):
    """A visit or a fix that is under way."""

    LINKS: ClassVar[Links] = (
        ("customer", "customer_id"),
        ("ticket", "ticket_id"),
        ("incident", "incident_id"),
    )

    customer_id: CustomerId
    ticket_id: str | None = None
    incident_id: str | None = None
    order_id: str | None = None
    kind: Label
    window_start: Instant | None = None
    window_end: Instant | None = None
    status: RepairStatus
    technician_eta: Instant | None = None


class MessageEvent(Record):
    """What a provider says became of a message."""

    LINKS: ClassVar[Links] = (("send", "send_id"),)

    send_id: str
    provider_id: str
    kind: MessageEventKind
    at: Instant
