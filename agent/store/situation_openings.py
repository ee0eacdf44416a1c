"""What a reviewer saw of a situation, kept until the verdict on it has ended."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, RowMapping, and_, delete, exists, insert, or_, update
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from agent.canonical import canonical
from agent.domain.audit import Actor, AuditEvent
from agent.domain.drafts import Review
from agent.store.tables.situations import SituationOpening
from agent.store.transaction import Tx

Covered = tuple[tuple[str, str], ...]
"""(draft id, content hash), sorted."""
_FORGOTTEN_AFTER: Final = timedelta(days=7)
"""No draft waits so long, so nothing that was shown before can still be decided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A situation as one reviewer saw it."""

    id: str
    situation_id: str
    reviewer: str
    digest: str
    covered: Covered
    opened_at: datetime
    begun_at: datetime | None


def record_opening(
    tx: Tx,
    situation_id: str,
    *,
    digest: str,
    covered: Sequence[tuple[str, str]],
    at: datetime,
    actor: Actor,
) -> str:
    """Keep what was shown, in place of what the same reviewer saw before; return its id.

    One whose verdict has begun stays, it can still be resumed; so does a first approval of two.
    """
    mine = and_(
        col(SituationOpening.reviewer) == actor.id,
        col(SituationOpening.begun_at).is_(None),
        col(SituationOpening.approved_at).is_(None),
    )
    tx.conn.execute(
        delete(SituationOpening).where(
            col(SituationOpening.situation_id) == situation_id,
            or_(mine, col(SituationOpening.opened_at) < at - _FORGOTTEN_AFTER),
        )
    )
    opening_id = tx.ids.new("sop", at=at)
    tx.conn.execute(
        insert(SituationOpening),
        [
            {
                "id": opening_id,
                "situation_id": situation_id,
                "reviewer": actor.id,
                "digest": digest,
                "covered": canonical([list(pair) for pair in covered]),
                "opened_at": at,
                "approved_at": None,
                "begun_at": None,
                "ended_at": None,
                "recipients": None,
            }
        ],
    )
    body = {"situation": situation_id, "digest": digest, "drafts": len(covered)}
    _record(tx, "opened", body, at=at, actor=actor)
    return opening_id


def opening_like(conn: Connection, situation_id: str, *, reviewer: str, digest: str) -> Opening | None:
    """Return the newest unended opening of a reviewer whose digest begins like this."""
    row = (
        conn.execute(
            select(SituationOpening)
            .where(
                col(SituationOpening.situation_id) == situation_id,
                col(SituationOpening.reviewer) == reviewer,
                col(SituationOpening.ended_at).is_(None),
                col(SituationOpening.digest).startswith(digest, autoescape=True),
            )
            .order_by(col(SituationOpening.opened_at).desc(), col(SituationOpening.id).desc())
            .limit(1)
        )
        .mappings()
        .first()
    )
    return _opening(row) if row else None


def record_first_approval(tx: Tx, opening: Opening, *, at: datetime, actor: Actor) -> None:
    """Note that the first of two people approved; a second time nothing happens."""
    changed = tx.conn.execute(
        update(SituationOpening)
        .where(col(SituationOpening.id) == opening.id, col(SituationOpening.approved_at).is_(None))
        .values(approved_at=at)
    )
    if changed.rowcount == 1:
        body = {"situation": opening.situation_id, "digest": opening.digest}
        _record(tx, "approved_first", body, at=at, actor=actor)


def approved_by_another(conn: Connection, opening: Opening) -> bool:
    """Whether another reviewer approved exactly the same drafts."""
    found = conn.execute(
        select(SituationOpening.id)
        .where(
            col(SituationOpening.situation_id) == opening.situation_id,
            col(SituationOpening.digest) == opening.digest,
            col(SituationOpening.reviewer) != opening.reviewer,
            col(SituationOpening.approved_at).is_not(None),
        )
        .limit(1)
    ).first()
    return found is not None


def lacks_first_approval(conn: Connection, situation_id: str, approval: Review, *, recipients: int) -> bool:
    """Whether an approval was given with that of many other drafts and nobody else approved the same.

    Args:
        conn: The database.
        situation_id: The draft's situation.
        approval: The approval that the delivery was made from.
        recipients: From so many drafts on two people must approve, inclusive.
    """
    deciding, first = aliased(SituationOpening), aliased(SituationOpening)
    same = and_(
        col(first.situation_id) == situation_id,
        col(first.digest) == col(deciding.digest),
        col(first.reviewer) != approval.reviewer,
        col(first.approved_at) <= approval.at,
    )
    found = conn.execute(
        select(deciding.id)
        .where(
            col(deciding.situation_id) == situation_id,
            col(deciding.reviewer) == approval.reviewer,
            col(deciding.begun_at) <= approval.at,
            or_(col(deciding.ended_at).is_(None), col(deciding.ended_at) >= approval.at),
            col(deciding.recipients) >= recipients,
            ~exists().where(same),
        )
        .limit(1)
    ).first()
    return found is not None


def begin_verdict(
    tx: Tx, opening: Opening, *, verdict: str, recipients: int, at: datetime, actor: Actor
) -> None:
    """Note that items may be decided from now on, and how many; it is recorded the first time."""
    this = col(SituationOpening.id) == opening.id
    tx.conn.execute(update(SituationOpening).where(this).values(recipients=recipients))
    changed = tx.conn.execute(
        update(SituationOpening).where(this, col(SituationOpening.begun_at).is_(None)).values(begun_at=at)
    )
    if changed.rowcount == 1:
        body = {"situation": opening.situation_id, "digest": opening.digest, "verdict": verdict}
        _record(tx, "begun", body, at=at, actor=actor)


def end_verdict(
    tx: Tx, opening: Opening, *, verdict: str, counts: dict[str, int], at: datetime, actor: Actor
) -> None:
    """Note how the verdict ended; what was shown need not be kept any longer."""
    first_of_two = and_(
        col(SituationOpening.situation_id) == opening.situation_id,
        col(SituationOpening.digest) == opening.digest,
        col(SituationOpening.approved_at).is_not(None),
    )
    tx.conn.execute(
        update(SituationOpening)
        .where(or_(col(SituationOpening.id) == opening.id, first_of_two))
        .values(ended_at=at, covered="[]")
    )
    body = {
        "situation": opening.situation_id,
        "digest": opening.digest,
        "verdict": verdict,
        "seconds": int((at - opening.opened_at).total_seconds()),
        **counts,
    }
    _record(tx, "ended", body, at=at, actor=actor)


def _record(tx: Tx, what: str, body: Mapping[str, object], *, at: datetime, actor: Actor) -> None:
    tx.record(
        AuditEvent(type=f"situation.{what}", at=at, actor=actor, customer_id=None, case_id=None, body=body)
    )


def _opening(row: RowMapping) -> Opening:
    covered: list[tuple[str, str]] = json.loads(row["covered"])
    return Opening(
        id=row["id"],
        situation_id=row["situation_id"],
        reviewer=row["reviewer"],
        digest=row["digest"],
        covered=tuple((draft_id, content_hash) for draft_id, content_hash in covered),
        opened_at=row["opened_at"],
        begun_at=row["begun_at"],
    )
