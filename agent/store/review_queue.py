"""The review queue: paged listing in the order of urgency, and how full it is."""

import heapq
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy
from sqlalchemy import Connection, RowMapping, and_, bindparam, func, or_
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import col, select

from agent.domain.cases import SituationId
from agent.domain.drafts import DraftState
from agent.domain.queue import QueueCounts, QueueFilter, QueueItem, QueuePlace
from agent.store.drafts import DraftFile, draft_file, draft_from_json, stake_of_row
from agent.store.plans import filtered
from agent.store.tables.cases import DraftRow
from policies.review_rules import Risk
from tools.records.base import CustomerId

_ORDER: Final = (col(DraftRow.review_by), col(DraftRow.id))
_PENDING: Final = filtered(col(DraftRow.state)) == DraftState.PENDING
"""For conditions that another index than the state's finds faster."""


def list_queue(
    connection: Connection,
    wanted: QueueFilter,
    *,
    now: datetime,
    limit: int,
    after: QueuePlace | None = None,
    among: Collection[str] | None = None,
    aside: Collection[str] = (),
) -> list[QueueItem]:
    """Return one page of drafts, the one to be reviewed first at the top.

    Args:
        connection: The database.
        wanted: What to list.
        now: Now.
        limit: Most lines.
        after: Where the page before ended.
        among: Ids of the only drafts to list; few.
        aside: Ids of drafts to leave out; few.
    """
    chosen = _chosen(among, aside)
    rows = heapq.merge(
        # the index is ordered within one state, so that several states are several queries
        *(
            _page(connection, state, [*_conditions(wanted, now=now), *chosen], limit=limit, after=after)
            for state in ([wanted.state] if wanted.state else DraftState)
        ),
        key=lambda row: (row["review_by"], row["id"]),
    )
    page = [row for row, _ in zip(rows, range(limit), strict=False)]
    waiting = [row["situation_id"] for row in page if row["state"] == DraftState.PENDING]
    sizes = situation_sizes(connection, waiting)
    return [_item(row, sizes) for row in page]


def count_queue(
    connection: Connection, wanted: QueueFilter, *, now: datetime, aside: Collection[str] = ()
) -> int:
    """Return how many drafts a filter matches, a few left aside."""
    conditions = [*_conditions(wanted, now=now), *_chosen(None, aside)]
    if wanted.state is not None:
        conditions.append(col(DraftRow.state) == wanted.state)
    return int(connection.execute(select(func.count()).select_from(DraftRow).where(*conditions)).scalar_one())


def queue_counts(connection: Connection, *, reviewer: str, now: datetime, soon: timedelta) -> QueueCounts:
    """Return how full the queue is; each figure comes from an index made for it.

    Args:
        connection: The database.
        reviewer: Whose claims count as `mine`.
        now: Now.
        soon: Drafts that expire within this time are expiring soon.
    """
    overdue, expiring = col(DraftRow.review_by) < now, col(DraftRow.expires_at) <= now + soon
    snoozed = connection.execute(
        sqlalchemy.select(
            col(DraftRow.scenario),
            col(DraftRow.risk),
            func.count(),
            func.count().filter(overdue),
            func.count().filter(expiring),
        )
        .where(_PENDING, col(DraftRow.snoozed_until) > now)
        .group_by(col(DraftRow.scenario), col(DraftRow.risk))
    ).all()
    waiting = _by_kind(connection)
    for (
        scenario,
        risk,
        number,
        *_,
    ) in snoozed:  # few: taking them off is cheaper than leaving them out
        waiting[scenario, risk] -= number
    by_scenario, by_risk = Counter[str](), Counter[str]()
    for (scenario, risk), number in waiting.items():
        by_scenario[scenario] += number
        by_risk[risk] += number
    claimed = connection.execute(
        select(func.count(), func.count().filter(col(DraftRow.claimed_by) == reviewer)).where(
            _PENDING, col(DraftRow.claimed_until) > now, ~_snoozed(now)
        )
    ).one()
    return QueueCounts(
        waiting=waiting.total(),
        overdue=_number(connection, overdue) - sum(row[3] for row in snoozed),
        expiring_soon=_number(connection, expiring) - sum(row[4] for row in snoozed),
        claimed=int(claimed[0]),
        mine=int(claimed[1]),
        snoozed=sum(row[2] for row in snoozed),
        by_scenario=tuple(sorted((name, many) for name, many in by_scenario.items() if many)),
        by_risk=tuple((risk, by_risk[risk]) for risk in Risk),
    )


def _by_kind(connection: Connection) -> Counter[tuple[str, str]]:
    """Return (scenario, risk) → pending drafts, snoozed ones too."""
    rows = connection.execute(
        sqlalchemy.select(col(DraftRow.scenario), col(DraftRow.risk), func.count())
        .where(col(DraftRow.state) == DraftState.PENDING)
        .group_by(col(DraftRow.scenario), col(DraftRow.risk))
    )
    return Counter({(scenario, risk): number for scenario, risk, number in rows.all()})


def _number(connection: Connection, condition: ColumnElement[bool]) -> int:
    statement = select(func.count()).where(col(DraftRow.state) == DraftState.PENDING, condition)
    return int(connection.execute(statement).scalar_one())


