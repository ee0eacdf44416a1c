"""Table of opened situations: a verdict binds to what was shown, and can be resumed."""

from datetime import datetime

from sqlalchemy import Index, Text
from sqlmodel import Field

from agent.store.tables.base import Named


class SituationOpening(Named, table=True):
    """What one reviewer saw of a situation; `covered` has (draft id, content hash) pairs as JSON."""

    __table_args__ = (Index("ix_situation_opening", "situation_id", "reviewer"),)

    id: str = Field(primary_key=True)
    situation_id: str
    reviewer: str
    digest: str
    covered: str = Field(sa_type=Text)
    opened_at: datetime
    approved_at: datetime | None
    """The first of two approvals, where so many drafts need two people."""
    begun_at: datetime | None
    """When the verdict began; items may be decided from then on."""
    ended_at: datetime | None
    recipients: int | None
    """How many drafts the verdict is about, once it has begun."""
