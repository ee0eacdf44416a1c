"""Closing cases from the outside: what is queued stops, and the record says why nothing was sent."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection
from sqlmodel import col, select

from agent.domain.audit import Actor
from agent.domain.cases import Case, CaseId, CaseState
from agent.domain.decisions import Arm, Decision, DecisionId, DecisionKind, Stage
from agent.domain.drafts import DeliveryState
from agent.store.cases import get_cases, is_open, transition
from agent.store.decisions import record_decisions
from agent.store.deliveries import cancel_deliveries
from agent.store.drafts import close_drafts
from agent.store.locks import lock_cases
from agent.store.plans import filtered
from agent.store.tables.sending import DeliveryRow
from agent.store.transaction import Tx, chunked
from policies.holdout import draw
from policies.model import PPM
from policies.triggers import CompiledPlaybook
from policies.verdict import Outcome, Verdict
from tools.records.facts import facts_hash

_UNDER_WAY: Final = (DeliveryState.SENDING, DeliveryState.UNKNOWN, DeliveryState.NEEDS_HUMAN)
"""A message that may be leaving or may have left: its case is the dispatcher's to close."""
_MAY_BE_SENDING: Final = frozenset({CaseState.APPROVED, CaseState.ESCALATED})
_NO_FACTS: Final = facts_hash(())

EXPLANATIONS: Final = {
    "cleared": "The condition cleared before anything was sent.",
    "deleted": "The record that this is about no longer exists in its system.",
    "superseded": "A newer occurrence on the same object took its place.",
}
"""Reason → one sentence for a stranger."""


def resolve_cases(
    tx: Tx,
    cases: Sequence[Case],
    compiled: CompiledPlaybook,
    *,
    reason: str,
    at: datetime,
    actor: Actor,
) -> list[CaseId]:
    """Close those of the cases that are still open and have no message under way; return which.

    Drafts leave the queue, deliveries are cancelled, and each case gets its last decision: abstain.

    Args:
        tx: The transaction.
        cases: Cases of one scenario; they are locked and read again.
        compiled: The scenario's playbook.
        reason: One of `EXPLANATIONS`.
        at: Now.
        actor: Who closes them.
    """
    lock_cases(tx.conn, [case.id for case in cases])
    current = [case for case in get_cases(tx.conn, [case.id for case in cases]) if is_open(case)]
    sending = under_way(tx.conn, current)
    closing = [case for case in current if case.id not in sending]
    if not closing:
        return []
    ids = [case.id for case in closing]
    close_drafts(tx, ids, reason=reason, at=at, actor=actor)
    cancel_deliveries(tx, ids, reason=reason, at=at, actor=actor)
    decisions = [_decision(tx, case, compiled, reason=reason, at=at) for case in closing]
    record_decisions(tx, decisions, scenario_of={case.id: case.scenario for case in closing}, actor=actor)
    transition(tx, ids, to=CaseState.RESOLVED, at=at, next_at=None, reason=reason, actor=actor)
    return ids


def under_way(conn: Connection, cases: Collection[Case]) -> set[CaseId]:
    """Return the cases that have a message which may be leaving or may have left."""
    found: set[CaseId] = set()
    candidates = sorted(case.id for case in cases if case.state in _MAY_BE_SENDING)
    for part in chunked(candidates):
        rows = conn.execute(
            select(DeliveryRow.case_id).where(
                col(DeliveryRow.case_id).in_(part), filtered(col(DeliveryRow.state)).in_(_UNDER_WAY)
            )
        ).scalars()
        found.update(CaseId(case_id) for case_id in rows)
    return found


def _decision(tx: Tx, case: Case, compiled: CompiledPlaybook, *, reason: str, at: datetime) -> Decision:
    playbook = compiled.playbook
    _, propensity = draw(playbook.holdout, customer_id=case.customer_id, scenario=case.scenario)
    # a case that waits for the screen has not been drawn yet
    drawn = case.state is not CaseState.NEW
    return Decision(
        id=DecisionId(tx.ids.new("dec", at=at)),
        case_id=case.id,
        turn=case.turn,
        stage=Stage.SCREEN,
        kind=DecisionKind.ABSTAIN,
        reason=reason,
        explanation=EXPLANATIONS[reason],
        at=at,
        until=None,
        queue=None,
        channel=None,
        verdicts=(Verdict(rule="cleared", outcome=Outcome.BLOCK, reason=EXPLANATIONS[reason]),),
        valuation=None,
        arm=Arm.TREAT if playbook.holdout else Arm.EXEMPT,
        propensity_ppm=propensity if drawn else PPM,
        facts=(),
        facts_hash=_NO_FACTS,
        playbook=playbook.ref,
        playbook_hash=compiled.content_hash,
        limits_version=0,  # neither limits nor zones had a part in it
        zone_rules="",
        model_use=None,
    )
