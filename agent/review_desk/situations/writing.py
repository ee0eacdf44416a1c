"""The rows and events of a verdict on many drafts, written in one transaction with few statements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from agent.domain.audit import Actor
from agent.domain.cases import Case, CaseId, CaseState
from agent.domain.decisions import DecisionId, DecisionKind, Stage
from agent.domain.drafts import DraftState, Review, ReviewVerdict
from agent.review_desk.situations.bulk import Fates
from agent.store.cases import get_cases, transition
from agent.store.decisions import last_decisions, record_decisions
from agent.store.drafts import DraftFile
from agent.store.locks import lock_cases
from agent.store.reviews import NewReview, record_reviews
from agent.store.situation_drafts import take_drafts
from agent.store.transaction import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Drafts of one transaction with their cases locked."""

    tx: Tx
    cases: Mapping[CaseId, Case]
    actor: Actor
    """The reviewer."""
    now: datetime

    def take(
        self, files: Sequence[DraftFile], fates: Fates, *, to: DraftState, reason: str
    ) -> list[DraftFile]:
        """Move those drafts on to which nothing happened since they were read; return them."""
        free = [file for file in files if self._in_review(file, fates)]
        taken = take_drafts(self.tx, free, actor=self.actor, to=to, reason=reason, now=self.now)
        return [file for file in free if file.draft.id in taken]

    def review(
        self, files: Sequence[DraftFile], verdict: ReviewVerdict, *, reason: str = ""
    ) -> dict[CaseId, str]:
        """Record one review for each draft; return case → review id.

        Seconds are unknown: nobody looked at each of these for a time of its own.
        """
        reviews = [
            NewReview(
                review=Review(
                    id=self.tx.ids.new("rev", at=self.now),
                    draft_id=file.draft.id,
                    verdict=verdict,
                    reviewer=self.actor.id,
                    content_hash=file.content_hash,
                    reason=reason,
                    at=self.now,
                    seconds=None,
                ),
                case_id=file.draft.case_id,
                customer_id=file.customer_id,
            )
            for file in files
        ]
        record_reviews(self.tx, reviews, actor=self.actor)
        return {new.case_id: new.review.id for new in reviews}

    def decide(
        self,
        files: Sequence[DraftFile],
        *,
        kind: DecisionKind,
        reason: str,
        explanation: str,
        queue: str | None = None,
    ) -> None:
        """Record that a person decided otherwise than the drafts proposed."""
        before = last_decisions(self.tx.conn, [file.draft.case_id for file in files])
        decisions = [
            replace(
                before[file.draft.case_id],
                id=DecisionId(self.tx.ids.new("dec", at=self.now)),
                turn=self.cases[file.draft.case_id].turn,
                stage=Stage.REVIEW,
                kind=kind,
                reason=reason,
                explanation=explanation,
                at=self.now,
                until=None,
                queue=queue,
                model_use=None,
            )
            for file in files
        ]
        scenarios = {case.id: case.scenario for case in self.cases.values()}
        record_decisions(self.tx, decisions, scenario_of=scenarios, actor=self.actor)

    def move(
        self, files: Sequence[DraftFile], *, to: CaseState, reason: str, next_at: datetime | None = None
    ) -> None:
        """Move the cases of drafts on."""
        if files:
            ids = [file.draft.case_id for file in files]
            transition(self.tx, ids, to=to, at=self.now, next_at=next_at, reason=reason, actor=self.actor)

    def _in_review(self, file: DraftFile, fates: Fates) -> bool:
        case = self.cases.get(file.draft.case_id)
        if case is not None and case.state is CaseState.IN_REVIEW:
            return True
        fates.put(file.draft.id, "left", f"its case is {case.state if case else 'gone'}")
        return False


def locked(tx: Tx, files: Sequence[DraftFile], *, actor: Actor, now: datetime) -> Chunk:
    """Lock the cases of drafts and return them as they are now."""
    ids = [file.draft.case_id for file in files]
    lock_cases(tx.conn, ids)
    cases = {case.id: case for case in get_cases(tx.conn, ids)}
    return Chunk(tx=tx, cases=cases, actor=actor, now=now)
