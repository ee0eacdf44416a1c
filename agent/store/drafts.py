"""Drafts: recording them in bulk, reading them back, and changing their state with an audit event."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Final

import sqlalchemy
from pydantic import TypeAdapter
from sqlalchemy import Connection, RowMapping, Select, bindparam, func, insert, or_, update
from sqlmodel import col, select

from agent.canonical import canonical, text_hash
from agent.domain.audit import Actor, AuditEvent
from agent.domain.cases import Case, CaseId, SituationId
from agent.domain.drafts import Draft, DraftId, DraftState
from agent.store.mirror import load_records
from agent.store.plans import filtered, is_among, packed
from agent.store.situations import heads_of
from agent.store.tables.cases import DraftRow
from agent.store.transaction import Tx, chunked
from policies.review_rules import Risk
from tools.records.base import CustomerId, Money
from tools.records.people import Customer

_DRAFT: Final = TypeAdapter(Draft)

UNCLAIMED: Final[Mapping[str, None]] = {"claimed_by": None, "claimed_at": None, "claimed_until": None}
"""The columns of a draft that nobody has."""

SHORTEST_END: Final = 4
"""Fewer characters at the end of an id name too many drafts to be meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftFile:
    """A draft with what the queue knows about it."""

    draft: Draft
    customer_id: CustomerId
    scenario: str
    object_ref: str
    customer_name: str
    """As the mirror had it when the draft was written; empty when it had none. Text by strangers."""
    situation_id: SituationId | None
    deadline: datetime | None
    risk: Risk
    review_by: datetime
    """When a person should have looked."""
    stake: Money | None
    value_micros: int
    content_hash: str
    claimed_by: str | None
    claimed_at: datetime | None
    """When the present claim began; renewing does not change it."""
    claimed_until: datetime | None
    snoozed_by: str | None
    snoozed_until: datetime | None
    first_review_id: str | None
    """The first approval, where two people must approve."""
    first_approver: str | None
    lock_version: int
    """Grows with every change; what a compare-and-set compares."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDraft:
    """A draft to record, with where it stands in the queue."""

    draft: Draft
    case: Case
    value_micros: int
    """The value of the decision."""
    stake: Money | None
    """The money the message is about."""
    risk: Risk
    review_by: datetime


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


def record_drafts(tx: Tx, drafts: Sequence[NewDraft], *, actor: Actor) -> list[DraftId]:
    """Record new drafts and supersede the pending ones of the same cases; return the ids that were new.

    Recording a case's version a second time does nothing, so a repeated run is harmless.

    Args:
        tx: The transaction.
        drafts: At most one per case.
        actor: Who wrote them.
    """
    known = _known_versions(tx.conn, [one.case.id for one in drafts])
    new = [one for one in drafts if (one.case.id, one.draft.version) not in known]
    if not new:
        return []
    _supersede(tx, [one.draft for one in new], actor=actor)
    names = _customer_names(tx.conn, {one.case.customer_id for one in new})
    heads = _heads(tx.conn, new)
    rows: list[dict[str, object]] = []
    for one in new:
        row = _row(one, names.get(one.case.customer_id, ""))
        row["situation_id"] = heads.get(one.case.situation_id or "", one.case.situation_id)
        rows.append(row)
        tx.record(_recorded(one, body_hash=str(row["body_hash"]), actor=actor))
    tx.conn.execute(insert(DraftRow), rows)
    return [one.draft.id for one in new]


def get_draft(connection: Connection, draft_id: str) -> DraftFile | None:
    """Return a draft; None when there is none with this id."""
    row = connection.execute(select(DraftRow).where(col(DraftRow.id) == draft_id)).mappings().first()
    return draft_file(row) if row else None


_OF_CASE: Final = (
    select(DraftRow).where(col(DraftRow.case_id) == bindparam("case")).order_by(col(DraftRow.version))
)


@cache
def _last_versions(*, as_text: bool) -> Select[str, int]:
    return (
        sqlalchemy.select(col(DraftRow.case_id), func.max(col(DraftRow.version)))
        .where(is_among(DraftRow.case_id, "cases", as_text=as_text))
        .group_by(col(DraftRow.case_id))
    )


def drafts_of_case(connection: Connection, case_id: CaseId) -> list[DraftFile]:
    """Return all versions of a case's draft, oldest first."""
    rows = connection.execute(_OF_CASE, {"case": case_id}).mappings()
    return [draft_file(row) for row in rows]


