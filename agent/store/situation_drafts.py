"""Drafts of one situation: which situations wait, their drafts in bulk, and moving many of them at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, label, select, tuple_, update
from sqlmodel import col

from agent.domain.audit import Actor, AuditEvent
from agent.domain.cases import CaseState
from agent.domain.decisions import Decision
from agent.domain.drafts import DraftState, ReviewVerdict
from agent.store.decisions import decision_from_json
from agent.store.draft_claims import free
from agent.store.drafts import DraftFile, draft_file
from agent.store.plans import among, filtered
from agent.store.reviews import stands
from agent.store.tables.cases import CaseFile, DecisionRow, DraftRow, ReviewRow
from agent.store.transaction import Tx, chunked

_PAIRS: Final = 1_000
"""Most (id, version) pairs in one statement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingSituation:
    """A situation with more than one draft in the queue."""

    situation_id: str
    waiting: int
    review_by: datetime
    first: DraftFile
    """The draft that is to be reviewed first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SituationDraft:
    """A pending draft with its case's state and the decision behind it."""

    file: DraftFile
    case_state: CaseState
    decision: Decision


def waiting_situations(
    conn: Connection, *, limit: int, situation_id: str | None = None
) -> list[WaitingSituation]:
    """Return situations with more than one pending draft, the most urgent first; only one if it is named."""
    number, urgent = func.count(), func.min(col(DraftRow.review_by))
    statement = (
        select(col(DraftRow.situation_id), number, urgent)
        .where(col(DraftRow.state) == DraftState.PENDING, col(DraftRow.situation_id).is_not(None))
        .group_by(col(DraftRow.situation_id))
        .having(number > 1)
        .order_by(urgent, col(DraftRow.situation_id))
        .limit(limit)
    )
    if situation_id is not None:
        statement = statement.where(col(DraftRow.situation_id) == situation_id)
    return [
        WaitingSituation(
            situation_id=found,
            waiting=waiting,
            review_by=review_by,
            first=_first(conn, found),
        )
        for found, waiting, review_by in conn.execute(statement).all()
        if found is not None
    ]


def drafts_of_situation(conn: Connection, situation_id: str) -> list[SituationDraft]:
    """Return the pending drafts of a situation with their decisions, by id."""
    rows = conn.execute(
        select(
            DraftRow,
            label("case_state", col(CaseFile.state)),
            label("decision", col(DecisionRow.body)),
        )
        .join(CaseFile, col(CaseFile.id) == col(DraftRow.case_id))
        .join(DecisionRow, col(DecisionRow.id) == col(DraftRow.decision_id))
        .where(
            col(DraftRow.situation_id) == situation_id, filtered(col(DraftRow.state)) == DraftState.PENDING
        )
        .order_by(col(DraftRow.id))
    ).mappings()
    return [
        SituationDraft(
            file=draft_file(row),
            case_state=CaseState(row["case_state"]),
            decision=decision_from_json(row["decision"]),
        )
        for row in rows
    ]


def standing_of(conn: Connection, draft_ids: Sequence[str]) -> dict[str, DraftFile]:
    """Return drafts as they are now, in any state."""
    found: dict[str, DraftFile] = {}
    for part in chunked(draft_ids):
        rows = conn.execute(select(DraftRow).where(among(conn, DraftRow.id, part)))
        found.update((row["id"], draft_file(row)) for row in rows.mappings())
    return found


def decided_by(
    conn: Connection, draft_ids: Sequence[str], *, reviewer: str, verdict: ReviewVerdict, since: datetime
) -> set[str]:
    """Return those of the drafts on which a verdict stands that a reviewer has given since an instant."""
    found: set[str] = set()
    for part in chunked(draft_ids):
        found.update(
            conn.execute(
                select(col(ReviewRow.draft_id)).where(
                    among(conn, ReviewRow.draft_id, part),
                    col(ReviewRow.reviewer) == reviewer,
                    col(ReviewRow.verdict) == verdict,
                    col(ReviewRow.at) >= since,
                    stands(),
                )
            ).scalars()
        )
    return found


def take_drafts(
    tx: Tx, files: Sequence[DraftFile], *, actor: Actor, to: DraftState, reason: str, now: datetime
) -> set[str]:
    """Move pending drafts on, those to which nothing happened since they were read; return which."""
    taken: set[str] = set()
    for part in chunked(files, _PAIRS):
        pairs = [(file.draft.id, file.lock_version) for file in part]
        rows = tx.conn.execute(
            update(DraftRow)
            .where(
                tuple_(col(DraftRow.id), col(DraftRow.lock_version)).in_(pairs),
                filtered(col(DraftRow.state)) == DraftState.PENDING,
                free(actor.id, now),
            )
            .values(
                state=to, lock_version=col(DraftRow.lock_version) + 1, claimed_by=None, claimed_until=None
            )
            .returning(col(DraftRow.id))
        )
        taken.update(rows.scalars())
    for file in files:
        if file.draft.id in taken:
            tx.record(_moved(file, actor=actor, to=to, reason=reason, now=now))
    return taken


def _moved(file: DraftFile, *, actor: Actor, to: DraftState, reason: str, now: datetime) -> AuditEvent:
    return AuditEvent(
        type=f"draft.{to}",
        at=now,
        actor=actor,
        customer_id=file.customer_id,
        case_id=file.draft.case_id,
        body={"draft": file.draft.id, "reason": reason},
    )


def _first(conn: Connection, situation_id: str) -> DraftFile:
    row = (
        conn.execute(
            select(DraftRow)
            .where(
                col(DraftRow.situation_id) == situation_id,
                filtered(col(DraftRow.state)) == DraftState.PENDING,
            )
            .order_by(col(DraftRow.review_by), col(DraftRow.id))
            .limit(1)
        )
        .mappings()
        .one()
    )
    return draft_file(row)
