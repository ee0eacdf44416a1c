"""Opening the system for a command, from settings, and closing it again."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.errors import StoreError

if TYPE_CHECKING:
    from agent.bootstrap import App
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
    from agent.bootstrap import build_app
    from agent.wiring import parts_of

    loaded = loaded_settings(config)
    if not create and loaded.path is None and not loaded.data_folder.exists():
        raise StoreError(
            "nothing has been set up here: `outrider demo` makes a simulated company, "
            "`outrider init` starts with your own"
        )
    running = build_app(parts_of(loaded, shadow=shadow, create=create))
    try:
        yield running
    finally:
        running.close()
