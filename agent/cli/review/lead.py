"""`outrider review stats` and `outrider review proposals`: how the desk does, and what it has learned."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.identity import As
from agent.cli.opening import Config, opened_desk
from agent.cli.output import Json, console, narrate, print_json
from tools.errors import InputError

if TYPE_CHECKING:
    from agent.store.proposals import Proposal

proposals = typer.Typer(
    no_args_is_help=True, help="Changes of templates, prompts and rules that reviews suggest; none by itself."
)

ProposalArgument = Annotated[
    str, typer.Argument(metavar="PROPOSAL", help="A proposal's id, or its first or last characters.")
]


def stats(
    since: Annotated[str, typer.Option(help="How far back: 7d, 12h, …")] = "7d",
    reviewer: As = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Show how the review desk does: queue, verdicts with 95 % intervals, edits, time, attention."""
    from agent.review_view.stats_view import stats_card

    span = _span(since)
    with opened_desk(config, reviewer) as (running, me):
        found = running.desk.stats(since=running.clock() - span, reviewer=me)
        if as_json:
            print_json(found)
            return
        console().print(stats_card(found))


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(stats)
    app.add_typer(proposals, name="proposals")


@proposals.command("list")
def list_proposals(config: Config = None, as_json: Json = False) -> None:
    """Compute proposals from what reviewers did, and list the open ones, the most frequent first."""
    from agent.review_view.stats_view import proposals_table

    with opened_desk(config) as (running, _):
        found = running.desk.proposals()
        if as_json:
            print_json({"proposals": found})
            return
        if not found:
            narrate("Nothing has happened often enough to propose a change.")
            return
        console().print(proposals_table(found))
        narrate(f"Look at one: outrider review proposals show {found[0].id}")


@proposals.command("show")
def show_proposal(proposal: ProposalArgument, config: Config = None, as_json: Json = False) -> None:
    """Show one proposal: why, who, examples, and the change as a diff."""
    from agent.review_view.stats_view import proposal_card

    with opened_desk(config) as (running, _):
        one = _resolve(running.desk.proposals(), proposal)
        if as_json:
            print_json(one)
        else:
            console().print(proposal_card(one))


@proposals.command("accept")
def accept_proposal(
    proposal: ProposalArgument,
    words: Annotated[str, typer.Option("--words", help="Why, for the audit log.")] = "",
    patch: Annotated[
        Path | None,
        typer.Option("--patch", metavar="FILE", help="Write the change as a unified diff instead."),
    ] = None,
    reviewer: As = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Change the file as proposed; only leads may. Refused when the file has changed since."""
    with opened_desk(config, reviewer) as (running, me):
        one = _resolve(running.desk.proposals(), proposal)
        answer = running.desk.accept_proposal(one.id, reviewer=me, words=words, patch=patch)
    if as_json:
        print_json(answer)
    else:
        narrate(answer.message)


@proposals.command("dismiss")
def dismiss_proposal(
    proposal: ProposalArgument,
    words: Annotated[str, typer.Option("--words", help="Why not.", prompt=True)],
    reviewer: As = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Put a proposal aside until it has been seen twice as often; only leads may."""
    with opened_desk(config, reviewer) as (running, me):
        one = _resolve(running.desk.proposals(), proposal)
        running.desk.dismiss_proposal(one.id, reviewer=me, words=words)
    if as_json:
        print_json({"proposal": one.id, "state": "dismissed"})
    else:
        narrate(f"Dismissed {one.id}; it comes back when it has been seen {2 * one.count} times.")


def _span(text: str) -> timedelta:
    from tools.durations import parse_duration

    try:
        return parse_duration(text)
    except ValueError as exc:
        raise InputError(str(exc), field="--since", remedy="write for example --since 7d") from exc


def _resolve(found: "list[Proposal]", part: str) -> "Proposal":
    fitting = [one for one in found if one.id.startswith(part) or one.id.endswith(part)]
    if len(fitting) == 1:
        return fitting[0]
    problem = f"no open proposal is called {part!r}" if not fitting else f"{part!r} fits several proposals"
    raise InputError(problem, field="PROPOSAL", remedy="take the id from `outrider review proposals list`")
