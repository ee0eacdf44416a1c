"""Tables of the send ledger and of what may be sent."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, Text, UniqueConstraint, text
from sqlmodel import Field

from agent.store.tables.base import Named


class DeliveryRow(Named, table=True):
    """The intent to send one message once."""

    __table_args__ = (
        CheckConstraint(
            "NOT needs_approval OR review_id IS NOT NULL OR state IN ('queued', 'cancelled', 'suppressed')",
            name="approved_before_sending",
        ),
        Index("ix_delivery_customer", "customer_id", "intent_at"),
        Index("ix_delivery_state", "state", "next_at"),
    )

    id: str = Field(primary_key=True)
    case_id: str = Field(index=True)
    customer_id: str
    scenario: str
    purpose: str
    channel: str
    step: int
    dedup_key: str = Field(unique=True)
    draft_id: str
    review_id: str | None
    needs_approval: bool
    content_hash: str
    message: str = Field(sa_type=Text)
    state: str
    state_reason: str
    next_at: datetime | None
    expires_at: datetime
    attempts: int
    counts_to_cap: bool
    intent_at: datetime | None
    """When it was first allowed to leave; caps count from here."""


class AttemptRow(Named, table=True):
    """One call to a provider."""

    __table_args__ = (
        UniqueConstraint("delivery_id", "number"),
        Index(
            "ix_attempt_open",
            "delivery_id",
            unique=True,
            sqlite_where=text("state = 'started'"),
            postgresql_where=text("state = 'started'"),
        ),
    )

    id: str = Field(primary_key=True)
    delivery_id: str
    number: int
    state: str
    idempotency_key: str
    body_hash: str
    provider: str
    owner: str
    deadline: datetime
    started_at: datetime
    ended_at: datetime | None
    provider_ref: str | None
    detail: str


class Suppression(Named, table=True):
    """An address that must not be written to; kept as a keyed hash, for ever."""

    channel: str = Field(primary_key=True)
    address_hmac: str = Field(primary_key=True)
    purpose: str = Field(primary_key=True)
    """A purpose, or `all`."""
    at: datetime
    source: str


class KillSwitch(Named, table=True):
    """A stop that a person ordered; active while `lifted_at` is null."""

    id: str = Field(primary_key=True)
    scope: str
    """`global`, `scenario` or `channel`."""
    key: str
    reason: str
    set_by: str
    set_at: datetime
    lifted_by: str | None
    lifted_at: datetime | None
