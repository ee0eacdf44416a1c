"""The closed vocabularies of records; a value outside them is quarantined, never guessed."""

from enum import StrEnum


class ChannelKind(StrEnum):
    """How a message reaches a customer."""

    EMAIL = "email"
    SMS = "sms"
    PUSH = "push"


class Purpose(StrEnum):
    """Why a message is sent, ordered from the freest to the strictest legal regime last."""

    SAFETY = "safety"
    ACCOUNT_SECURITY = "account_security"
    SERVICE = "service"
    COLLECTIONS = "collections"
    MARKETING = "marketing"


class ConsentState(StrEnum):
    """What a customer said about one channel and purpose."""

    OPTED_IN = "in"
    OPTED_OUT = "out"
    UNKNOWN = "unknown"


class ProtectedFlag(StrEnum):
    """Circumstances in which only a person may decide to write."""

    DECEASED = "deceased"
    MINOR = "minor"
    BANKRUPTCY = "bankruptcy"
    HARDSHIP = "hardship"
    FRAUD_HOLD = "fraud_hold"
    LITIGATION = "litigation"
    DOMESTIC_ABUSE = "domestic_abuse"
    VULNERABLE = "vulnerable"


class CustomerStatus(StrEnum):
    """State of the relation to a customer."""

    ACTIVE = "active"
    CLOSED = "closed"
    TEST = "test"
    EMPLOYEE = "employee"


class AccountKind(StrEnum):
    """Who holds an account."""

    PERSON = "person"
    COMPANY = "company"
    HOUSEHOLD = "household"


class AccountStatus(StrEnum):
    """State of an account."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSED = "closed"


class OrderStatus(StrEnum):
    """State of an order."""

    PENDING = "pending"
    OPEN = "open"
    ON_HOLD = "on_hold"
    PART_FULFILLED = "part_fulfilled"
    FULFILLED = "fulfilled"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    FAILED = "failed"


class PaymentStatus(StrEnum):
    """State of a payment."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    NEEDS_ACTION = "needs_action"
    REFUNDED = "refunded"
    DISPUTED = "disputed"


class RefundStatus(StrEnum):
    """State of a refund."""

    NONE = "none"
    REQUESTED = "requested"
    PARTIAL = "partial"
    FULL = "full"


class ShipmentStatus(StrEnum):
    """State of a parcel, after the carriers' common terms."""

    UNKNOWN = "unknown"
    PRE_TRANSIT = "pre_transit"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    ATTEMPT_FAILED = "attempt_failed"
    AVAILABLE_FOR_PICKUP = "available_for_pickup"
    DELIVERED = "delivered"
    EXCEPTION = "exception"
    RETURNED = "returned"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class SubscriptionStatus(StrEnum):
    """State of a subscription or contract."""

    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    ENDED = "ended"


class InvoiceStatus(StrEnum):
    """State of an invoice."""

    DRAFT = "draft"
    OPEN = "open"
    PAID = "paid"
    PAST_DUE = "past_due"
    UNCOLLECTIBLE = "uncollectible"
    VOID = "void"


class FailureClass(StrEnum):
    """What a failed payment asks for."""

    RETRY_LATER = "retry_later"
    UPDATE_CARD = "update_card"
    BANK_SAYS_NO = "bank_says_no"
    NEEDS_AUTHENTICATION = "needs_authentication"
    FRAUD = "fraud"


class TransactionStatus(StrEnum):
    """State of a bank transaction."""

    HELD = "held"
    POSTED = "posted"
    DECLINED = "declined"
    REVERSED = "reversed"


class IncidentStatus(StrEnum):
    """State of an incident."""

    SCHEDULED = "scheduled"
    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MONITORING = "monitoring"
    RESOLVED = "resolved"


class Severity(StrEnum):
    """How bad an incident is."""

    NONE = "none"
    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"


class DeviceStatus(StrEnum):
    """State of a device."""

    ONLINE = "online"
    DEGRADED = "degraded"
    OFFLINE = "offline"
    RETIRED = "retired"


class TicketStatus(StrEnum):
    """State of a ticket."""

    OPEN = "open"
    PENDING = "pending"
    SOLVED = "solved"
    CLOSED = "closed"


class RepairStatus(StrEnum):
    """State of a repair."""

    SCHEDULED = "scheduled"
    EN_ROUTE = "en_route"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class MessageEventKind(StrEnum):
    """What became of a message, as a provider reports it."""

    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    DEFERRED = "deferred"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    OPENED = "opened"
    CLICKED = "clicked"
    REPLIED = "replied"
    UNSUBSCRIBED = "unsubscribed"
