"""What follows when a message does not leave: delivery, draft, case and decision in one transaction."""

from dataclasses import dataclass, replace
from datetime import datetime

from agent.dispatch.checks import Refusal
from agent.dispatch.ports import Dispatched, Pace, Result
from agent.domain.audit import Actor
from agent.domain.cases import Case, CaseState
from agent.domain.decisions import DecisionId, DecisionKind, Stage
from agent.domain.drafts import DeliveryState, DraftState
from agent.recheck import Rechecked
from agent.store.cases import transition
from agent.store.decisions import last_decision, record_decisions
from agent.store.deliveries import DeliveryFile, set_delivery_state
from agent.store.drafts import set_draft_states
from agent.store.transaction import Tx
from policies.model import Playbook
from tools.records.facts import facts_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """A delivery, its case, and the instant at which something stopped it."""

    file: DeliveryFile
    case: Case
    playbook: Playbook | None
    looked: Rechecked | None
    """The facts that were seen, for the decision record."""
    at: datetime
    actor: Actor


def apply_refusal(tx: Tx, stopped: Stopped, refusal: Refusal, *, pace: Pace) -> Dispatched:
    """Write what a refusal means for a message that surely has not left."""
    file, case = stopped.file, stopped.case
    if refusal.delivery is DeliveryState.QUEUED:
        return _defer(tx, stopped, refusal, pace=pace)
    _set(tx, stopped, to=refusal.delivery, refusal=refusal, next_at=None)
    if refusal.draft is not None:
        set_draft_states(
            tx,
            [file.delivery.draft_id],
            to=refusal.draft,
            expected=DraftState.APPROVED,
            reason=refusal.reason,
            at=stopped.at,
            actor=stopped.actor,
        )
    if refusal.decision is not None:
        record_dispatch_decision(tx, stopped, refusal, kind=refusal.decision)
    if refusal.case is not None:
        next_at = stopped.at if refusal.case is CaseState.NEW else None
        move_case(tx, case, to=refusal.case, next_at=next_at, reason=refusal.reason, stopped=stopped)
    return Dispatched(result=Result.REFUSED, next_at=None)


def hand_to_person(tx: Tx, stopped: Stopped, *, reason: str, explanation: str) -> Dispatched:
    """Park a message that may have left, so that a person finds out and says what happened."""
    refusal = Refusal(reason=reason, explanation=explanation, delivery=DeliveryState.NEEDS_HUMAN)
    _set(tx, stopped, to=DeliveryState.NEEDS_HUMAN, refusal=refusal, next_at=None)
    record_dispatch_decision(tx, stopped, refusal, kind=DecisionKind.ESCALATE)
    move_case(tx, stopped.case, to=CaseState.ESCALATED, next_at=None, reason=reason, stopped=stopped)
    return Dispatched(result=Result.NEEDS_HUMAN, next_at=None)


def record_dispatch_decision(tx: Tx, stopped: Stopped, refusal: Refusal, *, kind: DecisionKind) -> None:
    """Record that sending was decided against, resting on what was seen at that moment."""
    case = stopped.case
    before = last_decision(tx.conn, case.id)
    if before is None:  # an auto-send without a decision cannot exist; nothing to build on
        return
    queue = refusal.queue or (stopped.playbook.queue if stopped.playbook else before.queue)
    facts = before.facts if stopped.looked is None else stopped.looked.facts
    decision = replace(
        before,
        id=DecisionId(tx.ids.new("dec", at=stopped.at)),
        turn=case.turn,
        stage=Stage.DISPATCH,
        kind=kind,
        reason=refusal.reason,
        explanation=refusal.explanation,
        at=stopped.at,
        until=None,
        queue=queue if kind is DecisionKind.ESCALATE else None,
        verdicts=before.verdicts if refusal.verdicts is None else refusal.verdicts,
        facts=facts,
        facts_hash=facts_hash(facts),
        model_use=None,
    )
    record_decisions(tx, [decision], scenario_of={case.id: case.scenario}, actor=stopped.actor)


def move_case(
    tx: Tx, case: Case, *, to: CaseState, next_at: datetime | None, reason: str, stopped: Stopped
) -> None:
    """Move the case, unless something else has closed it meanwhile."""
    if case.state is to:
        return
    transition(tx, [case.id], to=to, next_at=next_at, at=stopped.at, reason=reason, actor=stopped.actor)


def _defer(tx: Tx, stopped: Stopped, refusal: Refusal, *, pace: Pace) -> Dispatched:
    delivery = stopped.file.delivery
    wanted = refusal.until or stopped.at + pace.look_again
    next_at = min(max(wanted, stopped.at), delivery.expires_at)  # at its end it is closed in time
    _set(tx, stopped, to=delivery.state, refusal=refusal, next_at=next_at, event="deferred")
    return Dispatched(result=Result.DEFERRED, next_at=next_at)


def _set(
    tx: Tx,
    stopped: Stopped,
    *,
    to: DeliveryState,
    refusal: Refusal,
    next_at: datetime | None,
    event: str | None = None,
) -> None:
    facts: dict[str, object] = {}
    if refusal.verdicts is not None:
        facts["verdicts"] = [[verdict.rule, verdict.outcome] for verdict in refusal.verdicts]
    set_delivery_state(
        tx,
        stopped.file,
        to=to,
        reason=refusal.reason,
        next_at=next_at,
        at=stopped.at,
        actor=stopped.actor,
        facts=facts,
        event=event,
    )
