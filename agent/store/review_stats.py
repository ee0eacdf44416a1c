"""What the review desk did, counted by the database: verdicts, reasons, seconds, templates."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    and_,
    case,
    cast,
    func,
    label,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.orm import Mapped
from sqlmodel import col

from agent.domain.drafts import DraftState, ReviewVerdict
from agent.store.reviews import stands
from agent.store.tables.cases import DraftRow, ReviewRow, ReviewSeedRow

_WRITERS: Final = ("template", "model")
"""Authors of first versions; a reviewer's own version keeps the template's name and is not counted again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seconds:
    """How long one reviewer looked before a verdict."""

    reviewer: str
    verdicts: int
    median: int
    p90: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateUse:
    """How often drafts from one template, or one prompt, were judged and edited."""

    template: str
    """`id@version`, as messages name it."""
    judged: int
    edited: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits for a person now; what somebody put off is left out."""

    waiting: int
    overdue: int
    """Past the instant by which somebody should have looked."""
    expiring_soon: int
    oldest: datetime | None
    """When the draft was written that waits longest."""
    snoozed: int
    by_scenario: tuple[tuple[str, int], ...]
    by_risk: tuple[tuple[str, int], ...]
    by_holder: tuple[tuple[str, int], ...]
    """Reviewers with how many drafts each holds."""


def backlog(conn: Connection, *, now: datetime, soon: datetime) -> Backlog:
    """Count what waits.

    Args:
        conn: The database.
        now: Now.
        soon: Until when a draft's end counts as soon, inclusive.
    """
    snoozed_until, deadline, expires_at = (
        col(DraftRow.snoozed_until),
        col(DraftRow.deadline),
        col(DraftRow.expires_at),
    )
    pending = col(DraftRow.state) == DraftState.PENDING
    waits = and_(pending, or_(snoozed_until.is_(None), snoozed_until <= now))
    end = case((deadline < expires_at, deadline), else_=expires_at)
    waiting, overdue, expiring, oldest = conn.execute(
        select(
            func.count(),
            func.count(case((col(DraftRow.review_by) < now, 1))),
            func.count(case((end <= soon, 1))),
            func.min(col(DraftRow.created_at)),
        ).where(waits)
    ).one()
    snoozed = conn.execute(
        select(func.count()).select_from(DraftRow).where(pending, snoozed_until > now)
    ).scalar_one()
    held = and_(waits, col(DraftRow.claimed_until) > now)
    return Backlog(
        waiting=waiting,
        overdue=overdue,
        expiring_soon=expiring,
        oldest=oldest,
        snoozed=snoozed,
        by_scenario=_grouped(conn, col(DraftRow.scenario), waits),
        by_risk=_grouped(conn, col(DraftRow.risk), waits),
        by_holder=_grouped(conn, col(DraftRow.claimed_by), held),
    )


def attention(conn: Connection, since: datetime) -> tuple[int, int]:
    """Return of how many planted mistakes how many were caught, over all reviewers: (caught, shown)."""
    caught, shown = conn.execute(
        select(func.count(case((col(ReviewSeedRow.caught).is_(True), 1))), func.count()).where(
            col(ReviewSeedRow.verdict_at) >= since
        )
    ).one()
    return caught, shown


def seconds_per_verdict(conn: Connection, since: datetime) -> list[Seconds]:
    """Return nearest-rank median and 90th percentile of the seconds per verdict that stands, by reviewer."""
    ranked = (
        select(
            label("reviewer", col(ReviewRow.reviewer)),
            label("seconds", col(ReviewRow.seconds)),
            func.row_number()
            .over(partition_by=col(ReviewRow.reviewer), order_by=col(ReviewRow.seconds))
            .label("rank"),
            func.count().over(partition_by=col(ReviewRow.reviewer)).label("number"),
        )
        .where(col(ReviewRow.at) >= since, col(ReviewRow.seconds).is_not(None), stands())
        .subquery()
    )
    seconds, rank, number = ranked.c.seconds, ranked.c.rank, ranked.c.number
    statement = (
        select(
            ranked.c.reviewer,
            func.max(number),
            func.min(case((rank * 2 >= number, seconds))),
            func.min(case((rank * 10 >= number * 9, seconds))),
        )
        .group_by(ranked.c.reviewer)
        .order_by(ranked.c.reviewer)
    )
    return [
        Seconds(reviewer=reviewer, verdicts=verdicts, median=median, p90=p90)
        for reviewer, verdicts, median, p90 in conn.execute(statement)
    ]


def template_uses(conn: Connection, since: datetime) -> list[TemplateUse]:
    """Return templates with how often their drafts were judged and edited, by name; what stands counts."""
    template = _in_body(conn, "message", "template").label("template")
    edited = func.sum(case((col(ReviewRow.verdict) == ReviewVerdict.EDIT, 1), else_=0))
    statement = (
        select(template, func.count(), edited)
        .select_from(ReviewRow)
        .join(DraftRow, col(DraftRow.id) == col(ReviewRow.draft_id))
        .where(
            col(ReviewRow.at) >= since,
            col(ReviewRow.verdict) != ReviewVerdict.UNDO,
            stands(),
            _in_body(conn, "author").in_(_WRITERS),
        )
        .group_by("template")
        .order_by("template")
    )
    return [
        TemplateUse(template=name, judged=judged, edited=int(number))
        for name, judged, number in conn.execute(statement)
    ]


def _in_body(conn: Connection, *path: str) -> ColumnElement[str]:
    """Return a text inside the draft's JSON."""
    body = col(DraftRow.body)
    # SQLite reads JSON from text as it is, and would make a number of it in a cast
    document = type_coerce(body, JSON) if conn.dialect.name == "sqlite" else cast(body, JSON)
    found: ColumnElement[str] = document[path].as_string()
    return found


def _grouped(
    conn: Connection, column: Mapped[str] | Mapped[str | None], where: ColumnElement[bool]
) -> tuple[tuple[str, int], ...]:
    """Return value → number of drafts, the most frequent first."""
    number = func.count()
    rows = conn.execute(
        select(column, number)
        .select_from(DraftRow)
        .where(where)
        .group_by(column)
        .order_by(number.desc(), column)
    )
    return tuple((value or "", total) for value, total in rows)