def next_free(
    connection: Connection, wanted: QueueFilter, *, reviewer: str, now: datetime, skip: Sequence[str]
) -> str | None:
    """Return the first pending draft of the queue that a reviewer may open, or None."""
    conditions = [*_conditions(wanted, now=now), or_(~_held(now), col(DraftRow.claimed_by) == reviewer)]
    if skip:
        conditions.append(col(DraftRow.id).not_in(skip))
    return connection.execute(
        select(DraftRow.id)
        .where(col(DraftRow.state) == DraftState.PENDING, *conditions)
        .order_by(*_ORDER)
        .limit(1)
    ).scalar()


def situation_sizes(connection: Connection, situation_ids: Sequence[str | None]) -> dict[SituationId, int]:
    """Return situation → how many of its drafts wait."""
    ids = sorted({one for one in situation_ids if one})
    if not ids:
        return {}
    rows = connection.execute(
        select(DraftRow.situation_id, func.count())
        .where(col(DraftRow.state) == DraftState.PENDING, col(DraftRow.situation_id).in_(ids))
        .group_by(col(DraftRow.situation_id))
    )
    return {SituationId(situation_id): number for situation_id, number in rows if situation_id}


def expired_drafts(connection: Connection, *, now: datetime, limit: int) -> list[DraftFile]:
    """Return pending drafts whose time has passed, the longest first."""
    rows = connection.execute(_EXPIRED, {"now": now, "most": limit}).mappings()
    return [draft_file(row) for row in rows]


_EXPIRED: Final = (
    select(DraftRow)
    .where(col(DraftRow.state) == DraftState.PENDING, col(DraftRow.expires_at) <= bindparam("now"))
    .order_by(col(DraftRow.expires_at), col(DraftRow.id))
    .limit(bindparam("most"))
)


def _page(
    connection: Connection,
    state: DraftState,
    wanted: Sequence[ColumnElement[bool]],
    *,
    limit: int,
    after: QueuePlace | None,
) -> list[RowMapping]:
    conditions = [col(DraftRow.state) == state, *wanted]
    if after is not None:
        conditions += _beyond(after)
    statement = select(DraftRow).where(*conditions).order_by(*_ORDER).limit(limit)
    return list(connection.execute(statement).mappings())


def _beyond(place: QueuePlace) -> list[ColumnElement[bool]]:
    review_by, draft_id = _ORDER
    later = or_(review_by > place.review_by, and_(review_by == place.review_by, draft_id > place.draft_id))
    return [review_by >= place.review_by, later]  # the first lets the index find the place


def _chosen(among: Collection[str] | None, aside: Collection[str]) -> list[ColumnElement[bool]]:
    conditions = [] if among is None else [col(DraftRow.id).in_(sorted(among))]
    return [*conditions, *([col(DraftRow.id).not_in(sorted(aside))] if aside else [])]


def _conditions(wanted: QueueFilter, *, now: datetime) -> list[ColumnElement[bool]]:
    """Return what a filter asks for, its state aside."""
    conditions: list[ColumnElement[bool]] = []
    for column, value in (
        (DraftRow.scenario, wanted.scenario),
        (DraftRow.channel, wanted.channel),
        (DraftRow.risk, wanted.risk),
        (DraftRow.review_reason, wanted.reason),
        (DraftRow.situation_id, wanted.situation),
    ):
        if value is not None:
            conditions.append(col(column) == value)
    if wanted.claimed == "me":
        conditions += [_held(now), col(DraftRow.claimed_by) == wanted.reviewer]
    elif wanted.claimed == "nobody":
        conditions.append(~_held(now))
    if wanted.state is DraftState.PENDING:
        conditions.append(_snoozed(now) if wanted.snoozed else ~_snoozed(now))
    if wanted.search.strip():
        conditions.append(col(DraftRow.search).contains(wanted.search.strip().casefold(), autoescape=True))
    return conditions


def _snoozed(now: datetime) -> ColumnElement[bool]:
    return func.coalesce(col(DraftRow.snoozed_until) > now, False)  # SQL's word


def _held(now: datetime) -> ColumnElement[bool]:
    return func.coalesce(col(DraftRow.claimed_until) > now, False)  # SQL's word


def _item(row: RowMapping, sizes: dict[SituationId, int]) -> QueueItem:
    draft = draft_from_json(row["body"])
    waits = row["state"] == DraftState.PENDING
    return QueueItem(
        draft_id=draft.id,
        case_id=row["case_id"],
        customer_id=CustomerId(row["customer_id"]),
        customer_name=row["customer_name"],
        object_ref=row["object_ref"],
        scenario=row["scenario"],
        channel=draft.message.channel,
        locale=draft.message.locale,
        version=row["version"],
        state=DraftState(row["state"]),
        subject=draft.message.subject,
        body=draft.message.body,
        author=draft.author,
        review_reason=row["review_reason"],
        risk=Risk(row["risk"]),
        review_by=row["review_by"],
        stake=stake_of_row(row),
        value_micros=row["value_micros"],
        segments=draft.segments,
        content_hash=row["content_hash"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        deadline=row["deadline"],
        claimed_by=row["claimed_by"],
        claimed_until=row["claimed_until"],
        snoozed_until=row["snoozed_until"],
        first_approver=row["first_approver"],
        situation_id=row["situation_id"],
        situation_size=sizes.get(row["situation_id"], 0) if waits else 0,
    )
