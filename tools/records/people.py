"""Records about people: who they are, what they allow, what they asked."""

from typing import ClassVar

from pydantic import Field

from tools.records.base import E164, CustomerId, Instant, Label, Links, Postcode, Record
from tools.records.vocabulary import (
    AccountKind,
    AccountStatus,
    ChannelKind,
    ConsentState,
    CustomerStatus,
    ProtectedFlag,
    Purpose,
    TicketStatus,
)


class Customer(Record):
    """A person or company that may be written to; `name` is untrusted text."""

    LINKS: ClassVar[Links] = (
        ("phone", "phones"),
        ("email", "emails"),
        ("postcode", "postcode"),
        ("account", "account_id"),
    )

    name: str
    emails: tuple[str, ...] = ()
    phones: tuple[E164, ...] = ()
    push_tokens: tuple[str, ...] = ()
    locale: Label = "en_US"
    """Language and territory as Babel reads it, for example `pt_BR`."""
    tz: Label | None = None
    """IANA zone, if the company knows it."""
    country: Label | None = Field(default=None, pattern=r"^[A-Z]{2}$")
    postcode: Postcode | None = None
    segment: Label | None = None
    vip: bool = False
    account_id: str | None = None
    protected: tuple[ProtectedFlag, ...] = ()
    status: CustomerStatus = CustomerStatus.ACTIVE


class Preference(Record):
    """What one customer said about one channel and purpose; the newest row of a pair counts."""

    LINKS: ClassVar[Links] = (("customer", "customer_id"),)

    customer_id: CustomerId
    channel: ChannelKind
    purpose: Purpose
    state: ConsentState
    source: Label
    at: Instant
    proof: str | None = None


class Account(Record):
    """A contract holder: a person, a household or a company with several contacts."""

    LINKS: ClassVar[Links] = (("customer", "owner_id"),)

    kind: AccountKind
    owner_id: CustomerId
    plan: Label | None = None
    status: AccountStatus
    owner_contacts: tuple[str, ...] = ()


class Ticket(Record):
    """An inbound contact: a ticket, call or chat; subject and body are untrusted text."""

    LINKS: ClassVar[Links] = (("customer", "customer_id"), ("about", "about"))

    customer_id: CustomerId
    channel: Label
    created_at: Instant
    reason: Label
    """The source system's own code."""
    reason_norm: Label
    """The company-wide reason code."""
    subject: str = ""
    status: TicketStatus
    about: str | None = None
    """The object it concerns as `type:id`, for example `order:1001`."""
    outreach_ref: str | None = None
    csat: int | None = None


class Note(Record):
    """Free text attached to another object by staff or customer; untrusted."""

    LINKS: ClassVar[Links] = (("customer", "customer_id"), ("about", "about"))

    customer_id: CustomerId
    about: str
    """The object it concerns as `type:id`."""
    text: str
    at: Instant
