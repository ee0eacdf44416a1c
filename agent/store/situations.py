"""Situations: opening them, adding members, closing them."""

import json
from datetime import datetime

from sqlalchemy import Connection, insert, update
from sqlmodel import col, select

from agent.canonical import canonical
from agent.domain.cases import Case, Situation, SituationId
from agent.store.cases import cases_of_situation
from agent.store.tables.cases import SituationRow
from agent.store.transaction import Tx

QUEUED = "queued"
CLOSED = "closed"


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
    """Open a situation like this case's and return its id; assigning members is the caller's part."""
    situation_id = SituationId(tx.ids.new("sit", at=at))
    tx.conn.execute(
        insert(SituationRow),
        [
            {
                "id": situation_id,
                "scenario": case.scenario,
                "playbook": case.playbook,
                "channel": channel,
                "locale": locale,
                "categories": canonical([list(pair) for pair in categories]),
                "instruction": instruction,
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


def close_situation(tx: Tx, situation_id: str, *, at: datetime) -> None:
    """Mark a situation as deliberated."""
    tx.conn.execute(
        update(SituationRow).where(col(SituationRow.id) == situation_id).values(state=CLOSED, closed_at=at)
    )
