"""Drafts, reviews and deliveries."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from agent.domain.cases import CaseId
from agent.domain.decisions import DecisionId, ModelUse
from policies.guards.finding import Finding
from tools.messages import Outbound
from tools.records.facts import FilledSlot

DraftId = NewType("DraftId", str)
DeliveryId = NewType("DeliveryId", str)
AttemptId = NewType("AttemptId", str)


AUTHORS = frozenset({"model", "template"})
"""Who signs drafts that no person wrote."""


class DraftState(StrEnum):
    """Where a draft stands in review."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"
    """A newer version of the same draft exists."""
    STALE = "stale"
    """Its facts changed; a new deliberation was asked for."""
    CLOSED = "closed"
    """The condition cleared, or the case was closed otherwise."""
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message for one customer, complete, with the slotted text it came from."""

    id: DraftId
    case_id: CaseId
    decision_id: DecisionId
    version: int
    state: DraftState
    message: Outbound
    slotted_subject: str
    slotted_body: str
    used: tuple[FilledSlot, ...]
    findings: tuple[Finding, ...]
    facts_hash: str
    model_use: ModelUse | None
    created_at: datetime
    expires_at: datetime
    review_reason: str
    """Why a person must look: `policy`, `band`, a gate's rule id, …; empty when none must."""
    cost_micros: int
    """What sending it will cost."""
    segments: int
    """SMS segments; 1 for other channels."""
    author: str
    """One of `AUTHORS`, or the reviewer who edited it."""
    written_for: str = ""
    """The customer's own locale when it was written; the message's is that of the text."""
    zone: str = ""
    """The zone in which its times are printed."""


class ReviewVerdict(StrEnum):
    """What a person said about a draft."""

    APPROVE = "approve"
    EDIT = "edit"
    REJECT = "reject"
    REDRAFT = "redraft"
    ESCALATE = "escalate"
    CHANNEL = "channel"
    """The message shall go by another channel."""
    SNOOZE = "snooze"
    UNDO = "undo"
    """The last verdict before it that was not taken back does not count any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A person's verdict, bound to the hash of what was on the screen."""

    id: str
    draft_id: DraftId
    verdict: ReviewVerdict
    reviewer: str
    content_hash: str
    reason: str
    at: datetime
    seconds: int | None
    """How long the reviewer held it, if known."""
    undoes: str | None = None
    """The review that an undo takes back; None for every other verdict."""


class DeliveryState(StrEnum):
    """Where the sending of one message stands."""

    QUEUED = "queued"
    SENDING = "sending"
    """The intent is durable; a provider call may be under way."""
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    """The answer was lost; nobody knows whether it went out."""
    NEEDS_HUMAN = "needs_human"
    """Unknown, and no rule lets us send again or look it up."""
    SUPPRESSED = "suppressed"
    """A gate forbade it at send time, or the condition cleared."""
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The intent to send one message once."""

    id: DeliveryId
    case_id: CaseId
    step: int
    dedup_key: str
    """`signal_key#step`, unique."""
    draft_id: DraftId
    review_id: str | None
    """The approval; None where the playbook allows automatic sending."""
    content_hash: str
    message: Outbound
    state: DeliveryState
    next_at: datetime | None
    expires_at: datetime
    attempts: int
