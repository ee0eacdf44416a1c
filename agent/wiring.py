"""From settings to parts: which adapters an operator chose."""

from collections.abc import Mapping
from dataclasses import fields
from functools import partial
from random import Random

from agent.bootstrap import MakeModel, Parts
from agent.clock import Clock
from agent.desk_wiring import clock_of, desk_parts_of, sources_of
from agent.llm.budget import ModelBudget
from agent.llm.ledgered import LedgeredModel
from agent.llm.port import Model
from agent.llm.prices import Price, load_prices, price_of
from agent.llm.requests import Questions
from agent.llm.retries import RetryRules
from agent.llm.rules import RulesModel
from agent.llm.transport import Transport
from agent.settings import Loaded, OpenAiSettings, Secrets, SmtpSettings
from agent.store.transaction import Store
from policies.loader import load_limits
from policies.triggers import CompiledPlaybook
from prompts.store import PromptStore
from prompts.templates import TemplateStore
from tools.ports import Sender
from tools.records.vocabulary import ChannelKind
from tools.registry import SmtpServer, open_sender


def parts_of(loaded: Loaded, *, shadow: bool | None = None, create: bool = True, login: str = "") -> Parts:
    """Return the parts that settings choose; connectors are opened, nothing is read or sent.

    Raises:
        InputError: A file that the settings name is missing or wrong.
    """
    settings, clock = loaded.settings, clock_of(loaded)
    senders = _senders(loaded, clock)
    sources = sources_of(loaded, clock)
    make_model = _model(loaded, clock)
    templates = TemplateStore(loaded.at(settings.templates))
    desk = desk_parts_of(
        loaded, clock=clock, create=create, login=login, also_check=partial(_check_templates, templates)
    )
    return Parts(
        **{field.name: getattr(desk, field.name) for field in fields(desk)},
        sources=sources,
        senders=senders,
        make_model=make_model,
        shadow=settings.shadow if shadow is None else shadow,
        concurrency=settings.concurrency,
        every=settings.every,
    )


def _check_templates(templates: TemplateStore, playbooks: Mapping[str, CompiledPlaybook]) -> None:
    """Refuse templates that the facts of their playbooks cannot fill."""
    for compiled in playbooks.values():
        playbook = compiled.playbook
        for template in playbook.templates:
            templates.check(
                playbook.scenario, template, facts=playbook.facts, required=playbook.required_facts
            )


def _senders(loaded: Loaded, clock: Clock) -> dict[ChannelKind, Sender]:
    folder = loaded.data_folder / "outbox"
    senders = {kind: open_sender("outbox", channel=kind, folder=folder, now=clock) for kind in ChannelKind}
    email = loaded.settings.channels.email
    if isinstance(email, SmtpSettings):
        password = loaded.secrets.smtp_password
        server = SmtpServer(
            host=email.host,
            port=email.port,
            sender=email.sender,
            sender_name=email.sender_name,
            security=email.security,
            user=email.user,
            password=password.get_secret_value() if password else None,
        )
        senders[ChannelKind.EMAIL] = open_sender(
            "smtp", channel=ChannelKind.EMAIL, folder=folder, smtp=server, now=clock
        )
    return senders


def _model(loaded: Loaded, clock: Clock) -> MakeModel:
    chosen = loaded.settings.model
    if not isinstance(chosen, OpenAiSettings):
        return lambda _store, templates: RulesModel(templates)
    limits = load_limits(loaded.at(loaded.settings.limits))
    price = model_price(chosen, currency=limits.budget.currency)

    def make(store: Store, templates: TemplateStore) -> Model:
        return LedgeredModel(
            transport=model_transport(chosen, loaded.secrets, clock),
            questions=Questions(PromptStore(loaded.at(loaded.settings.prompts)), templates),
            store=store,
            budget=ModelBudget(
                store=store, cap_micros=limits.budget.model_per_day, owner="daemon", clock=clock
            ),
            price=price,
            clock=clock,
            random=Random(),  # noqa: S311  # jitter between attempts
            rules=RetryRules(deadline=chosen.deadline),
            max_tokens=chosen.max_tokens,
        )

    return make


def model_transport(chosen: OpenAiSettings, secrets: Secrets, clock: Clock) -> Transport:
    """Return the connection to the model that the settings choose.

    Raises:
        InputError: The address is no http address.
    """
    from agent.llm.compatible import CompatibleTransport

    key = secrets.openai_api_key
    return CompatibleTransport(
        base_url=chosen.base_url,
        model=chosen.name,
        api_key=key.get_secret_value() if key else "none",
        clock=clock,
        timeout=chosen.timeout,
        limit_field=chosen.limit_field,
    )


def model_price(chosen: OpenAiSettings, *, currency: str) -> Price:
    """Return what the model of the settings costs.

    Raises:
        InputError: It has no price, or one in another currency than `currency`.
    """
    return price_of(load_prices(), chosen.name, currency=currency, priced_as=chosen.price)
