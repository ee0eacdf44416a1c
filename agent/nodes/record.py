"""record: decisions, drafts and deliveries in bulk; recording the same situation twice is harmless."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from agent.clock import Clock
from agent.composition import stake_of
from agent.domain.audit import Actor, ActorKind
from agent.domain.cases import Case, CaseId, CaseState
from agent.domain.decisions import Decision, DecisionKind
from agent.domain.deliberation import Deliberation, Update
from agent.domain.drafts import Draft, DraftState
from agent.store.cases import get_cases, transition
from agent.store.decisions import record_decisions
from agent.store.deliveries import NewDelivery, queue_deliveries
from agent.store.drafts import NewDraft, next_versions, record_drafts
from agent.store.second_messages import steps_of
from agent.store.situations import close_situation
from agent.store.transaction import Store, Tx, chunked
from agent.store.work import enqueue
from policies.model import Playbook
from policies.review_rules import ReviewRules
from policies.triggers import CompiledPlaybook

ACTOR: Final = Actor(kind=ActorKind.SYSTEM, id="graph")
FOUR_EYES: Final = "four_eyes"
"""Why a person must look at a draft that would leave by itself, were less at stake."""
_MEMBERS_PER_TRANSACTION: Final = 250


@dataclass(frozen=True, slots=True)
class Record:
    """Writes what the graph came to; the only node with an effect, and only on our own database."""

    store: Store
    playbooks: Mapping[str, CompiledPlaybook]
    rules: ReviewRules
    clock: Clock

    async def __call__(self, state: Deliberation) -> Update:
        """Write and return how many members were recorded; those closed meanwhile are left alone."""
        return Update(recorded=await asyncio.to_thread(self._record, state))

    def _record(self, state: Deliberation) -> int:
        drafts = {draft.case_id: draft for draft in state.drafts}
        playbook = self.playbooks[state.situation.scenario].playbook
        recorded = 0
        for part in chunked(state.decisions, _MEMBERS_PER_TRANSACTION):
            with self.store.write() as tx:
                recorded += self._record_part(tx, part, drafts, playbook)
        with self.store.write() as tx:
            close_situation(tx, state.situation.id, at=self.clock())
        return recorded

    def _record_part(
        self, tx: Tx, decisions: Sequence[Decision], drafts: Mapping[CaseId, Draft], playbook: Playbook
    ) -> int:
        now = self.clock()
        cases = {
            case.id: case
            for case in get_cases(tx.conn, [decision.case_id for decision in decisions])
            if case.state is CaseState.SCREENED
        }
        # a second run of the same situation finds the turn taken or the case moved on
        kept = [one for one in decisions if one.case_id in cases and cases[one.case_id].turn == one.turn]
        record_decisions(
            tx, kept, scenario_of={case.id: case.scenario for case in cases.values()}, actor=ACTOR
        )
        for decision in kept:
            if decision.kind is not DecisionKind.CONTACT:
                _settle(tx, decision, at=now)
        contacts = [one for one in kept if one.kind is DecisionKind.CONTACT]
        self._hand_on(tx, contacts, cases, drafts, playbook, now=now)
        return len(kept)

    def _hand_on(
        self,
        tx: Tx,
        contacts: Sequence[Decision],
        cases: Mapping[CaseId, Case],
        drafts: Mapping[CaseId, Draft],
        playbook: Playbook,
        *,
        now: datetime,
    ) -> None:
        """Write the drafts; those that need no person go straight to dispatch."""
        versions = next_versions(tx.conn, [one.case_id for one in contacts])
        numbered = [
            replace(self._for_two(drafts[one.case_id], one, playbook), version=versions[one.case_id])
            for one in contacts
        ]
        new = [
            self._place(draft, decision, cases[draft.case_id], playbook)
            for draft, decision in zip(numbered, contacts, strict=True)
        ]
        record_drafts(tx, new, actor=ACTOR)
        waiting = [draft.case_id for draft in numbered if draft.state is DraftState.PENDING]
        if waiting:
            transition(
                tx, waiting, to=CaseState.IN_REVIEW, at=now, next_at=None, reason="drafted", actor=ACTOR
            )
        free = [draft for draft in numbered if draft.state is DraftState.APPROVED]
        silent = [draft.case_id for draft in free if cases[draft.case_id].shadow]
        if silent:
            transition(tx, silent, to=CaseState.APPROVED, at=now, next_at=None, reason="shadow", actor=ACTOR)
        if len(silent) < len(free):
            self._dispatch(
                tx, [draft for draft in free if not cases[draft.case_id].shadow], cases, playbook, now=now
            )

    def _for_two(self, draft: Draft, decision: Decision, playbook: Playbook) -> Draft:
        """Keep what two people must approve from leaving by itself, whatever the playbook says."""
        stake = stake_of(decision.facts, playbook)
        two = self.rules.needs_second(purpose=playbook.purpose, stake=stake)
        if draft.state is DraftState.PENDING or not two:
            return draft
        return replace(draft, state=DraftState.PENDING, review_reason=FOUR_EYES)

    def _place(self, draft: Draft, decision: Decision, case: Case, playbook: Playbook) -> NewDraft:
        """Return a draft with its place in the review queue."""
        stake = stake_of(decision.facts, playbook)
        risk = self.rules.risk_of(purpose=playbook.purpose, stake=stake, reason=draft.review_reason)
        return NewDraft(
            draft=draft,
            case=case,
            value_micros=decision.valuation.total if decision.valuation else 0,
            stake=stake,
            risk=risk,
            review_by=self.rules.review_by(
                risk, created_at=draft.created_at, expires_at=draft.expires_at, deadline=case.deadline
            ),
        )

    def _dispatch(
        self,
        tx: Tx,
        drafts: Sequence[Draft],
        cases: Mapping[CaseId, Case],
        playbook: Playbook,
        *,
        now: datetime,
    ) -> None:
        steps = steps_of(tx.conn, [draft.case_id for draft in drafts])
        queued = queue_deliveries(
            tx,
            [
                NewDelivery(
                    case=cases[draft.case_id],
                    draft=draft,
                    step=steps[draft.case_id],
                    purpose=playbook.purpose,
                    counts_to_cap=playbook.counts_to_cap,
                    needs_approval=False,
                    review_id=None,
                    next_at=now,
                )
                for draft in drafts
            ],
            at=now,
            actor=ACTOR,
        )
        transition(
            tx,
            list(queued),
            to=CaseState.APPROVED,
            at=now,
            next_at=None,
            reason="no_review_needed",
            actor=ACTOR,
        )
        for delivery_id in queued.values():
            enqueue(tx, key=f"dispatch:{delivery_id}", kind="dispatch", ref=delivery_id, at=now)


def _settle(tx: Tx, decision: Decision, *, at: datetime) -> None:
    """Move a case that is not to be contacted now."""
    next_at: datetime | None = None
    if decision.kind is DecisionKind.DEFER:
        state, next_at = CaseState.NEW, decision.until or at
    elif decision.kind is DecisionKind.ESCALATE:
        state = CaseState.ESCALATED
    else:
        state = CaseState.EXPIRED if decision.reason == "deadline" else CaseState.ABSTAINED
    transition(tx, [decision.case_id], to=state, at=at, next_at=next_at, reason=decision.reason, actor=ACTOR)