def next_versions(connection: Connection, case_ids: Sequence[CaseId]) -> dict[CaseId, int]:
    """Return the version that the next draft of each case has, starting at 1."""
    versions = dict.fromkeys(case_ids, 1)
    for part in chunked(case_ids):
        many = packed(connection, part)
        rows = connection.execute(_last_versions(as_text=many.as_text), {"cases": many.value})
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
            .values(state=to, lock_version=col(DraftRow.lock_version) + 1, **UNCLAIMED)
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
        object_ref=row["object_ref"],
        customer_name=row["customer_name"],
        situation_id=row["situation_id"],
        deadline=row["deadline"],
        risk=Risk(row["risk"]),
        review_by=row["review_by"],
        stake=stake_of_row(row),
        value_micros=row["value_micros"],
        content_hash=row["content_hash"],
        claimed_by=row["claimed_by"],
        claimed_at=row["claimed_at"],
        claimed_until=row["claimed_until"],
        snoozed_by=row["snoozed_by"],
        snoozed_until=row["snoozed_until"],
        first_review_id=row["first_review_id"],
        first_approver=row["first_approver"],
        lock_version=row["lock_version"],
    )


def stake_of_row(row: RowMapping) -> Money | None:
    """Return the money that a row of the table is about, if any."""
    if row["stake_minor"] is None:
        return None
    return Money(minor=row["stake_minor"], currency=row["stake_currency"])


def _supersede(tx: Tx, new: Sequence[Draft], *, actor: Actor) -> None:
    pending = _ids_of_cases(tx.conn, [draft.case_id for draft in new], DraftState.PENDING)
    at = max(draft.created_at for draft in new)
    set_draft_states(tx, pending, to=DraftState.SUPERSEDED, reason="newer_version", at=at, actor=actor)


def _heads(connection: Connection, new: Sequence[NewDraft]) -> dict[str, str]:
    """Return situation → the one it is reviewed with, where it continues one that has the same text."""
    written = {str(one.case.situation_id): one.draft for one in new if one.case.situation_id}
    found: dict[str, str] = {}
    for situation_id, head_id in heads_of(connection, written).items():
        body = connection.execute(
            select(DraftRow.body)
            .where(col(DraftRow.situation_id) == head_id, filtered(col(DraftRow.state)) == DraftState.PENDING)
            .limit(1)
        ).scalar()
        first, draft = draft_from_json(body) if body else None, written[situation_id]
        texts = (draft.slotted_subject, draft.slotted_body)
        if first is None or (first.slotted_subject, first.slotted_body) == texts:
            found[situation_id] = head_id
    return found


def _customer_names(connection: Connection, customer_ids: set[CustomerId]) -> dict[CustomerId, str]:
    seen = load_records(connection, {("customer", one) for one in customer_ids})
    return {
        CustomerId(one.record.id): one.record.name or ""
        for one in seen.values()
        if isinstance(one.record, Customer)
    }


def search_text(draft: Draft, *, customer_id: str, customer_name: str, object_ref: str) -> str:
    """Return what a search looks through, in small letters."""
    message = draft.message
    parts = (
        *(draft.id, customer_id, customer_name, object_ref),
        *(message.recipient, message.subject, message.body),
    )
    return "\n".join(parts).casefold()


def _row(new: NewDraft, customer_name: str) -> dict[str, object]:
    draft, case = new.draft, new.case
    body = draft_to_json(draft)
    return {
        "id": draft.id,
        "case_id": draft.case_id,
        "decision_id": draft.decision_id,
        "customer_id": case.customer_id,
        "customer_name": customer_name,
        "object_ref": case.object_ref,
        "situation_id": case.situation_id,
        "scenario": case.scenario,
        "channel": draft.message.channel,
        "version": draft.version,
        "state": draft.state,
        "content_hash": draft.message.content_hash,
        "body": body,
        "body_hash": text_hash(body),
        "review_reason": draft.review_reason,
        "risk": new.risk,
        "review_by": new.review_by,
        "stake_minor": new.stake.minor if new.stake else None,
        "stake_currency": new.stake.currency if new.stake else None,
        "value_micros": new.value_micros,
        "created_at": draft.created_at,
        "expires_at": draft.expires_at,
        "deadline": case.deadline,
        "snoozed_by": None,
        "snoozed_until": None,
        "first_review_id": None,
        "first_approver": None,
        "lock_version": 0,
        "search": search_text(
            draft,
            customer_id=case.customer_id,
            customer_name=customer_name,
            object_ref=case.object_ref,
        ),
        **UNCLAIMED,
    }


def _recorded(new: NewDraft, *, body_hash: str, actor: Actor) -> AuditEvent:
    draft, message = new.draft, new.draft.message
    return AuditEvent(
        type="draft.recorded",
        at=draft.created_at,
        actor=actor,
        customer_id=new.case.customer_id,
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
            "review_by": new.review_by.isoformat(),
            "review_reason": draft.review_reason,
            "risk": new.risk,
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
