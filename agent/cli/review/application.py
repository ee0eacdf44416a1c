"""`outrider review` alone: the reviewers' terminal, or the same acts line by line."""

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.identity import As
from agent.cli.opening import Config, loaded_settings, opened_desk
from agent.cli.output import narrate
from agent.cli.review.editor import edited
from tools.errors import InputError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from agent.desk_bootstrap import DeskApp
    from agent.tui.session import Session

Plain = Annotated[
    bool, typer.Option("--plain", help="Line by line, for screen readers and simple terminals.")
]
ThemeOption = Annotated[str, typer.Option("--theme", help="dark or light.")]


def start(
    context: typer.Context,
    plain: Plain = False,
    theme: ThemeOption = "dark",
    reviewer: As = None,
    config: Config = None,
) -> None:
    """Review drafts in the terminal; with a command, do one thing and end."""
    if context.invoked_subcommand is not None:
        return
    if theme not in ("dark", "light"):
        raise InputError(f"there is no theme {theme!r}", field="--theme", remedy="use dark or light")
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if not plain and not terminal:
        narrate("This is no terminal, so the desk opens line by line, as with --plain. Say help, or quit.")
    with opened_desk(config, reviewer) as (running, me):
        began = running.clock()
        session = _session(running, me)
        if plain or not terminal:
            _talk(session)
        else:
            from agent.tui.app import ReviewApp

            ReviewApp(session, theme="light" if theme == "light" else "dark").run()
        _note_simulated_time(running, config, began)


def _talk(session: "Session") -> None:
    from agent.tui.plain import PlainDesk

    def ask(prompt: str) -> str | None:
        sys.stdout.write(prompt)
        sys.stdout.flush()
        typed = sys.stdin.readline()
        return typed.rstrip("\n") if typed else None

    PlainDesk(session, say=lambda line: print(line, flush=True), ask=ask).run()


def _note_simulated_time(running: "DeskApp", config: Path | None, began: datetime) -> None:
    """Let a demo's company go on from where the reviewer left it."""
    from agent.clock import SimulatedClock

    if not isinstance(running.clock, SimulatedClock):
        return
    loaded = loaded_settings(config)
    if loaded.settings.simulation is not None:
        from agent.demo import keep_up

        keep_up(running.store, loaded, now=running.clock(), since=began)


def _session(running: "DeskApp", me: str) -> "Session":
    from datetime import UTC

    from agent.clock import SimulatedClock, ticking
    from agent.tui.session import Session

    def card(case_id: str) -> "RenderableType":
        from agent.audit.card import decision_card
        from agent.audit.card_view import render_card

        with running.store.read() as conn:
            return render_card(decision_card(conn, running.store.keyring, case_id))

    clock = ticking(running.clock) if isinstance(running.clock, SimulatedClock) else running.clock
    return Session(
        desk=running.desk,
        me=me,
        clock=clock,
        zone=clock().astimezone().tzinfo or UTC,
        card=card,
        edit_outside=edited,
    )
