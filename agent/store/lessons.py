"""What reviewers' edits, words and verdicts can teach, read back for proposals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, case, func, literal, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from agent.domain.decisions import Decision
from agent.domain.drafts import Draft, ReviewVerdict
from agent.store.decisions import decision_from_json
from agent.store.drafts import draft_from_json
from agent.store.reviews import stands
from agent.store.tables.cases import CaseFile, DecisionRow, DraftRow, ReviewRow

MOST_LESSONS = 5_000
"""Most edits or words read at once, the newest; a proposal needs few, and one window has hardly more."""
MOST_JUDGED = 500
"""Most verdicts of one kind that are looked at one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One text that a reviewer changed."""

    draft_id: str
    scenario: str
    reviewer: str
    at: datetime
    before: Draft
    after: Draft


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a reviewer said about a text that they did not let through."""

    draft_id: str
    scenario: str
    reviewer: str
    at: datetime
    verdict: ReviewVerdict
    reason: str
    """An instruction for a redraft, or `code: words` of a rejection."""
    draft: Draft


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A draft on which a reviewer gave a verdict, with what it rested on."""

    draft_id: str
    reviewer: str
    at: datetime
    opened_at: datetime
    deadline: datetime | None
    draft: Draft
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictCount:
    """How often one verdict was given on drafts of one scenario."""

    scenario: str
    verdict: ReviewVerdict
    """`undo` for verdicts that were taken back, whatever they said."""
    code: str
    """The reason of a rejection that stands; empty for other verdicts."""
    count: int


def edits_since(conn: Connection, since: datetime) -> list[Edit]:
    """Return the edits since an instant, the newest first."""
    after = aliased(DraftRow)
    rows = conn.execute(
        select(
            col(ReviewRow.draft_id),
            col(DraftRow.scenario),
            col(ReviewRow.reviewer),
            col(ReviewRow.at),
            col(DraftRow.body),
            col(after.body),
        )
        .join(DraftRow, col(DraftRow.id) == col(ReviewRow.draft_id))
        .join(
            after,
            and_(
                col(after.case_id) == col(DraftRow.case_id),
                col(after.version) == col(DraftRow.version) + 1,
            ),
        )
        .where(col(ReviewRow.verdict) == ReviewVerdict.EDIT, col(ReviewRow.at) >= since, stands())
        .order_by(col(ReviewRow.at).desc(), col(ReviewRow.id).desc())
        .limit(MOST_LESSONS)
    )
    return [
        Edit(
            draft_id=draft_id,
            scenario=scenario,
            reviewer=reviewer,
            at=at,
            before=draft_from_json(before),
            after=draft_from_json(edited),
        )
        for draft_id, scenario, reviewer, at, before, edited in rows
    ]


def said_since(conn: Connection, since: datetime, *, code: str) -> list[Said]:
    """Return redraft instructions and rejections with one reason since an instant, the newest first."""
    wanted = or_(col(ReviewRow.verdict) == ReviewVerdict.REDRAFT, _rejected_for(code))
    rows = conn.execute(
        select(
            col(ReviewRow.draft_id),
            col(DraftRow.scenario),
            col(ReviewRow.reviewer),
            col(ReviewRow.at),
            col(ReviewRow.verdict),
            col(ReviewRow.reason),
            col(DraftRow.body),
        )
        .join(DraftRow, col(DraftRow.id) == col(ReviewRow.draft_id))
        .where(wanted, col(ReviewRow.at) >= since, stands())
        .order_by(col(ReviewRow.at).desc(), col(ReviewRow.id).desc())
        .limit(MOST_LESSONS)
    )
    return [
        Said(
            draft_id=draft_id,
            scenario=scenario,
            reviewer=reviewer,
            at=at,
            verdict=ReviewVerdict(verdict),
            reason=reason,
            draft=draft_from_json(body),
        )
        for draft_id, scenario, reviewer, at, verdict, reason, body in rows
    ]


def count_verdicts(conn: Connection, since: datetime, *, codes: Sequence[str]) -> list[VerdictCount]:
    """Return how often each verdict was given since an instant, rejections by their reason.

    Every verdict counts once: as what it was, or as taken back.
    """
    undone = literal(ReviewVerdict.UNDO.value)
    given = select(
        col(ReviewRow.draft_id),
        case((stands(), col(ReviewRow.verdict)), else_=undone).label("verdict"),
        case(*((and_(stands(), _rejected_for(one)), literal(one)) for one in codes), else_=literal("")).label(
            "code"
        ),
    ).where(col(ReviewRow.at) >= since, col(ReviewRow.verdict) != ReviewVerdict.UNDO)
    found = given.subquery()
    by = (col(DraftRow.scenario), found.c.verdict, found.c.code)
    statement = (
        select(*by, func.count())
        .join(found, found.c.draft_id == col(DraftRow.id))
        .group_by(*by)
        .order_by(*by)
    )
    return [
        VerdictCount(scenario=scenario, verdict=ReviewVerdict(verdict), code=found, count=number)
        for scenario, verdict, found, number in conn.execute(statement)
    ]


def judged_since(conn: Connection, since: datetime, *, scenario: str, code: str | None) -> list[Judged]:
    """Return drafts of a scenario rejected for a reason, or approved when none is given, the newest first."""
    wanted = col(ReviewRow.verdict) == ReviewVerdict.APPROVE if code is None else _rejected_for(code)
    rows = conn.execute(
        select(
            col(ReviewRow.draft_id),
            col(ReviewRow.reviewer),
            col(ReviewRow.at),
            col(CaseFile.opened_at),
            col(CaseFile.deadline),
            col(DraftRow.body),
            col(DecisionRow.body),
        )
        .join(DraftRow, col(DraftRow.id) == col(ReviewRow.draft_id))
        .join(CaseFile, col(CaseFile.id) == col(ReviewRow.case_id))
        .join(DecisionRow, col(DecisionRow.id) == col(DraftRow.decision_id))
        .where(wanted, col(DraftRow.scenario) == scenario, col(ReviewRow.at) >= since, stands())
        .order_by(col(ReviewRow.at).desc(), col(ReviewRow.id).desc())
        .limit(MOST_JUDGED)
    )
    return [
        Judged(
            draft_id=draft_id,
            reviewer=reviewer,
            at=at,
            opened_at=opened_at,
            deadline=deadline,
            draft=draft_from_json(draft),
            decision=decision_from_json(decision),
        )
        for draft_id, reviewer, at, opened_at, deadline, draft, decision in rows
    ]


def _rejected_for(code: str) -> ColumnElement[bool]:
    """Return that a review rejected for a reason; the reviewer's words follow it behind a colon."""
    reason = col(ReviewRow.reason)
    return and_(
        col(ReviewRow.verdict) == ReviewVerdict.REJECT,
        or_(reason == code, reason.startswith(f"{code}:", autoescape=True)),
    )
