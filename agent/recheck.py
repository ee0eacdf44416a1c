"""The ports for looking again before acting: fresh facts, whether the condition holds, what gates look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from sqlalchemy import Connection

from agent.domain.cases import Case, CaseId
from policies.gates.candidate import Candidate
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
    locale: str = ""
    """The locale in which a message would be written for the customer now."""
    zone: str = ""
    """The zone in which its times would be printed."""


class Recheck(Protocol):
    """Looks at a case again through the sources themselves, not through the mirror."""

    def __call__(self, case_id: CaseId, *, now: datetime) -> Rechecked:
        """Re-read what the case rests on, bring the mirror up to date, and judge the condition again."""
        ...


class LoadCandidates(Protocol):
    """Gathers what the gates look at, through the connection it is given."""

    def __call__(
        self, conn: Connection, cases: Sequence[Case], *, now: datetime
    ) -> Mapping[CaseId, Candidate]:
        """Return the candidate of each case as the database has it now."""
        ...
