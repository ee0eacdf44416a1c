"""Tables of the audit log, of model calls and of money."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, Text
from sqlmodel import Field

from agent.store.tables.base import Named


class SubjectKey(Named, table=True):
    """The key that personal fields of one customer's audit events are encrypted under."""

    subject_ref: str = Field(primary_key=True)
    customer_id: str = Field(unique=True)
    wrapped_key: str
    created_at: datetime


class AuditEventRow(Named, table=True):
    """One event of the audit log; `envelope` is the canonical text that is hashed."""

    __table_args__ = (Index("ix_audit_case", "case_id"),)

    id: str = Field(primary_key=True)
    type: str
    at: datetime
    subject_ref: str | None = Field(index=True)
    case_id: str | None
    envelope: str = Field(sa_type=Text)


class AuditPending(Named, table=True):
    """Events that are not in the chain yet; empty on SQLite, where sealing happens at once."""

    event_id: str = Field(primary_key=True)


class AuditSeal(Named, table=True):
    """The chain: leaf hash and chain value of each event, in log order."""

    seq: int = Field(primary_key=True)
    event_id: str = Field(unique=True)
    leaf: str
    chain: str


class LlmCallRow(Named, table=True):
    """One call to a model, request and reply."""

    __table_args__ = (Index("ix_llm_call_request", "request_hash", "status"),)

    id: str = Field(primary_key=True)
    request_hash: str
    task: str
    model: str
    situation_id: str | None = Field(index=True)
    request: str = Field(sa_type=Text)
    reply: str | None = Field(sa_type=Text)
    status: str
    error: str
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    cost_micros: int = Field(sa_type=BigInteger)
    started_at: datetime
    ended_at: datetime | None


class BudgetRow(Named, table=True):
    """Money for one scope and period: never spent + held above the cap."""

    scope: str = Field(primary_key=True)
    period: str = Field(primary_key=True)
    cap: int = Field(sa_type=BigInteger)
    held: int = Field(sa_type=BigInteger)
    spent: int = Field(sa_type=BigInteger)


class BudgetHold(Named, table=True):
    """Money reserved for a call under way, so that a dead owner's reserve can be released."""

    id: str = Field(primary_key=True)
    scope: str
    period: str
    amount: int = Field(sa_type=BigInteger)
    owner: str
    at: datetime
