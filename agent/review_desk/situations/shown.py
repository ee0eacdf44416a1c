"""What a reviewer is shown of a situation, and what comes of a verdict on it."""

from dataclasses import dataclass
from datetime import datetime

from agent.domain.drafts import DraftId
from agent.review_desk.situations.sampling import Stratum


@dataclass(frozen=True, slots=True, kw_only=True)
class SituationItem:
    """One line of the list of situations."""

    situation_id: str
    scenario: str
    channel: str
    locale: str
    waiting: int
    alike: int
    """Drafts with the situation's text, free to be decided together."""
    differing: int
    review_by: datetime
    stake_total: tuple[tuple[str, int], ...]
    """(currency, minor units) of the drafts that are alike."""
    slotted_subject: str
    slotted_body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleItem:
    """One draft of a situation as one customer would get it."""

    draft_id: DraftId
    case_id: str
    customer_name: str
    recipient: str
    locale: str
    clock: str
    """The customer's clock against UTC."""
    segments: int
    stake: str
    subject: str
    body: str
    stratum: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SituationView:
    """Everything a reviewer needs to decide many drafts at once."""

    item: SituationItem
    strata: tuple[Stratum, ...]
    sample: tuple[SampleItem, ...]
    outliers: tuple[tuple[SampleItem, tuple[str, ...]], ...]
    """All of them: whoever approves has seen everyone who is unlike the others."""
    common: tuple[str, ...]
    """What would make an outlier but holds for most."""
    differing: tuple[tuple[DraftId, str], ...]
    """Drafts that no verdict on the situation covers, and why."""
    behind: tuple[tuple[DraftId, str], ...]
    """Drafts that an approval covers but leaves for a look of their own, and why."""
    digest: str
    """Hash over the ids and content hashes of all drafts that a verdict covers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SituationAnswer:
    """What came of a verdict on a situation; every covered draft is in exactly one part."""

    done: tuple[DraftId, ...]
    stale: tuple[DraftId, ...]
    """Their facts changed; the cases are screened and drafted anew."""
    cleared: tuple[DraftId, ...]
    """The condition went away; nothing is sent."""
    left: tuple[tuple[DraftId, str], ...]
    """Still to be decided, and why."""
    message: str
