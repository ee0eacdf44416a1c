"""The review queue as people see it: what to list, one line of it, where a page ended, and how full it is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from agent.domain.cases import CaseId, SituationId
from agent.domain.drafts import DraftId, DraftState
from policies.review_rules import Risk
from tools.records.base import CustomerId, Money
from tools.records.vocabulary import ChannelKind


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFilter:
    """Which drafts to list; None or empty leaves a field open."""

    state: DraftState | None = DraftState.PENDING
    scenario: str | None = None
    channel: ChannelKind | None = None
    risk: Risk | None = None
    reason: str | None = None
    """Why a person must look."""
    claimed: Literal["anyone", "me", "nobody"] = "anyone"
    """Who has it for now; `me` is `reviewer`."""
    reviewer: str | None = None
    situation: SituationId | None = None
    search: str = ""
    """A part of the draft's id, customer's id or name, object, recipient or text; case does not matter."""
    snoozed: bool = False
    """Whether to list what somebody put off instead of what is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueItem:
    """One line of the queue."""

    draft_id: DraftId
    case_id: CaseId
    customer_id: CustomerId
    customer_name: str
    """As the mirror had it when the draft was written; empty when it had none. Text by strangers."""
    object_ref: str
    scenario: str
    channel: ChannelKind
    locale: str
    version: int
    state: DraftState
    subject: str
    body: str
    author: str
    review_reason: str
    risk: Risk
    review_by: datetime
    stake: Money | None
    value_micros: int
    segments: int
    content_hash: str
    created_at: datetime
    expires_at: datetime
    deadline: datetime | None
    claimed_by: str | None
    claimed_until: datetime | None
    snoozed_until: datetime | None
    first_approver: str | None
    """Who approved already, where a second person must."""
    situation_id: SituationId | None
    situation_size: int
    """How many drafts of its situation wait, this one included; 0 when it does not wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePlace:
    """Where a page ended; the next one starts after it. The order is by `review_by`, then id."""

    review_by: datetime
    draft_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueCounts:
    """How full the queue is; snoozed drafts are counted only as snoozed."""

    waiting: int
    overdue: int
    """Past the instant by which somebody should have looked."""
    expiring_soon: int
    claimed: int
    """By anybody."""
    mine: int
    snoozed: int
    by_scenario: tuple[tuple[str, int], ...]
    by_risk: tuple[tuple[Risk, int], ...]
