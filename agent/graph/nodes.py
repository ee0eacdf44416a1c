"""What the graph is made of, and what it does."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from agent.domain.cases import Situation
from agent.domain.deliberation import Deliberation, Update

Deliberate = Callable[[Situation], Awaitable[Deliberation]]


class Node(Protocol):
    """One step: takes the state, returns what changes in it."""

    async def __call__(self, state: Deliberation) -> Update:
        """Take the step."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Nodes:
    """The five nodes; their names are the graph's."""

    sense: Node
    decide: Node
    draft: Node
    guard: Node
    record: Node
