"""A scenario whose messages may be told once more by another channel, in an installation of its own."""

import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from agent.bootstrap import App
from agent.domain.cases import Case
from agent.domain.drafts import DeliveryState
from policies.model import Channel, Composition, Judgement
from policies.triggers import CompiledPlaybook
from prompts.folders import TEMPLATE_FOLDER
from prompts.templates import TemplateStore
from tests.builders import customer, order, playbook, preference
from tests.providers import Act, FakeProvider, Kind
from tests.running import Installation, cases, deliveries, settle
from tools.records.base import CustomerId, Record
from tools.records.vocabulary import ChannelKind, ConsentState, Purpose

EMAIL, SMS, PUSH = ChannelKind.EMAIL, ChannelKind.SMS, ChannelKind.PUSH
SAYS_SO = "You may have had this message before."
SCENARIO = "shipping_delay"
_HEADS = {"email": 'subject: "Once more: your order {order.number}"', "sms": 'subject: ""'}
_TEXT = f"Your order {{order.number}} is late. {SAYS_SO}\n"


def recall(**changes: Any) -> CompiledPlaybook:
    """Return a safety scenario with a second message, which leaves without a person unless told otherwise."""
    plain: dict[str, Any] = {
        "purpose": Purpose.SAFETY,
        "channels": (
            Channel(kind=EMAIL, template="email", second="email_second"),
            Channel(kind=SMS, template="sms", second="sms_second"),
        ),
        "when_unknown": "second_channel",
        "holdout": None,
        "review": "auto",
        "composition": Composition.STRICT,
        "judgement": Judgement.RULES,
        "value": playbook(SCENARIO).playbook.value.model_copy(update={"benefit": 1_000}),
    }
    return playbook(SCENARIO, **(plain | changes))


def says(kind: ChannelKind, state: ConsentState = ConsentState.OPTED_IN) -> Record:
    return preference(id=f"yes-{kind}", channel=kind, purpose=Purpose.SAFETY, state=state)


def late_order_of(customer_id: str, *, number: int) -> tuple[Record, ...]:
    """Return another customer with a late order, reachable and willing by both channels."""
    phones, emails = (f"+1212555{number:04}",), (f"{customer_id}@example.com",)
    owner = CustomerId(customer_id)
    yes = (
        preference(
            id=f"{customer_id}-{kind}",
            customer_id=owner,
            channel=kind,
            purpose=Purpose.SAFETY,
            state=ConsentState.OPTED_IN,
        )
        for kind in (EMAIL, SMS)
    )
    return (
        customer(id=customer_id, emails=emails, phones=phones),
        order(id=f"o-{customer_id}", number=f"9{number:04}", customer_id=owner),
        *yes,
    )


LATE = (customer(), order(), says(EMAIL), says(SMS))


@dataclass
class Recall:
    """An installation whose e-mail loses answers."""

    place: Installation

    def start(self, compiled: CompiledPlaybook | None = None, **changes: Any) -> App:
        templates = texts_in(self.place.folder / "texts")
        playbooks = {SCENARIO: compiled or recall()}
        return self.place.start(playbooks=playbooks, templates=TemplateStore(templates), **changes)

    def email(self, kind: Kind, *acts: Act) -> FakeProvider:
        return self._provider(EMAIL, kind, *acts)

    def sms(self, kind: Kind, *acts: Act) -> FakeProvider:
        return self._provider(SMS, kind, *acts)

    def _provider(self, channel: ChannelKind, kind: Kind, *acts: Act) -> FakeProvider:
        provider = FakeProvider(kind=kind, channel=channel, script=[*acts])
        self.place.provider[channel] = provider
        return provider

    async def run(self, app: App, *, rounds: int = 8) -> None:
        """Let everything happen that can within an hour."""
        await settle(app)
        for _ in range(rounds):
            self.place.clock.advance(timedelta(minutes=7))
            await settle(app)

    def sent(self) -> list[tuple[ChannelKind, bool]]:
        """Return what customers got, by channel, with whether it says that it may repeat."""
        return [(message.channel, SAYS_SO in message.body) for message in self.place.sent()]


def texts_in(folder: Path) -> Path:
    """Return the shipped texts with those of second messages beside them."""
    if not folder.exists():
        shutil.copytree(TEMPLATE_FOLDER / SCENARIO, folder / SCENARIO)
        for stem, head in _HEADS.items():
            file = folder / SCENARIO / f"{stem}_second.en.j2"
            file.write_text(f"---\n{head}\n---\n{_TEXT}", encoding="utf-8")
    return folder


def ends(app: App) -> list[tuple[int, ChannelKind, DeliveryState, str]]:
    """Return step, channel, state and reason of every delivery, first messages first."""
    found = sorted(deliveries(app), key=lambda file: file.delivery.step)
    return [(file.delivery.step, file.channel, file.delivery.state, file.state_reason) for file in found]


def the_case(app: App) -> Case:
    (case,) = cases(app)
    return case
