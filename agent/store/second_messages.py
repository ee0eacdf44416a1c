"""Second messages: cases of which one message may be lost, so that one more follows on another channel.

A first message of which nobody knows whether it arrived stays unknown for good, with the reason
`SECOND_CHANNEL`. The one that follows is step 1 of the same signal, so the unique key of deliveries lets no
third one be queued.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, update
from sqlmodel import col, select

from agent.domain.cases import CaseId
from agent.domain.drafts import DeliveryId, DeliveryState
from agent.store.plans import filtered
from agent.store.tables.sending import DeliveryRow
from agent.store.transaction import chunked
from tools.records.vocabulary import ChannelKind

SECOND_CHANNEL: Final = "second_channel"
"""Why a delivery is left as unknown: the customer is told once more, by another channel."""


def maybe_reached(connection: Connection, case_ids: Sequence[CaseId]) -> dict[CaseId, frozenset[ChannelKind]]:
    """Return by which channels a message that may be lost was sent, for the cases that have one."""
    found: dict[CaseId, set[ChannelKind]] = defaultdict(set)
    for part in chunked(case_ids):
        rows = connection.execute(
            select(DeliveryRow.case_id, DeliveryRow.channel).where(
                col(DeliveryRow.case_id).in_(part),
                filtered(col(DeliveryRow.state)) == DeliveryState.UNKNOWN,
                filtered(col(DeliveryRow.state_reason)) == SECOND_CHANNEL,
            )
        )
        for case_id, channel in rows:
            found[CaseId(case_id)].add(ChannelKind(channel))
    return {case_id: frozenset(channels) for case_id, channels in found.items()}


def steps_of(connection: Connection, case_ids: Sequence[CaseId]) -> dict[CaseId, int]:
    """Return the step of the next message of each case: 1 where a second one is due, else 0."""
    lost = maybe_reached(connection, case_ids)
    return {case_id: int(case_id in lost) for case_id in case_ids}


def assume_second_due(connection: Connection, delivery_id: DeliveryId) -> None:
    """Mark a delivery as one that a second message follows, in a savepoint that the caller rolls back."""
    connection.execute(
        update(DeliveryRow).where(col(DeliveryRow.id) == delivery_id).values(state_reason=SECOND_CHANNEL)
    )
