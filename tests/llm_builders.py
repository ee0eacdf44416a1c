"""What the tests of the model rooms share: requests, a folder of templates, a model over any endpoint."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random

from agent.clock import Clock
from agent.domain.model import (
    AssessRequest,
    ComposeRequest,
    KnownFact,
    Mood,
    Reading,
    ReadRequest,
)
from agent.llm.budget import ModelBudget
from agent.llm.compatible import CompatibleTransport
from agent.llm.ledgered import LedgeredModel
from agent.llm.prices import Price
from agent.llm.requests import Questions
from agent.llm.retries import RetryRules
from agent.store.transaction import Store
from prompts.store import PromptStore
from prompts.templates import TemplateStore
from tools.records.vocabulary import ChannelKind, Purpose

PRICE = Price(prompt=1_000_000, cached=500_000, completion=2_000_000, currency="USD")
"""One micro per prompt token, two per completion token."""
CAP = 1_000_000

CALM = Reading(
    mood=Mood.CALM,
    asks_for_person=False,
    asks_no_contact=False,
    already_knows=False,
    mentions_hardship=False,
    suspicious=False,
)
READ = ReadRequest(situation_id="sit_1", texts=("Where is my parcel?",))
ASSESS = AssessRequest(
    situation_id="sit_1",
    scenario="shipping_delay",
    title="Order will arrive later than promised",
    purpose=Purpose.SERVICE,
    facts=(KnownFact(name="order.number", kind="text", value=None),),
    readings=(),
    results=(),
    calls_left=2,
)
COMPOSE = ComposeRequest(
    situation_id="sit_1",
    scenario="shipping_delay",
    title="Order will arrive later than promised",
    purpose=Purpose.SERVICE,
    channel=ChannelKind.EMAIL,
    template="email",
    locale="pt_BR",
    slots=(
        KnownFact(name="customer.first_name", kind="text", value=None),
        KnownFact(name="order.number", kind="text", value=None),
    ),
    flags=(),
    violations=(),
    instruction=None,
)

_TEMPLATE = """---
subject: Your order {order.number}
---
Hello{% if 'customer.first_name' in facts %} {customer.first_name}{% endif %}, order {order.number} is late.
{%- if 'order.overdue' in facts %} It is overdue.{% endif %}
"""


def template_store(folder: Path) -> TemplateStore:
    """A store with one English template for the mail of `shipping_delay`."""
    path = folder / "shipping_delay" / "email.en.j2"
    path.parent.mkdir(parents=True)
    path.write_text(_TEMPLATE, encoding="utf-8")
    return TemplateStore(folder)


@dataclass(slots=True)
class Waits:
    """A sleep that takes no time and remembers how long it should have been."""

    seconds: list[float] = field(default_factory=list[float])

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@dataclass(frozen=True, slots=True)
class Bench:
    """Makes models over a store; everything a test may want to vary is an argument."""

    store: Store
    clock: Clock
    templates: TemplateStore
    opened: list[CompatibleTransport] = field(default_factory=list[CompatibleTransport])
    waits: Waits = field(default_factory=Waits)

    def model(
        self,
        url: str,
        *,
        price: Price = PRICE,
        cap: int = CAP,
        rules: RetryRules | None = None,
        timeout: timedelta = timedelta(seconds=5),
        max_tokens: int = 400,
        seed: int | None = None,
    ) -> LedgeredModel:
        transport = CompatibleTransport(
            base_url=url,
            model="scripted",
            api_key="none",
            clock=self.clock,
            timeout=timeout,
            seed=seed,
        )
        self.opened.append(transport)
        return LedgeredModel(
            transport=transport,
            questions=Questions(PromptStore(), self.templates),
            store=self.store,
            budget=ModelBudget(store=self.store, cap_micros=cap, owner="test", clock=self.clock),
            price=price,
            clock=self.clock,
            random=Random(1),
            rules=rules,
            max_tokens=max_tokens,
            sleep=self.waits,
        )
