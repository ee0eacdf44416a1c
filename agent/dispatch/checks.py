"""The checks inside the intent's transaction: everything that may still forbid a message, on fresh data."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, update
from sqlmodel import col

from agent.dispatch.approvals import approvals_of, why_not_enough
from agent.domain.cases import Case, CaseState
from agent.domain.decisions import DecisionKind
from agent.domain.drafts import DeliveryState, Draft, DraftState
from agent.recheck import LoadCandidates, Rechecked
from agent.staleness import STALE_WORDS, why_stale
from agent.store.deliveries import DeliveryFile
from agent.store.drafts import DraftFile, get_draft
from agent.store.kill_switch import active_stops
from agent.store.second_messages import assume_second_due
from agent.store.tables.sending import DeliveryRow
from policies.engine import Gated, evaluate_gates
from policies.gates.candidate import Candidate
from policies.model import Limits, Playbook
from policies.review_rules import ReviewRules
from policies.triggers import CompiledPlaybook
from policies.value import evaluate, send_cost
from policies.verdict import Outcome, Verdict

_CASE_OF_RULE: Final = {"cleared": CaseState.RESOLVED, "deadline": CaseState.EXPIRED}
"""Blocks that mean more than silence; any other leaves the case as abstained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a message does not leave now, and what follows from it."""

    reason: str
    explanation: str
    delivery: DeliveryState
    """`QUEUED` for a deferral; otherwise a final state of what was never sent."""
    case: CaseState | None = None
    """What becomes of the case; None leaves it alone."""
    draft: DraftState | None = None
    decision: DecisionKind | None = None
    queue: str | None = None
    until: datetime | None = None
    """For a deferral: the earliest useful instant, if known."""
    verdicts: tuple[Verdict, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """Judges one delivery; reads only through the transaction it is given."""

    candidates: LoadCandidates
    playbooks: Mapping[str, CompiledPlaybook]
    limits: Limits
    rules: ReviewRules
    """Who must have approved what a person had to look at."""
    window: timedelta

    def first_refusal(
        self,
        conn: Connection,
        file: DeliveryFile,
        case: Case,
        looked: Rechecked,
        *,
        looked_at: datetime,
        now: datetime,
    ) -> Refusal | None:
        """Return the first reason not to send, or None when the message may leave now.

        Args:
            conn: The transaction that will write the intent.
            file: The delivery, locked.
            case: Its case, locked.
            looked: What a fresh look at the sources found.
            looked_at: When that was.
            now: The instant of the intent.
        """
        stops = active_stops(conn)
        if stops.scenario(file.scenario) or stops.channel(file.channel):
            return _defer("kill_switch", "Sending is switched off.", until=None)  # held, not dropped
        draft = get_draft(conn, file.delivery.draft_id)
        compiled = self.playbooks.get(case.scenario)
        early = (
            _case_refusal(case)
            or _expiry_refusal(file, case, now)
            or self._approval_refusal(conn, file, draft, compiled.playbook if compiled else None)
        )
        if early is not None:
            return early
        if compiled is None or draft is None:
            return _gone(f"The playbook {case.scenario} is no longer in use.", "no_playbook")
        if now - looked_at > min(self.window, compiled.playbook.max_age):
            return _defer("stale_look", "The facts were read too long ago.", until=now)
        return _facts_refusal(looked, draft.draft, compiled.playbook) or self._gate_refusal(
            conn, file, case, compiled.playbook, now
        )

    def without_sender(self, file: DeliveryFile, case: Case, *, now: datetime) -> Refusal:
        """Return what becomes of a message whose channel nobody serves: it waits while there is time."""
        words = f"No sender is set up for {file.channel}."
        return _expiry_refusal(file, case, now) or _defer("no_sender", words, until=None)

    def why_no_second(self, conn: Connection, file: DeliveryFile, case: Case, *, now: datetime) -> str:
        """Return why no second message can follow on another channel; empty when one can, now or later."""
        compiled = self.playbooks.get(case.scenario)
        if compiled is None or case.state is not CaseState.APPROVED:
            return f"The case is {case.state}." if compiled else "The playbook is no longer in use."
        playbook = compiled.playbook
        savepoint = conn.begin_nested()
        try:
            assume_second_due(conn, file.delivery.id)
            candidate = self.candidates(conn, [case], now=now).get(case.id)
        finally:
            savepoint.rollback()
        if candidate is None:
            return "The customer is not in the mirror."
        gated = evaluate_gates(candidate, playbook, self.limits, now=now)
        if gated.ruling.outcome is Outcome.BLOCK:
            return gated.ruling.reason
        value = evaluate(
            playbook.value,
            send_cost=send_cost(self.limits, gated.channel),
            sent_last_week=candidate.sent_last_week,
        )
        return "" if value.worth_it or value.in_band else "It would cost more than it is worth."

    def _approval_refusal(
        self, conn: Connection, file: DeliveryFile, draft: DraftFile | None, playbook: Playbook | None
    ) -> Refusal | None:
        """Compare the stored bytes, the delivery, the draft and the approvals: all must say the same."""
        if draft is None or not _is_what_the_draft_says(file, draft):
            return _tampered()
        if not file.needs_approval:
            return None if draft.draft.state is DraftState.APPROVED else _tampered()
        approvals = approvals_of(conn, draft, file.delivery.review_id)
        if approvals is None:
            return _tampered()
        if playbook is None:
            return None
        lacking = why_not_enough(conn, draft, approvals, playbook=playbook, rules=self.rules)
        return _back_in_review(*lacking) if lacking else None

    def _gate_refusal(
        self, conn: Connection, file: DeliveryFile, case: Case, playbook: Playbook, now: datetime
    ) -> Refusal | None:
        candidate = self._candidate(conn, file, case, now)
        if candidate is None:
            return _defer("no_candidate", "The customer is not in the mirror.", until=None)
        addresses = [reach.address for reach in candidate.reaches if reach.kind is file.channel]
        if file.delivery.message.recipient not in addresses:
            return _stale("address_changed", "The customer's address changed since the draft was written.")
        gated = evaluate_gates(candidate, playbook, self.limits, now=now, only=file.channel)
        return _ruling_refusal(gated, file)

    def _candidate(self, conn: Connection, file: DeliveryFile, case: Case, now: datetime) -> Candidate | None:
        if file.delivery.state is DeliveryState.QUEUED:
            return self.candidates(conn, [case], now=now).get(case.id)
        # A repeat under the same key is the same message: it must not count against its own cap.
        savepoint = conn.begin_nested()
        try:
            conn.execute(
                update(DeliveryRow)
                .where(col(DeliveryRow.id) == file.delivery.id)
                .values(state=DeliveryState.QUEUED)
            )
            return self.candidates(conn, [case], now=now).get(case.id)
        finally:
            savepoint.rollback()


def out_of_time(case: Case, explanation: str, *, now: datetime) -> Refusal:
    """Return the refusal of a message that could not leave in time.

    Before the deadline of its case there is still use in a newer message: the case starts anew.
    """
    if case.deadline is not None and case.deadline > now:
        return Refusal(
            reason="approval_expired",
            explanation=explanation,
            delivery=DeliveryState.CANCELLED,
            case=CaseState.NEW,
            draft=DraftState.EXPIRED,
        )
    return Refusal(
        reason="expired",
        explanation=explanation,
        delivery=DeliveryState.CANCELLED,
        case=CaseState.EXPIRED,
        decision=DecisionKind.ABSTAIN,
    )


def _case_refusal(case: Case) -> Refusal | None:
    if case.shadow:
        return _gone("The case runs in shadow mode, which sends nothing.", "shadow")
    if case.state is not CaseState.APPROVED:
        return Refusal(
            reason=f"case_{case.state}",
            explanation=f"The case is {case.state}.",
            delivery=DeliveryState.CANCELLED,
        )
    return None


def _expiry_refusal(file: DeliveryFile, case: Case, now: datetime) -> Refusal | None:
    if file.delivery.expires_at <= now or (case.deadline is not None and case.deadline <= now):
        return out_of_time(case, "Its time ran out before the message could leave.", now=now)
    return None


def _is_what_the_draft_says(file: DeliveryFile, draft: DraftFile) -> bool:
    delivery = file.delivery
    hashes = {
        hashlib.sha256(file.message_text.encode()).hexdigest(),
        delivery.message.content_hash,
        delivery.content_hash,
        draft.content_hash,
        draft.draft.message.content_hash,
    }
    return len(hashes) == 1 and delivery.message.channel is file.channel


def _facts_refusal(looked: Rechecked, draft: Draft, playbook: Playbook) -> Refusal | None:
    if looked.status == "unknown":
        return _defer("facts_unknown", f"The facts could not be read again: {looked.detail}", until=None)
    if looked.status == "cleared":
        return Refusal(
            reason="condition_cleared",
            explanation="The condition cleared before the message left.",
            delivery=DeliveryState.SUPPRESSED,
            case=CaseState.RESOLVED,
            decision=DecisionKind.ABSTAIN,
        )
    stale = why_stale(draft, looked, playbook)
    return _stale(stale, f"{STALE_WORDS[stale]}.") if stale else None


def _ruling_refusal(gated: Gated, file: DeliveryFile) -> Refusal | None:
    ruling = gated.ruling
    if ruling.outcome is Outcome.DEFER:
        return _defer(ruling.rule, ruling.reason, until=ruling.until, verdicts=gated.verdicts)
    if ruling.outcome is Outcome.BLOCK:
        return Refusal(
            reason=ruling.rule,
            explanation=ruling.reason,
            delivery=DeliveryState.SUPPRESSED,
            case=CaseState.ESCALATED if ruling.queue else _CASE_OF_RULE.get(ruling.rule, CaseState.ABSTAINED),
            decision=DecisionKind.ESCALATE if ruling.queue else DecisionKind.ABSTAIN,
            queue=ruling.queue,
            verdicts=gated.verdicts,
        )
    if ruling.outcome is Outcome.NEEDS_REVIEW and file.delivery.review_id is None:
        return _back_in_review(ruling.rule, ruling.reason, verdicts=gated.verdicts)
    return None


def _back_in_review(reason: str, explanation: str, *, verdicts: tuple[Verdict, ...] | None = None) -> Refusal:
    return Refusal(
        reason=reason,
        explanation=explanation,
        delivery=DeliveryState.CANCELLED,
        case=CaseState.IN_REVIEW,
        draft=DraftState.PENDING,
        verdicts=verdicts,
    )


def _defer(
    reason: str, explanation: str, *, until: datetime | None, verdicts: tuple[Verdict, ...] | None = None
) -> Refusal:
    return Refusal(
        reason=reason,
        explanation=explanation,
        delivery=DeliveryState.QUEUED,
        until=until,
        verdicts=verdicts,
    )


def _stale(reason: str, explanation: str) -> Refusal:
    return Refusal(
        reason=reason,
        explanation=explanation,
        delivery=DeliveryState.CANCELLED,
        case=CaseState.NEW,
        draft=DraftState.STALE,
    )


def _gone(explanation: str, reason: str) -> Refusal:
    return Refusal(
        reason=reason,
        explanation=explanation,
        delivery=DeliveryState.CANCELLED,
        case=CaseState.ABSTAINED,
        decision=DecisionKind.ABSTAIN,
    )


def _tampered() -> Refusal:
    return Refusal(
        reason="approval_mismatch",
        explanation="What would be sent is not what was approved.",
        delivery=DeliveryState.SUPPRESSED,
        case=CaseState.ESCALATED,
        decision=DecisionKind.ESCALATE,
    )
