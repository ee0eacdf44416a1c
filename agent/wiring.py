"""From settings to parts: which adapters an operator chose."""

from collections.abc import Callable
from datetime import datetime
from random import Random

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from agent.bootstrap import MakeModel, Parts
from agent.clock import Clock, SimulatedClock, system_clock
from agent.domain.reviewers import Roster
from agent.llm.budget import ModelBudget
from agent.llm.ledgered import LedgeredModel
from agent.llm.port import Model
from agent.llm.prices import Price, load_prices, price_of
from agent.llm.requests import Questions
from agent.llm.retries import RetryRules
from agent.llm.rules import RulesModel
from agent.llm.transport import Transport
from agent.review_desk.proposals.folders import Folders
from agent.settings import Loaded, OpenAiSettings, Secrets, SmtpSettings, open_data_folder
from agent.store.transaction import Store
from policies.loader import load_limits, load_playbooks, load_review_rules
from policies.model import Limits
from policies.triggers import CompiledPlaybook
from prompts.store import PromptStore
from prompts.templates import TemplateStore
from tools.errors import InputError
from tools.ports import Sender, Source
from tools.records.vocabulary import ChannelKind
from tools.registry import SmtpServer, open_sender, open_source


def parts_of(loaded: Loaded, *, shadow: bool | None = None, create: bool = True, login: str = "") -> Parts:
    """Return the parts that settings choose; connectors are opened, nothing is read or sent.

    Raises:
        InputError: A file that the settings name is missing or wrong.
    """
    settings = loaded.settings
    clock: Clock = SimulatedClock(settings.simulation.now) if settings.simulation else system_clock
    limits = load_limits(loaded.at(settings.limits))
    rules = load_review_rules(loaded.at(settings.review))
    chosen = settings.shadow if shadow is None else shadow
    return Parts(
        database_url=_database_url(loaded),
        data_folder=loaded.data_folder,
        sources=_sources(loaded, clock if settings.simulation else None),
        senders=_senders(loaded, clock),
        from_addresses=_from_addresses(loaded),
        playbooks=_playbooks(loaded),
        folders=_folders(loaded),
        limits=limits,
        rules=rules,
        roster=Roster({name: person.role for name, person in settings.reviewers.items()}),
        login=login,
        make_model=_model(loaded, limits, clock),
        needs_budget=isinstance(settings.model, OpenAiSettings),
        clock=clock,
        shadow=chosen,
        create=create,
        concurrency=settings.concurrency,
        every=settings.every,
        installation_key=open_data_folder(
            loaded.data_folder
        ),  # last: a mistake in a file leaves nothing behind
    )


def _folders(loaded: Loaded) -> Folders:
    settings = loaded.settings
    return Folders(
        playbooks=loaded.at(settings.playbooks),
        templates=loaded.at(settings.templates),
        prompts=loaded.at(settings.prompts),
    )


def _playbooks(loaded: Loaded) -> dict[str, CompiledPlaybook]:
    """Return the playbooks, each with templates that its facts can fill."""
    playbooks = load_playbooks(loaded.at(loaded.settings.playbooks))
    templates = TemplateStore(loaded.at(loaded.settings.templates))
    for compiled in playbooks.values():
        playbook = compiled.playbook
        for template in playbook.templates:
            templates.check(
                playbook.scenario, template, facts=playbook.facts, required=playbook.required_facts
            )
    return playbooks


def _database_url(loaded: Loaded) -> str:
    try:
        backend = make_url(loaded.database_url).get_backend_name()
    except ArgumentError:
        backend = ""
    if backend not in {"sqlite", "postgresql"}:
        raise InputError(
            "this is no address of a database that Outrider can use",
            path=loaded.path,
            field="OUTRIDER_DATABASE" if loaded.env.get("OUTRIDER_DATABASE") else "database",
            remedy="write postgresql+psycopg://user@host/name, or leave it out for a SQLite file",
        )
    return loaded.database_url


def _sources(loaded: Loaded, server_now: Callable[[], datetime] | None) -> tuple[Source, ...]:
    env = dict(loaded.env)
    if loaded.settings.simulation:
        env.setdefault("COMPANY_URL", f"sqlite:///{loaded.at(loaded.settings.simulation.company)}")
    return tuple(
        open_source(loaded.at(path), env=env, server_now=server_now) for path in loaded.settings.connectors
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


def _from_addresses(loaded: Loaded) -> dict[ChannelKind, str]:
    """Return whom customers see messages come from; files in the outbox come from nobody."""
    email = loaded.settings.channels.email
    if not isinstance(email, SmtpSettings):
        return {}
    named = f"{email.sender_name} <{email.sender}>" if email.sender_name else email.sender
    return {ChannelKind.EMAIL: named}


def _model(loaded: Loaded, limits: Limits, clock: Clock) -> MakeModel:
    chosen = loaded.settings.model
    if not isinstance(chosen, OpenAiSettings):
        return lambda _store, templates: RulesModel(templates)
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
