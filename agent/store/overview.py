"""Figures over everything that is kept, for status, the demo and replays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func
from sqlmodel import col, select

from agent.domain.drafts import DeliveryState
from agent.store.drafts import draft_from_json
from agent.store.tables.cases import CaseFile, DraftRow
from agent.store.tables.ledger import LlmCallRow
from agent.store.tables.mirror import MirrorRecord
from agent.store.tables.sending import DeliveryRow


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    """A message that a provider accepted."""

    customer_id: str
    object_ref: str
    scenario: str
    channel: str
    at: datetime
    """When it was allowed to leave."""
    cost_micros: int


def sent_messages(conn: Connection, *, since: datetime | None = None) -> list[SentMessage]:
    """Return the accepted messages since an instant, inclusive, oldest first."""
    statement = (
        select(DeliveryRow, CaseFile.object_ref, DraftRow.body)
        .join(CaseFile, col(CaseFile.id) == col(DeliveryRow.case_id))
        .join(DraftRow, col(DraftRow.id) == col(DeliveryRow.draft_id))
        .where(col(DeliveryRow.state) == DeliveryState.ACCEPTED.value)
        .order_by(col(DeliveryRow.intent_at))
    )
    if since is not None:
        statement = statement.where(col(DeliveryRow.intent_at) >= since)
    return [
        SentMessage(
            customer_id=row["customer_id"],
            object_ref=row["object_ref"],
            scenario=row["scenario"],
            channel=row["channel"],
            at=row["intent_at"],
            cost_micros=draft_from_json(row["body"]).cost_micros,
        )
        for row in conn.execute(statement).mappings()
        if row["intent_at"] is not None
    ]


def leaving(conn: Connection, *, after: datetime, by: datetime) -> tuple[int, datetime | None]:
    """Return how many approved messages leave after one instant and by another, and when the last does."""
    row = conn.execute(
        select(func.count(), func.max(DeliveryRow.next_at)).where(
            col(DeliveryRow.state) == DeliveryState.QUEUED.value,
            col(DeliveryRow.review_id).is_not(None),
            col(DeliveryRow.next_at) > after,
            col(DeliveryRow.next_at) <= by,
        )
    ).one()
    return int(row[0]), row[1]


def model_cost(conn: Connection) -> int:
    """Return what all calls to the model cost, in micro-units."""
    total = select(func.coalesce(func.sum(LlmCallRow.cost_micros), 0))
    return int(conn.execute(total).scalar_one())


def count_records(conn: Connection) -> int:
    """Return how many records the mirror holds."""
    return int(conn.execute(select(func.count()).select_from(MirrorRecord)).scalar_one())


def cost_of(messages: Sequence[SentMessage]) -> int:
    """Return what sending cost, in micro-units."""
    return sum(message.cost_micros for message in messages)
