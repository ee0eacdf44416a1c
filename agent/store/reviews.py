"""Reviews: what people said about drafts."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import sqlalchemy
from sqlalchemy import ColumnElement, Connection, RowMapping, Select, exists, insert
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from agent.domain.audit import Actor, AuditEvent
from agent.domain.cases import CaseId
from agent.domain.drafts import DraftId, Review, ReviewVerdict
from agent.store.plans import is_among, packed
from agent.store.tables.cases import DraftRow, ReviewRow
from agent.store.transaction import Tx, chunked
from tools.records.base import CustomerId
from tools.records.vocabulary import ChannelKind


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReview:
    """A verdict to record, with where its draft belongs."""

    review: Review
    case_id: CaseId
    customer_id: CustomerId


def record_review(tx: Tx, review: Review, *, case_id: CaseId, customer_id: CustomerId, actor: Actor) -> None:
    """Record a verdict; the reviewer's words go where personal data goes."""
    record_reviews(tx, [NewReview(review=review, case_id=case_id, customer_id=customer_id)], actor=actor)


def record_reviews(tx: Tx, new: Sequence[NewReview], *, actor: Actor) -> None:
    """Record many verdicts of one reviewer."""
    if new:
        tx.conn.execute(insert(ReviewRow), [_row(one) for one in new])
    for one in new:
        tx.record(_event(one, actor))


def get_review(connection: Connection, review_id: str) -> Review | None:
    """Return a review; None when there is none with this id."""
    row = connection.execute(select(ReviewRow).where(col(ReviewRow.id) == review_id)).mappings().first()
    return _review(row) if row else None


def reviews_of_draft(connection: Connection, draft_id: str) -> Sequence[Review]:
    """Return the reviews of one draft, oldest first."""
    rows = connection.execute(
        select(ReviewRow)
        .where(col(ReviewRow.draft_id) == draft_id)
        .order_by(col(ReviewRow.at), col(ReviewRow.id))
    ).mappings()
    return [_review(row) for row in rows]


def standing(reviews: Sequence[Review]) -> list[Review]:
    """Return the verdicts that were not taken back, in the order given."""
    taken_back = {review.undoes for review in reviews}
    return [
        review
        for review in reviews
        if review.verdict is not ReviewVerdict.UNDO and review.id not in taken_back
    ]


def stands() -> ColumnElement[bool]:
    """Return that a review of a query was not taken back; an undo itself stands."""
    undo = aliased(ReviewRow)
    return ~exists().where(col(undo.undoes) == col(ReviewRow.id))


def reviewed_cases(connection: Connection, case_ids: Sequence[CaseId]) -> set[CaseId]:
    """Return those of the cases about which a person has said something."""
    found: set[CaseId] = set()
    for part in chunked(case_ids):
        rows = connection.execute(
            # by way of the drafts, whose index begins with the case
            select(DraftRow.case_id)
            .join(ReviewRow, col(ReviewRow.draft_id) == col(DraftRow.id))
            .where(col(DraftRow.case_id).in_(part))
            .distinct()
        ).scalars()
        found.update(CaseId(one) for one in rows)
    return found


def chosen_channels(connection: Connection, case_ids: Sequence[CaseId]) -> dict[CaseId, ChannelKind]:
    """Return case → the channel that a person chose last, where one did and did not take it back."""
    found: dict[CaseId, ChannelKind] = {}
    for part in chunked(case_ids):
        many = packed(connection, part)
        rows = connection.execute(_channels(as_text=many.as_text), {"cases": many.value})
        found.update((CaseId(case_id), ChannelKind(channel)) for case_id, channel in rows)
    return found


@cache
def _channels(*, as_text: bool) -> Select[str, str]:
    return (
        sqlalchemy.select(col(ReviewRow.case_id), col(ReviewRow.reason))
        .where(
            is_among(ReviewRow.case_id, "cases", as_text=as_text),
            col(ReviewRow.verdict) == ReviewVerdict.CHANNEL,
            stands(),
        )
        .order_by(col(ReviewRow.at), col(ReviewRow.id))
    )


def reviews_of_case(connection: Connection, case_id: CaseId) -> Sequence[Review]:
    """Return the reviews of all drafts of a case, oldest first."""
    rows = connection.execute(
        select(ReviewRow)
        .where(col(ReviewRow.case_id) == case_id)
        .order_by(col(ReviewRow.at), col(ReviewRow.id))
    ).mappings()
    return [_review(row) for row in rows]


def _review(row: RowMapping) -> Review:
    return Review(
        id=row["id"],
        draft_id=DraftId(row["draft_id"]),
        verdict=ReviewVerdict(row["verdict"]),
        reviewer=row["reviewer"],
        content_hash=row["content_hash"],
        reason=row["reason"],
        at=row["at"],
        seconds=row["seconds"],
        undoes=row["undoes"],
    )


def _row(new: NewReview) -> dict[str, object]:
    review = new.review
    return {
        "id": review.id,
        "draft_id": review.draft_id,
        "case_id": new.case_id,
        "verdict": review.verdict,
        "reviewer": review.reviewer,
        "content_hash": review.content_hash,
        "reason": review.reason,
        "at": review.at,
        "seconds": review.seconds,
        "undoes": review.undoes,
    }


def _event(new: NewReview, actor: Actor) -> AuditEvent:
    review = new.review
    return AuditEvent(
        type="review.recorded",
        at=review.at,
        actor=actor,
        customer_id=new.customer_id,
        case_id=new.case_id,
        body={
            "content_hash": review.content_hash,
            "draft": review.draft_id,
            "review": review.id,
            "seconds": review.seconds,
            "verdict": review.verdict,
        },
        private={"reason": review.reason},
    )
