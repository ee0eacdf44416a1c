"""From settings to what reviewers need; `wiring` adds what the daemon needs."""

from collections.abc import Callable, Mapping

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from agent.clock import Clock, SimulatedClock, system_clock
from agent.desk_bootstrap import DeskParts
from agent.domain.reviewers import Roster
from agent.review_desk.proposals.folders import Folders
from agent.settings import Loaded, OpenAiSettings, SmtpSettings, open_data_folder
from policies.loader import check_four_eyes, load_limits, load_playbooks, load_review_rules
from policies.triggers import CompiledPlaybook
from tools.errors import InputError
from tools.ports import Source
from tools.records.vocabulary import ChannelKind


def clock_of(loaded: Loaded) -> Clock:
    """Return the clock by which the system lives; a demo's stands still at its own time."""
    simulation = loaded.settings.simulation
    return SimulatedClock(simulation.now) if simulation else system_clock


def desk_parts_of(
    loaded: Loaded,
    *,
    clock: Clock | None = None,
    create: bool = False,
    login: str = "",
    also_check: Callable[[Mapping[str, CompiledPlaybook]], None] = lambda _playbooks: None,
) -> DeskParts:
    """Return what settings choose for reviewers; nothing is opened or read.

    Args:
        loaded: The settings.
        clock: The one by which the system lives, where it was made already; there must be one alone.
        create: Make a database that is missing.
        login: The operating system's user.
        also_check: Refuses playbooks for whoever does more than review, before anything is made.

    Raises:
        InputError: A file that the settings name is missing or wrong.
    """
    settings = loaded.settings
    limits = load_limits(loaded.at(settings.limits))
    playbooks = load_playbooks(loaded.at(settings.playbooks))
    also_check(playbooks)
    rules = load_review_rules(loaded.at(settings.review))
    check_four_eyes(playbooks.values(), rules, path=loaded.at(settings.review))
    return DeskParts(
        database_url=_database_url(loaded),
        data_folder=loaded.data_folder,
        from_addresses=_from_addresses(loaded),
        playbooks=playbooks,
        folders=_folders(loaded),
        limits=limits,
        rules=rules,
        roster=Roster({name: person.role for name, person in settings.reviewers.items()}),
        login=login,
        needs_budget=isinstance(settings.model, OpenAiSettings),
        clock=clock or clock_of(loaded),
        create=create,
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


def sources_of(loaded: Loaded, clock: Clock) -> tuple[Source, ...]:
    """Open the sources that the settings name.

    Raises:
        InputError: A connector file is missing or wrong.
    """
    from tools.registry import open_source

    server_now = clock if loaded.settings.simulation else None
    env = dict(loaded.env)
    if loaded.settings.simulation:
        env.setdefault("COMPANY_URL", f"sqlite:///{loaded.at(loaded.settings.simulation.company)}")
    return tuple(
        open_source(loaded.at(path), env=env, server_now=server_now) for path in loaded.settings.connectors
    )


def _from_addresses(loaded: Loaded) -> dict[ChannelKind, str]:
    """Return whom customers see messages come from; files in the outbox come from nobody."""
    email = loaded.settings.channels.email
    if not isinstance(email, SmtpSettings):
        return {}
    named = f"{email.sender_name} <{email.sender}>" if email.sender_name else email.sender
    return {ChannelKind.EMAIL: named}
