"""What the review desk answers to a verdict."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from agent.domain.cases import SituationId
from agent.domain.drafts import DeliveryId, DraftId


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
class Approval:
    """What came of an approval after the facts were read again."""

    outcome: Literal["approved", "second_needed", "stale", "cleared", "seed_missed"]
    message: str
    """One sentence for the reviewer."""
    delivery_id: DeliveryId | None = None
    leaves_at: datetime | None = None
    """From when on it may leave; gates may hold it longer."""
    undo_until: datetime | None = None
    """Until when it can be taken back for certain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictAnswer:
    """What came of any other verdict."""

    outcome: Literal["done", "seed_caught", "seed_missed"]
    message: str
    """One sentence for the reviewer; of a planted draft, what was wrong in it."""
    undo_until: datetime | None = None
    """Until when it can be taken back, while the case has not moved on; None when it cannot."""
    draft_id: DraftId | None = None
    """The new version, after an edit."""
    situation_id: SituationId | None = None
    """What is deliberated now, after a redraft or a change of channel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnScore:
    """How many planted mistakes a reviewer was shown and noticed; for nobody else to see."""

    shown: int
    """Those that were judged."""
    caught: int
    last: datetime | None
    """When the last one was judged."""
