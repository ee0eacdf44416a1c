"""The kill switch: stops that a person orders, for everything, one scenario or one channel."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, insert, update
from sqlmodel import col, select

from agent.domain.audit import Actor, ActorKind, AuditEvent
from agent.errors import NotFoundError, RefusedError
from agent.store.locks import KILL_SWITCH_LOCK, lock_exclusive
from agent.store.tables.sending import KillSwitch
from agent.store.transaction import Tx
from tools.records.vocabulary import ChannelKind


class KillScope(StrEnum):
    """What a stop covers."""

    GLOBAL = "global"
    SCENARIO = "scenario"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One order to stop."""

    id: str
    scope: KillScope
    key: str
    """Scenario or channel; empty for everything."""
    reason: str
    set_by: str
    set_at: datetime


@dataclass(frozen=True, slots=True)
class Stops:
    """The stops that are in force."""

    active: tuple[Stop, ...]

    def scenario(self, scenario: str) -> str | None:
        """Return why this scenario or everything is stopped; None when it is not."""
        return self._reason((KillScope.GLOBAL, ""), (KillScope.SCENARIO, scenario))

    def channel(self, channel: ChannelKind) -> str | None:
        """Return why this channel is stopped by an order for the channel; None when it is not."""
        return self._reason((KillScope.CHANNEL, channel.value))

    def _reason(self, *wanted: tuple[KillScope, str]) -> str | None:
        return next((stop.reason for stop in self.active if (stop.scope, stop.key) in wanted), None)


def set_kill_switch(tx: Tx, *, scope: KillScope, key: str, reason: str, operator: str, at: datetime) -> str:
    """Order a stop; return its id. Once this commits, no new intent to send is written.

    Args:
        tx: The transaction.
        scope: What it covers.
        key: Scenario or channel; empty for everything.
        reason: Why, in words that others will read.
        operator: Who orders it.
        at: Now.

    Raises:
        RefusedError: The reason is empty, or scope and key do not fit.
    """
    if not reason.strip():
        raise RefusedError("a stop needs a reason that others can read")
    if (scope is KillScope.GLOBAL) != (key == ""):
        raise RefusedError("name a scenario or a channel, or neither to stop everything")
    lock_exclusive(tx.conn, KILL_SWITCH_LOCK)  # waits for intents that are being written
    stop_id = tx.ids.new("kill", at=at)
    row: dict[str, object] = {
        "id": stop_id,
        "scope": scope,
        "key": key,
        "reason": reason.strip(),
        "set_by": operator,
        "set_at": at,
        "lifted_by": None,
        "lifted_at": None,
    }
    tx.conn.execute(insert(KillSwitch), [row])
    _record(tx, "kill_switch.set", operator, at, {"key": key, "reason": reason.strip(), "scope": scope})
    return stop_id


def lift_kill_switch(tx: Tx, *, scope: KillScope, key: str, operator: str, at: datetime) -> int:
    """Lift the stops of one scope and key; return how many there were.

    Raises:
        NotFoundError: Nothing of this scope and key is stopped.
    """
    lifted = tx.conn.execute(
        update(KillSwitch)
        .where(
            col(KillSwitch.scope) == scope, col(KillSwitch.key) == key, col(KillSwitch.lifted_at).is_(None)
        )
        .values(lifted_by=operator, lifted_at=at)
    )
    if lifted.rowcount == 0:
        raise NotFoundError(f"nothing is stopped for {scope} {key}".rstrip())
    _record(tx, "kill_switch.lifted", operator, at, {"key": key, "scope": scope})
    return lifted.rowcount


_ACTIVE: Final = select(KillSwitch).where(col(KillSwitch.lifted_at).is_(None)).order_by(col(KillSwitch.id))


def active_stops(connection: Connection) -> Stops:
    """Return the stops that are in force, oldest first."""
    rows = connection.execute(_ACTIVE).mappings()
    return Stops(
        tuple(
            Stop(
                id=row["id"],
                scope=KillScope(row["scope"]),
                key=row["key"],
                reason=row["reason"],
                set_by=row["set_by"],
                set_at=row["set_at"],
            )
            for row in rows
        )
    )


def _record(tx: Tx, event: str, operator: str, at: datetime, body: dict[str, object]) -> None:
    actor = Actor(kind=ActorKind.OPERATOR, id=operator)
    tx.record(AuditEvent(type=event, at=at, actor=actor, customer_id=None, body=body))
