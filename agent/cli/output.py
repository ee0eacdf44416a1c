"""What commands print: data to stdout, narration to stderr, JSON on request, colours only on a terminal."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
"""The option every command that prints data has."""


def print_json(value: object) -> None:
    """Print a value as indented JSON; dataclasses, models, instants and enums become plain data."""
    from pydantic import TypeAdapter

    sys.stdout.write(TypeAdapter(object).dump_json(value, indent=2).decode() + "\n")


def console(*, stderr: bool = False) -> "Console":
    """Return a console that leaves colours away when piped or when NO_COLOR is set."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else int(os.environ.get("COLUMNS", "120"))
    return Console(stderr=stderr, highlight=False, width=width)


def program_name(typed: str, *, on_path: bool) -> str:
    """Return what a person types to call this program: its path as typed while the shell knows no `outrider`.

    Args:
        typed: How it was called, `sys.argv[0]`.
        on_path: Whether the shell finds an `outrider`.
    """
    return "outrider" if on_path or Path(typed).name != "outrider" else typed


def narrate(sentence: str) -> None:
    """Tell a person what happens, on stderr."""
    typer.echo(sentence, err=True)
