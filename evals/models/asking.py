"""What answers the questions of a run: the port behind which recorded and live models stand."""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final, Protocol

from agent.bootstrap import MakeModel
from agent.clock import Clock
from prompts.store import PromptStore

_PROMPTS: Final = ("read", "assess", "compose", "repair")


class Tier(StrEnum):
    """Whom a run asks, by how much that costs."""

    RULES = "rules"
    """The offline rules model: what playbooks, gates and guards do without any model."""
    RECORDED = "recorded"
    """Replies that were recorded once: the same each time, and free."""
    LIVE = "live"
    """A model that answers now."""


class Asking(Protocol):
    """Makes the model of each case. Goes to other processes, so it holds nothing open before it is used."""

    @property
    def tier(self) -> Tier:
        """Whom it asks."""
        ...

    @property
    def model(self) -> str:
        """The model's name."""
        ...

    @property
    def prompts(self) -> Mapping[str, str]:
        """Prompt → `version:hash` of those in use."""
        ...

    def make_model(self, case: str, clock: Clock) -> MakeModel:
        """Return what builds the model of one case; the ledger is that of the case."""
        ...

    def milliseconds(self, case: str, key: str) -> int:
        """Return how long the model took over a case's question, by the ledger's hash, since `aclose`."""
        ...

    async def aclose(self) -> None:
        """Close connections, in the event loop that used them."""
        ...


@cache
def prompt_store(folder: Path) -> PromptStore:
    """Return the prompts of a folder, read once for all cases of a run."""
    return PromptStore(folder)


def prompts_in_use(folder: Path) -> dict[str, str]:
    """Return prompt → `version:hash` of the newest versions of a folder.

    Raises:
        InputError: A prompt is missing or wrong.
    """
    store = prompt_store(folder)
    found = [store.get(name) for name in _PROMPTS]
    return {prompt.id: f"{prompt.version}:{prompt.hash}" for prompt in found}
