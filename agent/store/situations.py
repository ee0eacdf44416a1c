"""Situations: opening them, adding members, closing them."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, insert, text, update
from sqlmodel import col, select

from agent.canonical import canonical
from agent.domain.cases import Case, Situation, SituationId
from agent.store.cases import cases_of_situation
from agent.store.tables.cases import SituationRow
from agent.store.transaction import Tx

QUEUED = "queued"
CLOSED = "closed"
_IS_QUEUED: Final = text(f"situation.state = '{QUEUED}'")
"""Written out, for only so a partial index serves it."""


def open_situation(
    tx: Tx,
    case: Case,
    *,
    channel: str,
    locale: str,
    categories: tuple[tuple[str, str], ...],
    instruction: str | None,
    at: datetime,
) -> SituationId:
    """Open a situation like this case's and return its id; assigning members is the caller's part.

    Where one of the same cause still waits for its text, the new one continues it: what both give is
    reviewed together, however many cases there are.
    """
    cause: dict[str, object] = {
        "scenario": case.scenario,
        "playbook": case.playbook,
        "channel": channel,
        "locale": locale,
        "categories": canonical([list(pair) for pair in categories]),
        "instruction": instruction,
    }
    situation_id = SituationId(tx.ids.new("sit", at=at))
    tx.conn.execute(
        insert(SituationRow),
        [
            {
                "id": situation_id,
                **cause,
                "head_id": _queued_head(tx.conn, cause),
                "state": QUEUED,
                "opened_at": at,
                "closed_at": None,
            }
        ],
    )
    return situation_id


def get_situation(conn: Connection, situation_id: str) -> Situation | None:
    """Return a situation with the members that are still screened, or None."""
    row = conn.execute(select(SituationRow).where(col(SituationRow.id) == situation_id)).mappings().first()
    if row is None:
        return None
    categories: list[list[str]] = json.loads(row["categories"])
    return Situation(
        id=SituationId(row["id"]),
        scenario=row["scenario"],
        playbook=row["playbook"],
        channel=row["channel"],
        locale=row["locale"],
        categories=tuple((name, value) for name, value in categories),
        case_ids=tuple(case.id for case in cases_of_situation(conn, situation_id)),
        instruction=row["instruction"],
    )


def heads_of(conn: Connection, situation_ids: Collection[str]) -> dict[str, str]:
    """Return situation → the one that it continues, for those that continue one."""
    rows = conn.execute(
        select(SituationRow.id, SituationRow.head_id).where(
            col(SituationRow.id).in_(sorted(situation_ids)), col(SituationRow.head_id).is_not(None)
        )
    )
    return {situation_id: head_id for situation_id, head_id in rows if head_id is not None}


def _queued_head(conn: Connection, cause: Mapping[str, object]) -> str | None:
    """Return the head of those of this cause that wait for their text."""
    same = [getattr(SituationRow, name).is_not_distinct_from(value) for name, value in cause.items()]
    row = conn.execute(
        select(SituationRow.id, SituationRow.head_id)
        .where(_IS_QUEUED, *same)
        .order_by(col(SituationRow.opened_at), col(SituationRow.id))
        .limit(1)
    ).first()
    return None if row is None else row[1] or row[0]


def close_situation(tx: Tx, situation_id: str, *, at: datetime) -> None:
    """Mark a situation as deliberated."""
    tx.conn.execute(
        update(SituationRow).where(col(SituationRow.id) == situation_id).values(state=CLOSED, closed_at=at)
    )
