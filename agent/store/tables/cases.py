"""Tables of cases, decisions, drafts and reviews."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, Text, UniqueConstraint, text
from sqlmodel import Field

from agent.store.tables.base import Named


class CaseFile(Named, table=True):
    """A signal and everything that follows from it."""

    __table_args__ = (
        Index(
            "ix_case_due",
            "next_at",
            sqlite_where=text("next_at IS NOT NULL"),
            postgresql_where=text("next_at IS NOT NULL"),
        ),
        Index("ix_case_object", "object_ref", "scenario"),
        Index("ix_case_customer", "customer_id"),
        Index("ix_case_state", "state"),
    )

    id: str = Field(primary_key=True)
    signal_key: str = Field(unique=True)
    scenario: str
    playbook: str
    customer_id: str
    object_ref: str
    episode: str
    state: str
    opened_at: datetime
    updated_at: datetime
    deadline: datetime | None
    next_at: datetime | None
    situation_id: str | None = Field(index=True)
    turn: int
    shadow: bool


class SituationRow(Named, table=True):
    """Cases that one deliberation serves."""

    __table_args__ = (
        Index(
            "ix_situation_queued",
            "scenario",
            sqlite_where=text("state = 'queued'"),
            postgresql_where=text("state = 'queued'"),
        ),
    )

    id: str = Field(primary_key=True)
    scenario: str
    playbook: str
    channel: str
    locale: str
    categories: str = Field(sa_type=Text)
    instruction: str | None = Field(sa_type=Text)
    state: str
    opened_at: datetime
    closed_at: datetime | None
    head_id: str | None
    """The situation that this one continues, whose drafts are reviewed together with its own."""


class DecisionRow(Named, table=True):
    """One decision; `body` is the whole of it as canonical JSON."""

    __table_args__ = (UniqueConstraint("case_id", "turn"), Index("ix_decision_at", "at"))

    id: str = Field(primary_key=True)
    case_id: str
    turn: int
    stage: str
    kind: str
    reason: str
    scenario: str
    at: datetime
    channel: str | None
    arm: str
    propensity_ppm: int
    cost_micros: int = Field(sa_type=BigInteger)
    body: str = Field(sa_type=Text)
    body_hash: str


class DraftRow(Named, table=True):
    """A draft; `body` never changes, the columns around it do."""

    __table_args__ = (
        UniqueConstraint("case_id", "version"),
        # what follows the order is there for filters and counts, which then read the index alone
        Index(
            "ix_draft_queue",
            *("state", "review_by", "id"),
            *("scenario", "channel", "risk", "review_reason"),
            *("snoozed_until", "claimed_by", "claimed_until", "expires_at"),
        ),
        Index("ix_draft_kind", "state", "scenario", "risk"),
        Index("ix_draft_situation", "state", "situation_id"),
        Index(
            "ix_draft_claimed",
            "claimed_until",
            sqlite_where=text("claimed_until IS NOT NULL"),
            postgresql_where=text("claimed_until IS NOT NULL"),
        ),
        Index(
            "ix_draft_snoozed",
            "snoozed_until",
            sqlite_where=text("snoozed_until IS NOT NULL"),
            postgresql_where=text("snoozed_until IS NOT NULL"),
        ),
        Index("ix_draft_expiry", "state", "expires_at"),
    )

    id: str = Field(primary_key=True)
    case_id: str
    decision_id: str
    customer_id: str
    scenario: str
    channel: str
    version: int
    state: str
    content_hash: str
    body_hash: str
    review_reason: str
    risk: str
    review_by: datetime
    """When a person should have looked; the order of the queue."""
    stake_minor: int | None = Field(sa_type=BigInteger)
    stake_currency: str | None
    value_micros: int = Field(sa_type=BigInteger)
    situation_id: str | None
    """The one it is reviewed with: the head of the situation that it was written for."""
    object_ref: str
    customer_name: str
    created_at: datetime
    expires_at: datetime
    deadline: datetime | None
    claimed_by: str | None
    claimed_at: datetime | None
    """When the present claim began; renewing does not change it."""
    claimed_until: datetime | None
    snoozed_by: str | None
    snoozed_until: datetime | None
    first_review_id: str | None
    """The first approval, where two people must approve."""
    first_approver: str | None
    lock_version: int
    search: str = Field(sa_type=Text)
    """What a search looks through, in small letters."""
    body: str = Field(sa_type=Text)


class ReviewRow(Named, table=True):
    """A person's verdict on a draft."""

    __table_args__ = (
        Index("ix_review_draft", "draft_id"),
        Index("ix_review_case", "case_id"),
        Index("ix_review_at", "at"),
        Index(
            "ix_review_undoes",
            "undoes",
            sqlite_where=text("undoes IS NOT NULL"),
            postgresql_where=text("undoes IS NOT NULL"),
        ),
    )

    id: str = Field(primary_key=True)
    draft_id: str
    case_id: str
    verdict: str
    reviewer: str
    content_hash: str
    reason: str
    at: datetime
    seconds: int | None
    undoes: str | None
    """The review that an undo takes back."""


class ReviewSeedRow(Named, table=True):
    """A draft with a planted mistake that was shown to measure attention; never part of the queue."""

    __table_args__ = (Index("ix_review_seed_draft", "draft_id"), Index("ix_review_seed_reviewer", "reviewer"))

    id: str = Field(primary_key=True)
    draft_id: str
    """The real draft that it was made from."""
    reviewer: str
    kind: str
    mistake: str = Field(sa_type=Text)
    """What is wrong in it, in words."""
    content_hash: str
    """Of what was shown."""
    body: str = Field(sa_type=Text)
    """The draft as it was shown, as canonical JSON."""
    opened_at: datetime
    verdict: str | None
    verdict_at: datetime | None
    seconds: int | None
    caught: bool | None
    """Whether the verdict was any but to approve; None until there is one."""


class ProposalRow(Named, table=True):
    """A change of a template, a prompt or a rule that reviewers' verdicts suggest."""

    __table_args__ = (Index("ix_proposal_state", "state", "created_at"),)

    id: str = Field(primary_key=True)
    kind: str
    target: str
    title: str
    body: str = Field(sa_type=Text)
    state: str
    created_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    words: str = Field(sa_type=Text)
    """Why it was dismissed, if it was."""


class WorkRow(Named, table=True):
    """One thing to advance; `next_at` is the due time, or the lease expiry while it runs."""

    __table_args__ = (
        Index(
            "ix_work_due",
            "next_at",
            sqlite_where=text("next_at IS NOT NULL"),
            postgresql_where=text("next_at IS NOT NULL"),
        ),
    )

    key: str = Field(primary_key=True)
    kind: str
    ref: str
    status: str
    turn: int
    attempts: int
    token: int
    owner: str | None
    priority: int
    next_at: datetime | None
    again_at: datetime | None
    """Set when it was asked for again while it ran, so that no wake-up is lost."""
    error: str
