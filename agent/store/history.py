"""What happened between the company and one customer, newest first."""

import sqlalchemy
from sqlalchemy import Connection
from sqlmodel import col, select

from agent.domain.mirror import Seen
from agent.store.deliveries import DeliveryFile, delivery_file
from agent.store.tables.mirror import MirrorRecord
from agent.store.tables.sending import DeliveryRow
from tools.records.registry import parse_body


def records_of_customer(conn: Connection, customer_id: str, *, limit: int) -> list[Seen]:
    """Return the mirrored records of every type that belong to a customer, the newest change first."""
    rows = conn.execute(
        sqlalchemy.select(
            col(MirrorRecord.type),
            col(MirrorRecord.source),
            col(MirrorRecord.stream),
            col(MirrorRecord.customer_ref),
            col(MirrorRecord.source_updated_at),
            col(MirrorRecord.observed_at),
            col(MirrorRecord.body),
        )
        .where(col(MirrorRecord.customer_ref) == customer_id, col(MirrorRecord.deleted).is_(False))
        .order_by(col(MirrorRecord.source_updated_at).desc(), col(MirrorRecord.id))
        .limit(limit)
    )
    return [
        Seen(
            parse_body(record_type, body), record_type, source, stream, customer_ref, updated_at, observed_at
        )
        for record_type, source, stream, customer_ref, updated_at, observed_at, body in rows.all()
    ]


def deliveries_of_customer(conn: Connection, customer_id: str, *, limit: int) -> list[DeliveryFile]:
    """Return what left for a customer, or was about to, the newest intent first."""
    rows = conn.execute(
        select(DeliveryRow)
        .where(col(DeliveryRow.customer_id) == customer_id, col(DeliveryRow.intent_at).is_not(None))
        .order_by(col(DeliveryRow.intent_at).desc(), col(DeliveryRow.id))
        .limit(limit)
    ).mappings()
    return [delivery_file(row) for row in rows]
