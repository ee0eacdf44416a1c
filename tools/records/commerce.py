"""Records of selling, shipping and billing."""

from datetime import date
from typing import Annotated, ClassVar

from tools.records.base import CustomerId, Instant, Label, Links, Money, Postcode, Record, Strict
from tools.records.forms import REFERENCE, TRACKING
from tools.records.vocabulary import (
    FailureClass,
    InvoiceStatus,
    OrderStatus,
    PaymentStatus,
    RefundStatus,
    ShipmentStatus,
    SubscriptionStatus,
    TransactionStatus,
)


class OrderLine(Strict):
    """One line of an order; the title is untrusted text."""

    sku: str
    title: str
    quantity: int
    price: Money


class Scan(Strict):
    """One sighting of a parcel; the text is untrusted."""

    at: Instant
    status: ShipmentStatus
    place: str | None = None
    text: str = ""


class Order(Record):
    """A customer's order."""

    LINKS: ClassVar[Links] = (("customer", "customer_id"),)

    number: Annotated[str, REFERENCE]
    customer_id: CustomerId
    placed_at: Instant
    promised_at: Instant | None = None
    """The end of the promised delivery window, exclusive."""
    promised_on: date | None = None
    """The promised calendar day, in the shop's own zone; this is what a message prints."""
    status: OrderStatus
    payment_status: PaymentStatus | None = None
    refund_status: RefundStatus | None = None
    handed_over_at: Instant | None = None
    delivered_at: Instant | None = None
    total: Money
    lines: tuple[OrderLine, ...] = ()
    ship_postcode: Postcode | None = None


class Shipment(Record):
    """A parcel of an order."""

    LINKS: ClassVar[Links] = (("order", "order_id"), ("customer", "customer_id"))

    order_id: str
    customer_id: CustomerId | None = None
    tracking_no: Annotated[str, TRACKING]
    carrier: Label
    status: ShipmentStatus
    action_required: bool = False
    eta_first: Instant | None = None
    eta_now: Instant | None = None
    eta_on: date | None = None
    """The expected calendar day, in the shop's own zone."""
    last_scan_at: Instant | None = None
    scans: tuple[Scan, ...] = ()


class Subscription(Record):
    """A running contract with a plan and a renewal."""

    LINKS: ClassVar[Links] = (
        ("customer", "customer_id"),
        ("account", "account_id"),
        ("service", "service_ids"),
        ("site", "site"),
    )

    customer_id: CustomerId
    account_id: str | None = None
    plan: Label
    status: SubscriptionStatus
    renews_at: Instant | None = None
    price: Money
    autopay: bool = False
    service_ids: tuple[str, ...] = ()
    site: str | None = None


class Invoice(Record):
    """A bill."""

    LINKS: ClassVar[Links] = (("customer", "customer_id"), ("subscription", "subscription_id"))

    customer_id: CustomerId
    subscription_id: str | None = None
    number: Annotated[str, REFERENCE]
    status: InvoiceStatus
    due_at: Instant
    """The end of the due day in the company's zone, exclusive."""
    due_on: date
    """The due calendar day as printed on the bill."""
    amount_due: Money
    autopay: bool = False
    disputed: bool = False
    pay_url: str | None = None
    usual_amount: Money | None = None


class Payment(Record):
    """An attempt to pay an invoice or order."""

    LINKS: ClassVar[Links] = (("customer", "customer_id"), ("invoice", "invoice_id"), ("order", "order_id"))

    customer_id: CustomerId
    invoice_id: str | None = None
    order_id: str | None = None
    status: PaymentStatus
    failure_code: Label | None = None
    failure_class: FailureClass | None = None
    attempt: int = 1
    next_attempt_at: Instant | None = None
    risk_level: Label | None = None
    risk_score: int | None = None
    """Hundredths of a percent, 0 to 10,000."""
    evidence_due_at: Instant | None = None


class Transaction(Record):
    """A movement on a bank account; the merchant is untrusted text."""

    LINKS: ClassVar[Links] = (("customer", "customer_id"), ("account", "account_id"))

    customer_id: CustomerId
    account_id: str
    at: Instant
    amount: Money
    merchant: str = ""
    mcc: str | None = None
    country: Label | None = None
    status: TransactionStatus
    risk_score: int | None = None
    """Hundredths of a percent, 0 to 10,000."""
