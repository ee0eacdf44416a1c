"""What the review desk shows and answers."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from agent.domain.cases import Case
from agent.domain.decisions import Decision
from agent.domain.drafts import DeliveryId, Review
from agent.store.attempts import Attempt
from agent.store.deliveries import DeliveryFile
from agent.store.drafts import DraftFile


class RejectReason(StrEnum):
    """Why a reviewer does not want a message to leave."""

    WRONG_FACTS = "wrong_facts"
    NOT_USEFUL = "not_useful"
    BAD_TIMING = "bad_timing"
    TONE = "tone"
    HANDLED = "handled"
    """Somebody is in touch with the customer already."""
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftView:
    """Everything a reviewer needs to judge a draft."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What came of an approval after the facts were read again."""

    outcome: Literal["approved", "stale", "cleared"]
    message: str
    """One sentence for the reviewer."""
    delivery_id: DeliveryId | None = None
