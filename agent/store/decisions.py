"""Decisions: recording them in bulk with their audit events, and reading them back."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Final

import sqlalchemy
from sqlalchemy import Connection, update
from sqlalchemy.sql.dml import ReturningUpdate
from sqlmodel import col, select

from agent.canonical import CanonicalText
from agent.domain.audit import Actor, AuditEvent
from agent.domain.cases import CaseId
from agent.domain.decisions import Decision
from agent.store.bulk import Values, insert_many
from agent.store.decision_form import DecisionTexts, decision_from_form
from agent.store.plans import among, is_among, packed
from agent.store.tables.cases import CaseFile, DecisionRow
from agent.store.transaction import Tx, chunked
from tools.records.base import CustomerId

_COLUMNS: Final = (
    "id",
    "case_id",
    "turn",
    "stage",
    "kind",
    "reason",
    "scenario",
    "at",
    "channel",
    "arm",
    "propensity_ppm",
    "cost_micros",
    "body",
    "body_hash",
)


def decision_from_json(text: str) -> Decision:
    """Return the decision of a canonical JSON text.

    Raises:
        KeyError: A field is missing.
        ValueError: The text is no JSON, or a field is outside its vocabulary.
    """
    return decision_from_form(json.loads(text))


def record_decisions(
    tx: Tx, decisions: Sequence[Decision], *, scenario_of: Mapping[CaseId, str], actor: Actor
) -> None:
    """Write decisions with their audit events and count the case's turn up.

    The decision's turn must be the case's current one: a second decision for the same turn breaks the
    unique key, so a case cannot be decided twice at once.
    """
    for part in chunked(decisions, 1_000):
        many = packed(tx.conn, [decision.case_id for decision in part])
        counted = tx.conn.execute(_count_turn(as_text=many.as_text), {"ids": many.value})
        customers = {case_id: CustomerId(customer_id) for case_id, customer_id in counted.all()}
        texts = DecisionTexts()
        rows: list[Values] = []
        for decision in part:
            written = texts.write(decision)
            rows.append(_row(decision, scenario_of[decision.case_id], written.body, written.body_hash))
            tx.record(_event(decision, customers[decision.case_id], written.event, actor))
        insert_many(tx.conn, DecisionRow, _COLUMNS, rows)


@cache
def _count_turn(*, as_text: bool) -> ReturningUpdate[str, str]:
    return (
        update(CaseFile)
        .where(is_among(CaseFile.id, "ids", as_text=as_text))
        .values(turn=col(CaseFile.turn) + 1)
        .returning(col(CaseFile.id), col(CaseFile.customer_id))
    )


def get_decision(conn: Connection, decision_id: str) -> Decision | None:
    """Return a decision, or None."""
    body = conn.execute(select(DecisionRow.body).where(col(DecisionRow.id) == decision_id)).scalar()
    return decision_from_json(body) if body else None


def decisions_of_case(conn: Connection, case_id: str) -> list[Decision]:
    """Return all decisions on a case, oldest first."""
    bodies = conn.execute(
        select(DecisionRow.body).where(col(DecisionRow.case_id) == case_id).order_by(col(DecisionRow.turn))
    ).scalars()
    return [decision_from_json(body) for body in bodies]


def last_decision(conn: Connection, case_id: str) -> Decision | None:
    """Return the decision that counts, or None before the first."""
    decisions = decisions_of_case(conn, case_id)
    return decisions[-1] if decisions else None


def last_decisions(conn: Connection, case_ids: Sequence[str]) -> dict[CaseId, Decision]:
    """Return the decision that counts for each of many cases."""
    found: dict[CaseId, Decision] = {}
    for part in chunked(case_ids):
        bodies = conn.execute(
            select(DecisionRow.body)
            .where(among(conn, DecisionRow.case_id, part))
            .order_by(col(DecisionRow.turn))
        ).scalars()
        found.update((decision.case_id, decision) for decision in map(decision_from_json, bodies))
    return found


def count_by_reason(conn: Connection, *, since: datetime | None = None) -> list[tuple[str, str, str, int]]:
    """Return (scenario, kind, reason, number of decisions), the most frequent first."""
    number = sqlalchemy.func.count()
    statement = sqlalchemy.select(
        col(DecisionRow.scenario), col(DecisionRow.kind), col(DecisionRow.reason), number
    ).group_by(col(DecisionRow.scenario), col(DecisionRow.kind), col(DecisionRow.reason))
    if since is not None:
        statement = statement.where(col(DecisionRow.at) >= since)
    rows = conn.execute(statement.order_by(number.desc(), col(DecisionRow.scenario), col(DecisionRow.reason)))
    return [(scenario, kind, reason, total) for scenario, kind, reason, total in rows]


def _row(decision: Decision, scenario: str, body: str, body_hash: str) -> Values:
    return (
        decision.id,
        decision.case_id,
        decision.turn,
        decision.stage.value,
        decision.kind.value,
        decision.reason,
        scenario,
        decision.at,
        decision.channel.value if decision.channel else None,
        decision.arm.value,
        decision.propensity_ppm,
        decision.model_use.cost_micros if decision.model_use else 0,
        body,
        body_hash,
    )


def _event(decision: Decision, customer_id: CustomerId, told: CanonicalText, actor: Actor) -> AuditEvent:
    return AuditEvent(
        type="decision.recorded",
        at=decision.at,
        actor=actor,
        customer_id=customer_id,
        case_id=decision.case_id,
        body=told,
    )
