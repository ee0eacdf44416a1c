"""`outrider review situations`: many drafts of one text, looked at together and decided at once."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.identity import As
from agent.cli.opening import Config, opened_desk
from agent.cli.output import Json, console, narrate, print_json
from tools.errors import InputError

if TYPE_CHECKING:
    from agent.desk_bootstrap import DeskApp
    from agent.review_desk.situations.shown import SituationAnswer, SituationView

app = typer.Typer(
    no_args_is_help=True,
    help="Decide drafts of one situation together: a sample, everyone unlike it, one digest.",
)

Situation = Annotated[
    str, typer.Argument(metavar="SITUATION", help="A situation's id, or its first or last characters.")
]
Digest = Annotated[
    str | None,
    typer.Option("--digest", metavar="DIGEST", help="At least six characters of the digest shown."),
]
LeaveOut = Annotated[
    list[str] | None,
    typer.Option("--leave-out", metavar="DRAFT", help="A draft to be looked at by itself; repeatable."),
]


@app.command("list")
def list_situations(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Most situations to list.")] = 20,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """List situations with more than one waiting draft, the most urgent first."""
    from agent.review_view.situations_view import situations_table

    with opened_desk(config) as (running, _):
        items = running.desk.situations(limit=limit)
        if as_json:
            print_json({"situations": items})
            return
        if not items:
            narrate("No situation waits with several drafts.")
            return
        console().print(situations_table(items, now=running.clock()))
        narrate(f"Look at one: outrider review situations show {items[0].situation_id}")


@app.command()
def show(situation: Situation, reviewer: As = None, config: Config = None, as_json: Json = False) -> None:
    """Show a situation: its text, a sample of every kind of customer, everyone unlike the others, the digest.

    What is shown is kept: a verdict is bound to its digest, and refused when anything has changed since.
    """
    from agent.review_view.situations_view import situation_card

    with opened_desk(config, reviewer) as (running, me):
        view = running.desk.open_situation(_resolve(running, situation), reviewer=me)
        if as_json:
            print_json(view)
            return
        console().print(situation_card(view, now=running.clock()))


@app.command()
def approve(
    situation: Situation,
    digest: Digest = None,
    leave_out: LeaveOut = None,
    reviewer: As = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Approve what was shown; the facts of every draft are read again first.

    Facts that changed, conditions that cleared and drafts that need a look of their own stay behind. A run
    that was killed is resumed by the same command. Exit 1 when a draft stayed behind.
    """
    with opened_desk(config, reviewer) as (running, me):
        situation_id = _resolve(running, situation)
        shown = digest or _ask_for_digest(running, situation_id, me)
        with _progress("Approving") as progress:
            answer = running.desk.approve_situation(
                situation_id, reviewer=me, shown=shown, leave_out=leave_out or (), progress=progress
            )
    _tell(answer, as_json=as_json)


@app.command()
def reject(
    situation: Situation,
    reason: Annotated[
        str, typer.Option(help="wrong_facts, not_useful, bad_timing, tone, handled or other.", prompt=True)
    ],
    digest: Digest = None,
    words: Annotated[str, typer.Option("--words", help="What else there is to say.")] = "",
    leave_out: LeaveOut = None,
    reviewer: As = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Decide that none of these customers is written to about this."""
    from agent.review_desk.answers import RejectReason

    try:
        code = RejectReason(reason)
    except ValueError as exc:
        codes = ", ".join(one.value for one in RejectReason)
        raise InputError(
            f"no reason is called {reason!r}", field="--reason", remedy=f"use one of {codes}"
        ) from exc
    with opened_desk(config, reviewer) as (running, me):
        situation_id = _resolve(running, situation)
        shown = digest or _ask_for_digest(running, situation_id, me)
        with _progress("Rejecting") as progress:
            answer = running.desk.reject_situation(
                situation_id,
                reviewer=me,
                shown=shown,
                reason=code,
                words=words,
                leave_out=leave_out or (),
                progress=progress,
            )
    _tell(answer, as_json=as_json)


@app.command()
def redraft(
    situation: Situation,
    instruction: Annotated[
        str, typer.Option("--say", help="What the new text should do differently.", prompt=True)
    ],
    digest: Digest = None,
    leave_out: LeaveOut = None,
    reviewer: As = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Ask for another text for all of them in your own words; `outrider run --once` writes it."""
    with opened_desk(config, reviewer) as (running, me):
        situation_id = _resolve(running, situation)
        shown = digest or _ask_for_digest(running, situation_id, me)
        with _progress("Sending back") as progress:
            answer = running.desk.redraft_situation(
                situation_id,
                reviewer=me,
                shown=shown,
                instruction=instruction,
                leave_out=leave_out or (),
                progress=progress,
            )
    _tell(answer, as_json=as_json)


@app.command()
def escalate(
    situation: Situation,
    words: Annotated[
        str, typer.Option("--words", help="What the people who take over should know.", prompt=True)
    ],
    queue: Annotated[str | None, typer.Option(help="Which people; the playbook's without it.")] = None,
    digest: Digest = None,
    leave_out: LeaveOut = None,
    reviewer: As = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Hand all these cases to people instead of sending messages."""
    with opened_desk(config, reviewer) as (running, me):
        situation_id = _resolve(running, situation)
        shown = digest or _ask_for_digest(running, situation_id, me)
        with _progress("Handing over") as progress:
            answer = running.desk.escalate_situation(
                situation_id,
                reviewer=me,
                shown=shown,
                words=words,
                queue=queue,
                leave_out=leave_out or (),
                progress=progress,
            )
    _tell(answer, as_json=as_json)


def _resolve(running: "DeskApp", part: str) -> str:
    """Return the only waiting situation whose id begins or ends like this."""
    found = [
        item.situation_id
        for item in running.desk.situations(limit=1_000)
        if item.situation_id.startswith(part) or item.situation_id.endswith(part)
    ]
    if len(found) == 1 or part in found:
        return part if part in found else found[0]
    if part.startswith("sit_") and not found:
        return part  # nothing of it waits any more; a verdict on it may still be resumed
    problem = f"no waiting situation is called {part!r}" if not found else f"{part!r} fits several situations"
    raise InputError(problem, field="SITUATION", remedy="take the id from `outrider review situations list`")


def _ask_for_digest(running: "DeskApp", situation_id: str, me: str) -> str:
    """Show the situation and let a person type its first six characters, so that nothing else is meant."""
    from agent.review_view.situations_view import situation_card

    view: SituationView = running.desk.open_situation(situation_id, reviewer=me)
    console(stderr=True).print(situation_card(view, now=running.clock()))
    typed: str = typer.prompt(f"Type the first six characters of {view.digest[:12]} to go on", err=True)
    return typed.strip()


@contextmanager
def _progress(words: str) -> Generator[Callable[[int, int], None]]:
    """Show how far a long verdict is, on a terminal only."""
    from rich.progress import Progress

    with Progress(console=console(stderr=True), transient=True) as bar:
        task = bar.add_task(words, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def _tell(answer: "SituationAnswer", *, as_json: bool) -> None:
    from agent.review_view.situations_view import left_table

    if as_json:
        print_json(answer)
    else:
        if answer.left:
            console().print(left_table(answer.left))
        narrate(answer.message)
    if answer.left:
        raise typer.Exit(1)
