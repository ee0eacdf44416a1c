"""Tables of the mirror: what outside systems say, and where reading stopped."""

from datetime import datetime

from sqlalchemy import Index, Text, UniqueConstraint
from sqlmodel import Field

from agent.store.tables.base import Named


class MirrorRecord(Named, table=True):
    """The newest known version of a record of an outside system."""

    __table_args__ = (Index("ix_mirror_record_customer", "customer_ref", "type"),)

    type: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    source: str
    stream: str
    customer_ref: str | None
    version: str
    content_hash: str
    source_updated_at: datetime
    observed_at: datetime
    deleted: bool
    body: str = Field(sa_type=Text)


class MirrorLink(Named, table=True):
    """An index of what records point at: (relation, value) → record."""

    __table_args__ = (Index("ix_mirror_link_value", "relation", "value", "type"),)

    type: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    relation: str = Field(primary_key=True)
    value: str = Field(primary_key=True)


class MirrorChange(Named, table=True):
    """Records whose triggers are still to be evaluated; rows go when they have been."""

    seq: int | None = Field(default=None, primary_key=True)
    type: str
    id: str


class StreamCursor(Named, table=True):
    """Where reading of one stream stopped; written in the transaction that stores the records."""

    source: str = Field(primary_key=True)
    stream: str = Field(primary_key=True)
    stream_version: str | None
    value_kind: str | None
    value: str | None
    key_kind: str | None
    key: str | None
    watermark: datetime | None
    read_at: datetime
    reconciled_at: datetime | None
    missed: int
    """Records that only reconciliation found; above zero is an alarm."""


class Quarantine(Named, table=True):
    """Rows that could not become records, kept raw for a person."""

    __table_args__ = (UniqueConstraint("source", "stream", "raw_hash"),)

    id: str = Field(primary_key=True)
    source: str
    stream: str
    record_type: str
    record_id: str | None
    kind: str
    field: str
    value: str
    problem: str
    raw: str = Field(sa_type=Text)
    raw_hash: str
    first_seen_at: datetime
    last_seen_at: datetime
    seen: int


class Timer(Named, table=True):
    """An instant at which a playbook's condition may become true for a record."""

    __table_args__ = (Index("ix_timer_due", "next_at"),)

    scenario: str = Field(primary_key=True)
    type: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    slot: int = Field(primary_key=True)
    next_at: datetime
