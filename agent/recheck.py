"""The port for looking again before acting: fresh facts, and whether the condition still holds."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from agent.domain.cases import CaseId
from tools.records.facts import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Rechecked:
    """What a fresh look at a case found."""

    status: Literal["holds", "cleared", "unknown"]
    """`unknown`: a source did not answer, or a fact the condition needs is missing."""
    facts: tuple[Fact, ...]
    facts_hash: str
    detail: str = ""
    """For `unknown`: which source or fact."""


class Recheck(Protocol):
    """Looks at a case again through the sources themselves, not through the mirror."""

    def __call__(self, case_id: CaseId, *, now: datetime) -> Rechecked:
        """Re-read what the case rests on, bring the mirror up to date, and judge the condition again."""
        ...
