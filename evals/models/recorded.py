"""Recorded replies behind the transport of the live model: the same prompts, checks, ledger and books."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Final

from agent.bootstrap import MakeModel
from agent.clock import Clock
from agent.llm.ledgered import LedgeredModel
from agent.llm.port import Model
from agent.llm.requests import Questions
from agent.llm.retries import RetryRules
from agent.llm.transport import AttemptError, ChatRequest, Completion
from agent.store.llm_calls import Usage
from agent.store.transaction import Store
from evals.models.asking import Tier, prompt_store, prompts_in_use
from evals.models.recordings import RecordingSet
from prompts.folders import LIBRARY_FOLDER
from prompts.templates import TemplateStore

UNRECORDED: Final = "no recording answers this request"


@dataclass(frozen=True)
class RecordedAsking:
    """Implements `evals.models.asking.Asking` over a set of recordings."""

    recordings: RecordingSet
    prompt_folder: Path = LIBRARY_FOLDER

    @property
    def tier(self) -> Tier:
        """`recorded`."""
        return Tier.RECORDED

    @property
    def model(self) -> str:
        """The model's name as the set says it."""
        return self.recordings.head.model

    @property
    def prompts(self) -> Mapping[str, str]:
        """Prompt → `version:hash` of those in use."""
        return prompts_in_use(self.prompt_folder)

    def make_model(self, case: str, clock: Clock) -> MakeModel:
        """Return what builds the model of one case."""
        head = self.recordings.head

        def make(store: Store, templates: TemplateStore) -> Model:
            return LedgeredModel(
                transport=RecordedTransport(self.recordings, case),
                questions=Questions(prompt_store(self.prompt_folder), templates),
                store=store,
                budget=_Unlimited(),
                price=head.price,
                clock=clock,
                random=Random(0),  # noqa: S311  # never drawn from: a recording is there or it is not
                rules=RetryRules(attempts=1, deadline=timedelta(minutes=5)),
                max_tokens=head.max_tokens,
            )

        return make

    def milliseconds(self, case: str, key: str) -> int:
        """Return how long the model took when the reply was recorded."""
        known = self.recordings.reply_to(key, case)
        return known.milliseconds if known else 0

    async def aclose(self) -> None:
        """Do nothing: there are no connections."""


class RecordedTransport:
    """Implements `agent.llm.transport.Transport`."""

    def __init__(self, recordings: RecordingSet, case: str) -> None:
        """Serve the replies of a set to one case."""
        self._recordings = recordings
        self._case = case

    @property
    def model(self) -> str:
        """The model's name as the set says it."""
        return self._recordings.head.model

    @property
    def params(self) -> Mapping[str, object]:
        """What else shaped the replies."""
        return self._recordings.head.params

    async def complete(self, request: ChatRequest) -> Completion:
        """Return the recorded reply.

        Raises:
            AttemptError: There is none; kind `down`.
        """
        known = self._recordings.reply_to(request.key, self._case)
        if known is None:
            raise AttemptError(UNRECORDED, kind="down", retryable=False)
        first = len(request.messages) == 1  # what was recorded is the sum of both turns
        return Completion(
            text=known.text,
            usage=known.usage if first else Usage(),
            # a reply that does not fit is found out by the same checks as when it came
            problem="" if known.problem == "invalid" else known.problem,
            detail="as it was recorded" if known.problem else "",
        )

    async def aclose(self) -> None:
        """Do nothing: there are no connections."""


class _Unlimited:
    """Implements `agent.llm.budget.Budget` where nothing is spent."""

    async def reserve(self, amount: int) -> str | None:
        """Hold nothing."""
        del amount
        return None  # the port has a value to return

    async def settle(self, hold: str | None, cost: int) -> None:
        """Settle nothing."""
