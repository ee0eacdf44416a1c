"""Opening the system for a command, from settings, and closing it again."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.identity import os_user
from agent.errors import StoreError

if TYPE_CHECKING:
    from agent.bootstrap import App
    from agent.desk_bootstrap import DeskApp
    from agent.settings import Loaded

Config = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE", help="Settings file; outrider.yaml here, or the demo's, without it."
    ),
]


def loaded_settings(config: Path | None) -> "Loaded":
    """Return the settings that hold here.

    Raises:
        InputError: The file is wrong, or a secret that it needs is not set.
    """
    from agent.settings import load_settings

    return load_settings(config, env=os.environ)


@contextmanager
def opened(config: Path | None, *, shadow: bool | None = None, create: bool = False) -> "Generator[App]":
    """Open the system as the settings choose it; it is closed however the command ends.

    Raises:
        InputError: A file is wrong.
        StoreError: The database cannot be used.
    """
    with _opened(loaded_settings(config), shadow=shadow, create=create) as running:
        yield running


@contextmanager
def opened_desk(config: Path | None, given: str | None = None) -> "Generator[tuple[DeskApp, str]]":
    """Open the review desk for a reviewer who may at least look; yield it with their name.

    Args:
        config: The settings file.
        given: What `--as` says.

    Raises:
        InputError: A file is wrong, or nobody has the name that was given.
        RefusedError: The user is no reviewer, or may not act as another.
        StoreError: The database cannot be used.
    """
    from agent.cli.identity import reviewer_of
    from agent.desk_bootstrap import build_desk
    from agent.desk_wiring import desk_parts_of, sources_of
    from agent.domain.reviewers import Act

    loaded = loaded_settings(config)
    me = reviewer_of(loaded.settings.reviewers, user=os_user(), given=given, env=loaded.env)
    _check_set_up(loaded)
    parts = desk_parts_of(loaded, login=os_user())
    running = build_desk(parts, open_sources=partial(sources_of, loaded, parts.clock))
    try:
        running.desk.roster.check(me, Act.LOOK)
        yield running, me
    finally:
        running.close()


@contextmanager
def _opened(loaded: "Loaded", *, shadow: bool | None = None, create: bool = False) -> "Generator[App]":
    from agent.bootstrap import build_app
    from agent.wiring import parts_of

    if not create:
        _check_set_up(loaded)
    running = build_app(parts_of(loaded, shadow=shadow, create=create, login=os_user()))
    try:
        yield running
    finally:
        running.close()


def _check_set_up(loaded: "Loaded") -> None:
    if loaded.path is None and not loaded.data_folder.exists():
        raise StoreError(
            "nothing has been set up here: `outrider demo` makes a simulated company, "
            "`outrider init` starts with your own"
        )
