"""`outrider review list` and `show`: what waits for a person."""

from typing import Annotated

import typer

from agent.cli.opening import Config, opened_desk
from agent.cli.output import Json, console, narrate, print_json
from agent.cli.review.options import DraftArgument, resolved
from tools.errors import InputError


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("list")(list_drafts)
    app.command()(show)


def list_drafts(
    scenario: Annotated[str | None, typer.Option(help="Only this scenario.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Most drafts to list.")] = 20,
    state: Annotated[str, typer.Option(help="pending, approved, rejected, stale, expired, …")] = "pending",
    config: Config = None,
    as_json: Json = False,
) -> None:
    """List drafts that wait for a person, the most urgent first."""
    from agent.cli.review_view import queue_table
    from agent.domain.drafts import DraftState
    from agent.review_desk.views import QueueFilter

    try:
        wanted = QueueFilter(state=DraftState(state), scenario=scenario)
    except ValueError as exc:
        states = ", ".join(one.value for one in DraftState)
        raise InputError(
            f"no state is called {state!r}", field="--state", remedy=f"use one of {states}"
        ) from exc
    with opened_desk(config) as (running, _):
        items = running.desk.list_drafts(wanted, limit=limit)
        total = running.desk.count(wanted)
        if as_json:
            print_json({"total": total, "drafts": items})
            return
        if not items:
            narrate(f"No draft is {state}.")
            return
        console().print(queue_table(items, now=running.clock()))
        narrate(
            f"{len(items)} of {total} {state} drafts. Look at one: outrider review show {items[0].draft_id}"
        )


def show(draft: DraftArgument, config: Config = None, as_json: Json = False) -> None:
    """Show one draft: the message, its facts with sources, every gate, its value and price."""
    from agent.cli.review_view import draft_card

    with opened_desk(config) as (running, _):
        view = running.desk.show(resolved(running, draft))
        if as_json:
            print_json(view)
            return
        console().print(draft_card(view, now=running.clock()))
