"""The budget of one UTC day for model calls, kept in the database so that all processes share it."""

import asyncio
from datetime import timedelta
from typing import Final, Protocol

from agent.clock import Clock
from agent.errors import ModelError
from agent.store.budgets import release_dead, reserve, settle
from agent.store.llm_calls import give_up_started
from agent.store.transaction import Store

SCOPE: Final = "model"


class Budget(Protocol):
    """Money for calls: held before each attempt, settled after it."""

    async def reserve(self, amount: int) -> str | None:
        """Hold the most that a call can cost; return the hold, None when the call is free.

        Raises:
            ModelError: The money does not cover it; kind `budget`.
        """
        ...

    async def settle(self, hold: str | None, cost: int) -> None:
        """Replace a hold by what the call cost."""
        ...


class ModelBudget:
    """The budget of a UTC day, in the database."""

    def __init__(self, *, store: Store, cap_micros: int, owner: str, clock: Clock) -> None:
        """Keep the books under `owner`.

        Args:
            store: The one database.
            cap_micros: Most that may be spent and held in one UTC day, inclusive.
            owner: Name of this process, so that its holds can be told from others'.
            clock: Says which day it is.
        """
        self._store = store
        self._cap = cap_micros
        self._owner = owner
        self._clock = clock

    async def reserve(self, amount: int) -> str | None:
        """Hold the most that a call can cost; return the hold, None when the call is free.

        Raises:
            ModelError: The day's money is used up; kind `budget`.
        """
        if amount == 0:
            return None
        hold = await asyncio.to_thread(self._reserve, amount)
        if hold is None:
            raise ModelError(
                f"the day's model budget of {self._cap} micros does not cover another call of up to {amount}",
                kind="budget",
            )
        return hold

    async def settle(self, hold: str | None, cost: int) -> None:
        """Replace a hold by what the call cost."""
        if hold is not None:
            await asyncio.to_thread(self._settle, hold, cost)

    def _reserve(self, amount: int) -> str | None:
        now = self._clock()
        with self._store.write() as tx:
            return reserve(
                tx,
                scope=SCOPE,
                period=now.date().isoformat(),
                amount=amount,
                cap=self._cap,
                owner=self._owner,
                at=now,
            )

    def _settle(self, hold: str, cost: int) -> None:
        with self._store.write() as tx:
            settle(tx, hold, cost=cost)


def clear_dead_calls(store: Store, *, clock: Clock, longest_call: timedelta) -> tuple[int, int]:
    """Settle the holds and close the ledger rows of calls whose process died; return how many of each.

    Args:
        store: The one database.
        clock: Says how old they are.
        longest_call: How long a call can last at most; younger ones are left alone.
    """
    now = clock()
    with store.write() as tx:
        holds = release_dead(tx, before=now - longest_call)
        return holds, give_up_started(tx, before=now - longest_call, at=now)
