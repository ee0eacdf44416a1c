"""Signals, cases and situations."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from tools.records.base import CustomerId

CaseId = NewType("CaseId", str)
SituationId = NewType("SituationId", str)


def signal_key(scenario: str, customer: str, object_ref: str, episode: str) -> str:
    """Return the unique key of a signal: one customer, one object, one episode."""
    return f"{scenario}|{customer}|{object_ref}|{episode}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A trigger found true for one customer and one business object in one episode."""

    scenario: str
    playbook: str
    """`scenario@version` of the playbook that fired."""
    customer_id: CustomerId
    object_ref: str
    """The business object as `type:id`."""
    episode: str
    at: datetime
    """When the trigger was evaluated."""
    deadline: datetime | None

    @property
    def key(self) -> str:
        """The unique signal key."""
        return signal_key(self.scenario, self.customer_id, self.object_ref, self.episode)


class CaseState(StrEnum):
    """Where a case stands. `CLOSED_STATES` are final."""

    NEW = "new"
    """Waiting for the screen, at `next_at`."""
    SCREENED = "screened"
    """Passed the screen; its situation is being deliberated."""
    IN_REVIEW = "in_review"
    """A draft waits for a person."""
    APPROVED = "approved"
    """A delivery is queued or under way."""
    CONTACTED = "contacted"
    """A message was accepted by a provider (or may have been: see the delivery)."""
    ESCALATED = "escalated"
    """A person was asked to take over."""
    ABSTAINED = "abstained"
    HELD_OUT = "held_out"
    """Kept back at random for measurement."""
    RESOLVED = "resolved"
    """The condition cleared before anything was sent."""
    EXPIRED = "expired"
    """Its deadline passed."""
    FAILED = "failed"
    """A provider refused the message for good; a person is told."""


OPEN_STATES = frozenset(
    {CaseState.NEW, CaseState.SCREENED, CaseState.IN_REVIEW, CaseState.APPROVED, CaseState.ESCALATED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything that follows from one signal."""

    id: CaseId
    signal_key: str
    scenario: str
    playbook: str
    customer_id: CustomerId
    object_ref: str
    episode: str
    state: CaseState
    opened_at: datetime
    deadline: datetime | None
    next_at: datetime | None
    """When the screen looks at it again; None while parked or finished."""
    situation_id: SituationId | None
    turn: int
    """How many decisions it has had."""
    shadow: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Open cases that look alike to the model; one deliberation serves all of them."""

    id: SituationId
    scenario: str
    playbook: str
    channel: str
    locale: str
    categories: tuple[tuple[str, str], ...]
    """Coarse facts, as (name, value)."""
    case_ids: tuple[CaseId, ...]
    instruction: str | None = None
    """A reviewer's words, when this is a redraft."""
