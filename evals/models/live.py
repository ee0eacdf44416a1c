"""A live model behind the port: the product's own adapter, with the books of the run for the day's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from agent.bootstrap import MakeModel
from agent.clock import Clock, Monotonic, system_clock, system_monotonic
from agent.llm.ledgered import LedgeredModel
from agent.llm.port import Model
from agent.llm.prices import Price
from agent.llm.requests import Questions
from agent.llm.retries import RetryRules
from agent.llm.transport import ChatRequest, Completion, Transport
from agent.settings import OpenAiSettings, Secrets
from agent.store.transaction import Store
from agent.wiring import model_transport
from evals.models.asking import Tier, prompt_store, prompts_in_use
from evals.models.recordings import SetHead
from evals.models.spending import SpendBook
from prompts.templates import TemplateStore


@dataclass(frozen=True)
class LiveAsking:
    """Implements `evals.models.asking.Asking` over an OpenAI-compatible endpoint."""

    settings: OpenAiSettings
    secrets: Secrets
    price: Price
    book: SpendBook
    prompt_folder: Path
    config: Path | None = None
    """The file of the settings."""
    _open: list[Transport] = field(init=False, default_factory=list[Transport])
    _seconds: dict[str, float] = field(init=False, default_factory=dict[str, float])

    @property
    def tier(self) -> Tier:
        """`live`."""
        return Tier.LIVE

    @property
    def model(self) -> str:
        """The model's name as the endpoint knows it."""
        return self.settings.name

    @property
    def prompts(self) -> Mapping[str, str]:
        """Prompt → `version:hash` of those in use."""
        return prompts_in_use(self.prompt_folder)

    def make_model(self, case: str, clock: Clock) -> MakeModel:
        """Return what builds the model of one case."""
        del case  # every case is answered alike

        def make(store: Store, templates: TemplateStore) -> Model:
            transport = _Timed(self._transport(), self._seconds)
            self._open.append(transport)
            return LedgeredModel(
                transport=transport,
                questions=Questions(prompt_store(self.prompt_folder), templates),
                store=store,
                budget=self.book,
                price=self.price,
                clock=clock,
                random=Random(),  # noqa: S311  # jitter between attempts
                rules=RetryRules(deadline=self.settings.deadline),
                max_tokens=self.settings.max_tokens,
            )

        return make

    def milliseconds(self, case: str, key: str) -> int:
        """Return how long the endpoint took over a question, all turns and attempts together."""
        del case  # one case is asked at a time
        return round(self._seconds.get(key, 0) * 1_000)

    async def aclose(self) -> None:
        """Close the connections of the cases so far."""
        for transport in self._open:
            await transport.aclose()
        self._open.clear()
        self._seconds.clear()

    def head(self) -> SetHead:
        """Return the head of recordings of this model."""
        return SetHead.model_validate(
            {
                "model": self.model,
                "max_tokens": self.settings.max_tokens,
                "params": dict(self._transport().params),
                "made_by": f"The model {self.model}, asked by `outrider eval --model live --record`.",
                "price": self.price,
            }
        )

    def _transport(self) -> Transport:
        return model_transport(self.settings, self.secrets, system_clock)


class _Timed:
    """A transport that says how long it took."""

    def __init__(
        self, transport: Transport, seconds: dict[str, float], monotonic: Monotonic = system_monotonic
    ) -> None:
        self._transport = transport
        self._seconds = seconds
        self._monotonic = monotonic

    @property
    def model(self) -> str:
        return self._transport.model

    @property
    def params(self) -> Mapping[str, object]:
        return self._transport.params

    async def complete(self, request: ChatRequest) -> Completion:
        begun = self._monotonic()
        try:
            return await self._transport.complete(request)
        finally:
            taken = self._monotonic() - begun
            self._seconds[request.key] = self._seconds.get(request.key, 0) + taken

    async def aclose(self) -> None:
        await self._transport.aclose()
