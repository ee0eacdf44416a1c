"""Planted drafts: what was shown to whom, and whether the mistake was noticed; nothing here can be sent."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, RowMapping, case, func, insert, update
from sqlmodel import col, select

from agent.domain.audit import Actor, AuditEvent
from agent.domain.cases import CaseId
from agent.domain.drafts import Draft, DraftId, ReviewVerdict
from agent.errors import ConflictError
from agent.store.drafts import draft_from_json, draft_to_json
from agent.store.tables.cases import ReviewSeedRow
from agent.store.transaction import Tx
from tools.records.base import CustomerId

SEED_PREFIX: Final = "sed"
"""What ids of planted drafts begin with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """A planted draft as one reviewer sees it."""

    id: str
    draft_id: DraftId
    """The real draft that it was made from."""
    reviewer: str
    kind: str
    mistake: str
    """What is wrong in it, in words."""
    draft: Draft
    opened_at: datetime
    verdict: ReviewVerdict | None
    """None while it is not judged."""


def record_seed(tx: Tx, seed: Seed, *, customer_id: CustomerId, case_id: CaseId, actor: Actor) -> None:
    """Record that a planted draft is shown."""
    tx.conn.execute(
        insert(ReviewSeedRow),
        [
            {
                "id": seed.id,
                "draft_id": seed.draft_id,
                "reviewer": seed.reviewer,
                "kind": seed.kind,
                "mistake": seed.mistake,
                "content_hash": seed.draft.message.content_hash,
                "body": draft_to_json(seed.draft),
                "opened_at": seed.opened_at,
                "verdict": None,
                "verdict_at": None,
                "seconds": None,
                "caught": None,
            }
        ],
    )
    tx.record(
        AuditEvent(
            type="seed.planted",
            at=seed.opened_at,
            actor=actor,
            customer_id=customer_id,
            case_id=case_id,
            body={"content_hash": seed.draft.message.content_hash, "draft": seed.draft_id, "seed": seed.id},
            private={"mistake": seed.mistake},
        )
    )


def judge_seed(
    tx: Tx,
    seed: Seed,
    *,
    verdict: ReviewVerdict,
    caught: bool,
    seconds: int | None,
    at: datetime,
    customer_id: CustomerId,
    case_id: CaseId,
    actor: Actor,
) -> None:
    """Record what a reviewer said about a planted draft; the log keeps how it went sealed, as personal data.

    Raises:
        ConflictError: It was judged already.
    """
    changed = tx.conn.execute(
        update(ReviewSeedRow)
        .where(col(ReviewSeedRow.id) == seed.id, col(ReviewSeedRow.verdict).is_(None))
        .values(verdict=verdict, verdict_at=at, seconds=seconds, caught=caught)
    )
    if changed.rowcount != 1:
        raise ConflictError(f"{seed.id} was judged already; open the draft again")
    tx.record(
        AuditEvent(
            type="seed.judged",
            at=at,
            actor=actor,
            customer_id=customer_id,
            case_id=case_id,
            body={"draft": seed.draft_id, "seed": seed.id},
            private={"caught": caught, "verdict": verdict},
        )
    )


def get_seed(connection: Connection, seed_id: str) -> Seed | None:
    """Return a planted draft; None when there is none with this id."""
    row = connection.execute(select(ReviewSeedRow).where(col(ReviewSeedRow.id) == seed_id)).mappings().first()
    return _seed(row) if row else None


def seed_of(connection: Connection, draft_id: str, *, reviewer: str) -> Seed | None:
    """Return what was planted into a draft for a reviewer, or None."""
    row = (
        connection.execute(
            select(ReviewSeedRow)
            .where(col(ReviewSeedRow.draft_id) == draft_id, col(ReviewSeedRow.reviewer) == reviewer)
            .order_by(col(ReviewSeedRow.id))
            .limit(1)
        )
        .mappings()
        .first()
    )
    return _seed(row) if row else None


def open_seeds(connection: Connection, *, reviewer: str) -> dict[str, Seed]:
    """Return real draft → what was planted into it for a reviewer and not judged yet."""
    rows = connection.execute(
        select(ReviewSeedRow).where(
            col(ReviewSeedRow.reviewer) == reviewer, col(ReviewSeedRow.verdict).is_(None)
        )
    ).mappings()
    return {row["draft_id"]: _seed(row) for row in rows}


def seeded(connection: Connection, draft_ids: Collection[str], *, reviewer: str) -> set[str]:
    """Return which of a few drafts have something planted for a reviewer, judged or not."""
    return set(
        connection.execute(
            select(ReviewSeedRow.draft_id).where(
                col(ReviewSeedRow.reviewer) == reviewer, col(ReviewSeedRow.draft_id).in_(sorted(draft_ids))
            )
        ).scalars()
    )


def seed_score(connection: Connection, *, reviewer: str) -> tuple[int, int, datetime | None]:
    """Return how many a reviewer judged, how many of them they caught, and when they judged the last one."""
    caught = case((col(ReviewSeedRow.caught).is_(True), 1))
    shown, noticed, last = connection.execute(
        select(func.count(), func.count(caught), func.max(col(ReviewSeedRow.verdict_at))).where(
            col(ReviewSeedRow.reviewer) == reviewer, col(ReviewSeedRow.verdict).is_not(None)
        )
    ).one()
    return int(shown), int(noticed), last


def _seed(row: RowMapping) -> Seed:
    return Seed(
        id=row["id"],
        draft_id=DraftId(row["draft_id"]),
        reviewer=row["reviewer"],
        kind=row["kind"],
        mistake=row["mistake"],
        draft=draft_from_json(row["body"]),
        opened_at=row["opened_at"],
        verdict=ReviewVerdict(row["verdict"]) if row["verdict"] else None,
    )
