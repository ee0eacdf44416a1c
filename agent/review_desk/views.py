"""What the review desk shows: the queue, one draft with everything around it, and the text as it is typed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from agent.domain.cases import Case
from agent.domain.decisions import Decision
from agent.domain.drafts import Review
from agent.domain.queue import QueueCounts, QueueFilter, QueueItem, QueuePlace
from agent.store.attempts import Attempt
from agent.store.deliveries import DeliveryFile
from agent.store.drafts import DraftFile
from policies.guards.finding import Finding
from policies.review_rules import Risk
from tools.records.base import Money
from tools.records.vocabulary import ChannelKind

__all__ = [
    "ChannelChoice",
    "DraftView",
    "Forecast",
    "Lock",
    "LockKind",
    "QueueCounts",
    "QueueFilter",
    "QueueItem",
    "QueuePlace",
    "Risk",
    "TextCheck",
    "TimelineEntry",
]

FactState = Literal["fresh", "old"]
"""`old`: read longer ago than the playbook's `max_age`; approving reads it again anyway."""
LockKind = Literal[
    "claimed", "expired", "stale_facts", "floor", "own_edit", "role", "second_person", "case_moved"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """Why a draft cannot be approved now."""

    kind: LockKind
    words: str
    """One sentence."""
    remedy: str
    """What to do about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """Something that happened between the company and the customer."""

    at: datetime
    kind: str
    """A record type such as `order` or `ticket`; `message` for what we sent."""
    ref: str
    """The record as `type:id`, or the delivery's id."""
    words: str
    trusted: bool
    """False where the words hold text by strangers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What would happen if the draft were approved now, by the gates as they stand."""

    leaves_at: datetime | None
    """When it would leave; None when a gate forbids it, or holds it without a date."""
    zone: str
    """The customer's, in which `leaves_at` is shown."""
    why: str
    """One sentence."""
    channel: ChannelKind
    segments: int
    cost_micros: int
    needs_second: bool
    """Whether a second person must approve too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftView:
    """Everything a reviewer needs to judge a draft; a planted one looks like any other."""

    draft: DraftFile
    case: Case
    decision: Decision | None
    """What it rests on: facts with sources and times, every gate's verdict, the value."""
    versions: tuple[DraftFile, ...]
    """All drafts of the case, oldest first."""
    decisions: tuple[Decision, ...]
    """All decisions of the case, oldest first."""
    reviews: tuple[Review, ...]
    deliveries: tuple[DeliveryFile, ...]
    attempts: tuple[Attempt, ...]
    customer_name: str
    """Text by strangers; empty when the mirror has no such customer."""
    ticket: str
    """What this opening is called when a verdict is given: the id to hand to approve, reject, …"""
    sender: str = ""
    """Whom the customer will see it come from; empty where that is not known."""
    timeline: tuple[TimelineEntry, ...] = ()
    """Newest first."""
    forecast: Forecast | None = None
    """None when there is nothing left to send."""
    fact_states: Mapping[str, FactState] = field(default_factory=dict[str, FactState])
    locks: tuple[Lock, ...] = ()
    """Why approving is not possible now, the most lasting reason first; empty when it is."""

    @property
    def risk(self) -> Risk:
        """How much is at stake when it is wrong."""
        return self.draft.risk

    @property
    def review_by(self) -> datetime:
        """When a person should have looked."""
        return self.draft.review_by

    @property
    def stake(self) -> Money | None:
        """The money it is about."""
        return self.draft.stake

    @property
    def stale_facts(self) -> tuple[str, ...]:
        """The facts in the text that were read too long ago; they are to be read again before approving."""
        named = {slot.slot for slot in self.draft.draft.used}
        old = {name for name, state in self.fact_states.items() if state == "old"}
        return tuple(sorted(named & old))

    @property
    def first_approver(self) -> str | None:
        """Who approved already, where a second person must."""
        return self.draft.first_approver


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelChoice:
    """Another channel by which a draft could go."""

    channel: ChannelKind
    closed: str
    """Why it cannot be used now, one sentence; empty when it can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextCheck:
    """What the guards say about a text as it is typed."""

    findings: tuple[Finding, ...]
    ok: bool
    """Whether a version with this text could be recorded."""
    segments: int
    """Of an SMS; 1 for other channels."""
    characters: int
    """In the channel's own units: septets or 16-bit units of an SMS, characters otherwise."""
    encoding: Literal["GSM-7", "UCS-2", ""]
    """Of an SMS; empty for other channels."""
    left: int | None
    """Units that still fit, into the last segment of an SMS or on the screen of a push message, negative when
    it is too long; None where nothing limits the text."""
    cost_micros: int
    subject_length: int
    subject_limit: int
    """0 where the channel has no subject."""
    push_cut: int | None
    """Where phones cut a push message off, in characters; None when they do not."""
