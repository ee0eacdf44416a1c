"""Lists of decisions and events, page by page, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import Connection

from agent.store.audit_pages import (
    DecisionFilter,
    DecisionLine,
    EventFilter,
    LoggedEvent,
    decision_page,
    event_page,
    open_private,
)
from agent.store.keyring import Keyring

ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[ItemT]):
    """One page of a list."""

    items: Sequence[ItemT]
    before: str | None
    """Asks for the next page; None on the last one."""


def list_decisions(
    connection: Connection, wanted: DecisionFilter, *, before: str | None = None, limit: int = 50
) -> Page[DecisionLine]:
    """Return a page of decisions."""
    found = decision_page(connection, wanted, before=before, limit=limit + 1)
    return Page(items=found[:limit], before=found[limit - 1].id if len(found) > limit else None)


def list_events(
    connection: Connection,
    wanted: EventFilter,
    *,
    before: str | None = None,
    limit: int = 50,
    keyring: Keyring | None = None,
) -> Page[LoggedEvent]:
    """Return a page of events, with their private fields when a keyring is given.

    Raises:
        TamperedError: A ciphertext or a customer's key does not open.
    """
    found = event_page(connection, wanted, before=before, limit=limit + 1)
    items = found[:limit]
    return Page(
        items=items if keyring is None else open_private(connection, keyring, items),
        before=items[-1].id if len(found) > limit else None,
    )
