"""Drafts: recording them in bulk, reading them back, and changing their state with an audit event."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from pydantic import TypeAdapter
from sqlalchemy import Connection, RowMapping, func, insert, or_, update
from sqlmodel import col, select

from agent.canonical import canonical, text_hash
from agent.domain.audit import Actor, AuditEvent
from agent.domain.cases import CaseId
from agent.domain.drafts import Draft, DraftId, DraftState
from agent.store.plans import filtered
from agent.store.tables.cases import DraftRow
from agent.store.transaction import Tx, chunked
from tools.records.base import CustomerId

_DRAFT: Final = TypeAdapter(Draft)

SHORTEST_END: Final = 4
"""Fewer characters at the end of an id name too many drafts to be meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftFile:
    """A draft with what the queue knows about it."""

    draft: Draft
    customer_id: CustomerId
    scenario: str
    deadline: datetime | None
    value_micros: int
    content_hash: str
    claimed_by: str | None
    claimed_until: datetime | None
    lock_version: int
    """Grows with every change; what a compare-and-set compares."""


def draft_to_json(draft: Draft) -> str:
    """Return a draft as canonical JSON."""
    return canonical(_DRAFT.dump_python(draft, mode="json"))


def draft_from_json(text: str, *, state: DraftState | None = None) -> Draft:
    """Invert `draft_to_json`; `state` replaces the one at the time of recording.

    Raises:
        pydantic.ValidationError: The text is no draft.
    """
    draft = _DRAFT.validate_json(text, strict=True)
    return draft if state is None else replace(draft, state=state)


def record_drafts(
    tx: Tx,
    drafts: Sequence[Draft],
    *,
    customer_of: Mapping[CaseId, CustomerId],
    scenario_of: Mapping[CaseId, str],
    deadline_of: Mapping[CaseId, datetime | None],
    value_of: Mapping[CaseId, int],
    actor: Actor,
) -> list[DraftId]:
    """Record new drafts and supersede the pending ones of the same cases; return the ids that were new.

    Recording a case's version a second time does nothing, so a repeated run is harmless.

    Args:
        tx: The transaction.
        drafts: At most one per case.
        customer_of: The customer of each case.
        scenario_of: The scenario of each case.
        deadline_of: The deadline of each case; missing or None means none.
        value_of: The value of the decision in micro-units; missing means 0.
        actor: Who wrote them.
    """
    known = _known_versions(tx.conn, [draft.case_id for draft in drafts])
    new = [draft for draft in drafts if (draft.case_id, draft.version) not in known]
    if not new:
        return []
    _supersede(tx, new, actor=actor)
    rows: list[dict[str, object]] = []
    for draft in new:
        row = _row(draft, scenario_of[draft.case_id], customer_of[draft.case_id])
        row |= {
            "value_micros": value_of.get(draft.case_id, 0),
            "deadline": deadline_of.get(draft.case_id),
        }
        rows.append(row)
        body_hash = str(row["body_hash"])
        tx.record(_recorded(draft, customer_of[draft.case_id], body_hash=body_hash, actor=actor))
    tx.conn.execute(insert(DraftRow), rows)
    return [draft.id for draft in new]


def get_draft(connection: Connection, draft_id: str) -> DraftFile | None:
    """Return a draft; None when there is none with this id."""
    row = connection.execute(select(DraftRow).where(col(DraftRow.id) == draft_id)).mappings().first()
    return draft_file(row) if row else None


def drafts_of_case(connection: Connection, case_id: CaseId) -> list[DraftFile]:
    """Return all versions of a case's draft, oldest first."""
    rows = connection.execute(
        select(DraftRow).where(col(DraftRow.case_id) == case_id).order_by(col(DraftRow.version))
    ).mappings()
    return [draft_file(row) for row in rows]


def next_versions(connection: Connection, case_ids: Sequence[CaseId]) -> dict[CaseId, int]:
    """Return the version that the next draft of each case has, starting at 1."""
    versions = dict.fromkeys(case_ids, 1)
    for part in chunked(case_ids):
        rows = connection.execute(
            select(DraftRow.case_id, func.max(col(DraftRow.version)))
            .where(col(DraftRow.case_id).in_(part))
            .group_by(col(DraftRow.case_id))
        )
        versions.update((CaseId(case_id), int(last) + 1) for case_id, last in rows)
    return versions


def set_draft_states(
    tx: Tx,
    draft_ids: Sequence[str],
    *,
    to: DraftState,
    reason: str,
    at: datetime,
    actor: Actor,
    expected: DraftState = DraftState.PENDING,
) -> list[DraftId]:
    """Move those of the drafts that are in the expected state to another; return which."""
    changed: list[DraftId] = []
    for part in chunked(draft_ids):
        rows = tx.conn.execute(
            update(DraftRow)
            .where(col(DraftRow.id).in_(part), filtered(col(DraftRow.state)) == expected)
            .values(
                state=to, lock_version=col(DraftRow.lock_version) + 1, claimed_by=None, claimed_until=None
            )
            .returning(col(DraftRow.id), col(DraftRow.case_id), col(DraftRow.customer_id))
        ).all()
        for draft_id, case_id, customer_id in sorted(tuple(row) for row in rows):
            changed.append(DraftId(draft_id))
            tx.record(
                AuditEvent(
                    type=f"draft.{to}",
                    at=at,
                    actor=actor,
                    customer_id=CustomerId(customer_id),
                    case_id=case_id,
                    body={"draft": draft_id, "reason": reason},
                )
            )
    return changed


