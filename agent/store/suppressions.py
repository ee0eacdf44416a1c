"""Suppressions: addresses that must not be written to, kept as keyed hashes for ever."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import Connection, bindparam, func
from sqlmodel import col, select

from agent.domain.audit import Actor, AuditEvent
from agent.domain.drafts import DeliveryId, DeliveryState
from agent.store.deliveries import cancel_queued
from agent.store.keyring import Keyring
from agent.store.locks import address_lock, lock_exclusive
from agent.store.messages import message_from_json
from agent.store.tables.sending import DeliveryRow, Suppression
from agent.store.transaction import Tx, chunked, insert_new
from tools.records.base import CustomerId
from tools.records.vocabulary import ChannelKind, Purpose

ALL_PURPOSES: Final = "all"
_ANY: Final = select(Suppression.channel).where(col(Suppression.channel) == bindparam("channel")).limit(1)


def suppress(
    tx: Tx,
    *,
    keyring: Keyring,
    channel: ChannelKind,
    address: str,
    purpose: Purpose | Literal["all"],
    source: str,
    at: datetime,
    actor: Actor,
    customer_id: CustomerId | None = None,
) -> list[DeliveryId]:
    """Stop all messages of a purpose to an address; cancel what is queued for it and return which.

    Once this commits, no intent to send there can be written: both take the address's lock.

    Args:
        tx: The transaction.
        keyring: Hashes the address.
        channel: The channel the address belongs to.
        address: Case and outer blanks do not matter.
        purpose: A purpose, or `all`.
        source: Where the wish came from, for example `reply:stop`.
        at: Now.
        actor: Who entered it.
        customer_id: Whose wish it is, if known.
    """
    address_hmac = keyring.address_hmac(address)
    lock_exclusive(tx.conn, address_lock(address_hmac))
    row = {"channel": channel, "address_hmac": address_hmac, "purpose": purpose, "at": at, "source": source}
    insert_new(tx.conn, Suppression, [row])
    body = {"address": address_hmac, "channel": channel, "purpose": purpose, "source": source}
    tx.record(AuditEvent(type="suppression.added", at=at, actor=actor, customer_id=customer_id, body=body))
    queued = _queued_to(tx.conn, keyring, channel=channel, address=address, purpose=purpose)
    return cancel_queued(tx, queued, to=DeliveryState.SUPPRESSED, reason="suppression", at=at, actor=actor)


def suppressed_purposes(
    connection: Connection, channel: ChannelKind, address_hmacs: Sequence[str]
) -> dict[str, frozenset[str]]:
    """Return the purposes (or `all`) that are suppressed for each address hash; others are missing."""
    found: dict[str, set[str]] = {}
    for part in chunked(address_hmacs):
        rows = connection.execute(
            select(Suppression.address_hmac, Suppression.purpose).where(
                col(Suppression.channel) == channel, col(Suppression.address_hmac).in_(part)
            )
        )
        for address_hmac, purpose in rows:
            found.setdefault(address_hmac, set()).add(purpose)
    return {address_hmac: frozenset(purposes) for address_hmac, purposes in found.items()}


def has_suppressions(connection: Connection, channel: ChannelKind) -> bool:
    """Return whether any address of a channel is suppressed, so that others need not be hashed."""
    return connection.execute(_ANY, {"channel": channel}).first() is not None


def is_suppressed(purposes: frozenset[str], purpose: Purpose) -> bool:
    """Return whether suppressed purposes cover this one."""
    return ALL_PURPOSES in purposes or purpose in purposes


def _queued_to(
    connection: Connection, keyring: Keyring, *, channel: ChannelKind, address: str, purpose: str
) -> list[str]:
    # The text search only narrows; the hash decides. A spelling it misses is stopped by the gate at send.
    needle = json.dumps(address.strip().lower(), ensure_ascii=False)[1:-1]
    rows = connection.execute(
        select(DeliveryRow.id, DeliveryRow.purpose, DeliveryRow.message).where(
            col(DeliveryRow.state) == DeliveryState.QUEUED,
            col(DeliveryRow.channel) == channel,
            func.lower(col(DeliveryRow.message)).contains(needle, autoescape=True),
        )
    )
    wanted = keyring.address_hmac(address)
    return sorted(
        delivery_id
        for delivery_id, its_purpose, message in rows
        if purpose in (ALL_PURPOSES, its_purpose)
        and keyring.address_hmac(message_from_json(message).recipient) == wanted
    )
