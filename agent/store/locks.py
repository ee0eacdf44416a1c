"""Locks inside a transaction, and the one order in which they are taken.

First names (for what no single row stands for), then cases, then their drafts and deliveries; within each
kind sorted, so that two transactions never wait for each other crosswise. On SQLite a write transaction
already excludes all others, so these do nothing there.
"""

import hashlib
from collections.abc import Sequence

from sqlalchemy import Connection, text
from sqlmodel import col, select

from agent.store.tables.cases import CaseFile
from agent.store.transaction import chunked


def lock_exclusive(connection: Connection, *names: str) -> None:
    """Hold the names until the transaction ends; nobody else holds them meanwhile."""
    _lock(connection, "SELECT pg_advisory_xact_lock(:key)", names)


def lock_shared(connection: Connection, *names: str) -> None:
    """Hold the names until the transaction ends; others may share them, nobody holds them exclusively."""
    _lock(connection, "SELECT pg_advisory_xact_lock_shared(:key)", names)


def lock_cases(connection: Connection, case_ids: Sequence[str]) -> None:
    """Hold cases until the transaction ends, before their drafts and deliveries are touched."""
    if connection.dialect.name == "sqlite":
        return
    for part in chunked(sorted(case_ids)):
        statement = select(CaseFile.id).where(col(CaseFile.id).in_(part)).order_by(col(CaseFile.id))
        connection.execute(statement.with_for_update()).all()


def lock_key(name: str) -> int:
    """Return the signed 64-bit number that stands for a name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


def address_lock(address_hmac: str) -> str:
    """Return the name under which an address is locked by sends and opt-outs."""
    return f"address:{address_hmac}"


def customer_lock(customer_id: str) -> str:
    """Return the name under which a customer is locked while caps are counted."""
    return f"customer:{customer_id}"


KILL_SWITCH_LOCK = "kill_switch"


def _lock(connection: Connection, statement: str, names: tuple[str, ...]) -> None:
    if connection.dialect.name == "sqlite":
        return
    for key in sorted({lock_key(name) for name in names}):
        connection.execute(text(statement), {"key": key})