def close_drafts(
    tx: Tx,
    case_ids: Sequence[CaseId],
    *,
    reason: str,
    at: datetime,
    actor: Actor,
    to: DraftState = DraftState.CLOSED,
) -> list[DraftId]:
    """Take the pending drafts of cases out of the queue; return which."""
    pending = _ids_of_cases(tx.conn, case_ids, DraftState.PENDING)
    return set_draft_states(tx, pending, to=to, reason=reason, at=at, actor=actor)


def draft_file(row: RowMapping) -> DraftFile:
    """Return a row of the table as a draft."""
    return DraftFile(
        draft=draft_from_json(row["body"], state=DraftState(row["state"])),
        customer_id=CustomerId(row["customer_id"]),
        scenario=row["scenario"],
        deadline=row["deadline"],
        value_micros=row["value_micros"],
        content_hash=row["content_hash"],
        claimed_by=row["claimed_by"],
        claimed_until=row["claimed_until"],
        lock_version=row["lock_version"],
    )


def _supersede(tx: Tx, new: Sequence[Draft], *, actor: Actor) -> None:
    pending = _ids_of_cases(tx.conn, [draft.case_id for draft in new], DraftState.PENDING)
    at = max(draft.created_at for draft in new)
    set_draft_states(tx, pending, to=DraftState.SUPERSEDED, reason="newer_version", at=at, actor=actor)


def _row(draft: Draft, scenario: str, customer_id: CustomerId) -> dict[str, object]:
    body = draft_to_json(draft)
    return {
        "id": draft.id,
        "case_id": draft.case_id,
        "decision_id": draft.decision_id,
        "customer_id": customer_id,
        "scenario": scenario,
        "channel": draft.message.channel,
        "version": draft.version,
        "state": draft.state,
        "content_hash": draft.message.content_hash,
        "body": body,
        "body_hash": text_hash(body),
        "review_reason": draft.review_reason,
        "created_at": draft.created_at,
        "expires_at": draft.expires_at,
        "claimed_by": None,
        "claimed_until": None,
        "lock_version": 0,
    }


def _recorded(draft: Draft, customer_id: CustomerId, *, body_hash: str, actor: Actor) -> AuditEvent:
    message = draft.message
    return AuditEvent(
        type="draft.recorded",
        at=draft.created_at,
        actor=actor,
        customer_id=customer_id,
        case_id=draft.case_id,
        body={
            "author": draft.author,
            "body_hash": body_hash,
            "channel": message.channel,
            "content_hash": message.content_hash,
            "cost_micros": draft.cost_micros,
            "decision": draft.decision_id,
            "draft": draft.id,
            "expires_at": draft.expires_at.isoformat(),
            "findings": [[finding.guard, finding.ok] for finding in draft.findings],
            "policy": message.policy,
            "review_reason": draft.review_reason,
            "segments": draft.segments,
            "state": draft.state,
            "template": message.template,
            "version": draft.version,
        },
        private={"message": message.canonical().decode()},
    )


def _known_versions(connection: Connection, case_ids: Sequence[CaseId]) -> set[tuple[CaseId, int]]:
    known: set[tuple[CaseId, int]] = set()
    for part in chunked(case_ids):
        rows = connection.execute(
            select(DraftRow.case_id, DraftRow.version).where(col(DraftRow.case_id).in_(part))
        )
        known.update((CaseId(case_id), version) for case_id, version in rows)
    return known


def _ids_of_cases(connection: Connection, case_ids: Sequence[CaseId], state: DraftState) -> list[str]:
    found: list[str] = []
    for part in chunked(case_ids):
        found += connection.execute(
            select(DraftRow.id).where(col(DraftRow.case_id).in_(part), filtered(col(DraftRow.state)) == state)
        ).scalars()
    return sorted(found)


def draft_ids_like(connection: Connection, part: str, *, limit: int) -> list[DraftId]:
    """Return ids that begin with this or, from four characters on, end with it; at most `limit`, sorted.

    A whole id names only itself. Case does not matter. The ends count because drafts of one moment have the
    same first characters.
    """
    if connection.execute(select(DraftRow.id).where(col(DraftRow.id) == part)).first():
        return [DraftId(part)]
    alike = col(DraftRow.id).istartswith(part, autoescape=True)
    if len(part) >= SHORTEST_END:
        alike = or_(alike, col(DraftRow.id).iendswith(part, autoescape=True))
    rows = connection.execute(
        select(DraftRow.id).where(alike).order_by(col(DraftRow.id)).limit(limit)
    ).scalars()
    return [DraftId(one) for one in rows]
