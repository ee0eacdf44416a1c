"""Deliberations: one graph run for a situation that waits for it."""

import asyncio
from dataclasses import dataclass

from agent.clock import Clock
from agent.domain.cases import Situation
from agent.domain.deliberation import Deliberation
from agent.graph.nodes import Deliberate
from agent.store.situations import close_situation, get_situation
from agent.store.transaction import Store


@dataclass(frozen=True, slots=True)
class Deliberations:
    """Takes situations through the graph; repeating one is harmless."""

    store: Store
    deliberate: Deliberate
    clock: Clock

    async def run(self, situation_id: str) -> Deliberation | None:
        """Deliberate a situation; None when it does not exist or all its members have gone."""
        situation = await asyncio.to_thread(self._load, situation_id)
        if situation is None or not situation.case_ids:
            await asyncio.to_thread(self._close, situation_id)
            return None
        return await self.deliberate(situation)

    def _close(self, situation_id: str) -> None:
        with self.store.write() as tx:
            close_situation(tx, situation_id, at=self.clock())

    def _load(self, situation_id: str) -> Situation | None:
        with self.store.read() as conn:
            return get_situation(conn, situation_id)
