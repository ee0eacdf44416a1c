"""`outrider review`: the queue of drafts and every verdict on them, for people and for scripts."""

import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.identity import As
from agent.cli.opening import Config, opened_desk
from agent.cli.output import Json, console, narrate, print_json
from tools.errors import InputError

if TYPE_CHECKING:
    from agent.bootstrap import App
    from agent.review_desk.views import DraftView

_MOST_NAMED = 5
"""Most drafts that a message lists when an id fits several."""

app = typer.Typer(no_args_is_help=True, help="Look at drafts and decide about them.")

DraftArgument = Annotated[
    str,
    typer.Argument(
        metavar="DRAFT", help="A draft's id, or its first or last characters (of the end at least four)."
    ),
]
Shown = Annotated[
    str | None,
    typer.Option(
        "--hash", metavar="HASH", help="At least six characters of the content hash that was shown."
    ),
]


@app.command("list")
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


@app.command()
def show(draft: DraftArgument, config: Config = None, as_json: Json = False) -> None:
    """Show one draft: the message, its facts with sources, every gate, its value and price."""
    from agent.cli.review_view import draft_card

    with opened_desk(config) as (running, _):
        view = running.desk.show(_resolve(running, draft))
        if as_json:
            print_json(view)
            return
        console().print(draft_card(view, now=running.clock()))


@app.command()
def approve(
    draft: DraftArgument,
    shown: Shown = None,
    reviewer: As = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Approve exactly what was shown; its facts are read again first."""
    with opened_desk(config, reviewer) as (running, me):
        view = running.desk.show(_resolve(running, draft))
        wanted = shown or _ask_for_hash(view, running)
        answer = running.desk.approve(view.draft.draft.id, reviewer=me, shown=wanted)
        if as_json:
            print_json(answer)
        else:
            narrate(answer.message)
    if answer.outcome != "approved":
        raise typer.Exit(1)


@app.command()
def reject(
    draft: DraftArgument,
    reason: Annotated[
        str, typer.Option(help="wrong_facts, not_useful, bad_timing, tone, handled or other.", prompt=True)
    ],
    words: Annotated[str, typer.Option("--words", help="What else there is to say.")] = "",
    reviewer: As = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Decide that the customer is not written to about this."""
    from agent.review_desk.answers import RejectReason

    try:
        code = RejectReason(reason)
    except ValueError as exc:
        codes = ", ".join(one.value for one in RejectReason)
        raise InputError(
            f"no reason is called {reason!r}", field="--reason", remedy=f"use one of {codes}"
        ) from exc
    with opened_desk(config, reviewer) as (running, me):
        draft_id = _resolve(running, draft)
        running.desk.reject(draft_id, reviewer=me, reason=code, words=words)
    _tell({"draft": draft_id, "rejected": code.value}, f"Rejected {draft_id}: {code.value}.", as_json=as_json)


@app.command()
def edit(
    draft: DraftArgument,
    body_file: Annotated[
        Path | None,
        typer.Option("--body", exists=True, dir_okay=False, help="The new text; $EDITOR without it."),
    ] = None,
    subject: Annotated[str | None, typer.Option(help="The new subject; unchanged without it.")] = None,
    reviewer: As = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Replace the text; the guards check it, and the new version waits for approval."""
    with opened_desk(config, reviewer) as (running, me):
        view = running.desk.show(_resolve(running, draft))
        message = view.draft.draft.message
        body = body_file.read_text(encoding="utf-8") if body_file else _edited(message.body)
        new = running.desk.edit(
            view.draft.draft.id,
            reviewer=me,
            shown=view.draft.content_hash,
            subject=message.subject if subject is None else subject,
            body=body,
        )
        if as_json:
            print_json({"draft": new})
        else:
            narrate(f"The new version is {new}; it waits for approval.")


@app.command()
def redraft(
    draft: DraftArgument,
    instruction: Annotated[
        str, typer.Option("--say", help="What the new text should do differently.", prompt=True)
    ],
    reviewer: As = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Ask for another text in your own words."""
    with opened_desk(config, reviewer) as (running, me):
        draft_id = _resolve(running, draft)
        situation = running.desk.redraft(draft_id, reviewer=me, instruction=instruction)
    words = "A new text was asked for; `outrider run --once` writes it."
    _tell({"draft": draft_id, "situation": situation}, words, as_json=as_json)


@app.command()
def escalate(
    draft: DraftArgument,
    words: Annotated[
        str, typer.Option("--words", help="What the people who take over should know.", prompt=True)
    ],
    reviewer: As = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Hand the case to people instead of sending a message."""
    with opened_desk(config, reviewer) as (running, me):
        draft_id = _resolve(running, draft)
        running.desk.escalate(draft_id, reviewer=me, words=words)
    _tell({"draft": draft_id, "escalated": True}, f"Escalated {draft_id}.", as_json=as_json)


@app.command()
def unsettled(config: Config = None, as_json: Json = False) -> None:
    """List messages of which nobody knows whether they went out."""
    with opened_desk(config) as (running, _):
        files = running.desk.unsettled()
    if as_json:
        print_json(files)
        return
    for file in files:
        console().print(
            f"{file.delivery.id}  {file.scenario}  {file.channel.value}  {file.state_reason}", markup=False
        )
    narrate(
        f"{len(files)} messages; ask the provider, then: outrider review settle ID --went-out or --not-sent"
    )


@app.command()
def settle(
    delivery: Annotated[str, typer.Argument(metavar="DELIVERY", help="A delivery's id.")],
    went_out: Annotated[bool, typer.Option("--went-out/--not-sent", help="What the provider says.")],
    reviewer: As = None,
    config: Config = None,
) -> None:
    """Write down what became of a message that nobody knew the outcome of."""
    with opened_desk(config, reviewer) as (running, me):
        running.desk.settle(delivery, reviewer=me, went_out=went_out)
    answer = "it went out" if went_out else "it did not go out; the case is looked at anew"
    narrate(f"Settled {delivery}: {answer}.")


def _tell(data: dict[str, object], words: str, *, as_json: bool) -> None:
    """Print what was done as JSON for scripts, or as a sentence for people."""
    if as_json:
        print_json(data)
    else:
        narrate(words)


def _resolve(running: "App", part: str) -> str:
    """Return the only draft whose id begins or ends like this."""
    from agent.store.drafts import draft_ids_like

    with running.store.read() as conn:
        found = draft_ids_like(conn, part, limit=_MOST_NAMED + 1)
    if len(found) == 1:
        return found[0]
    if not found:
        raise InputError(
            f"no draft's id begins or ends with {part!r}",
            field="DRAFT",
            remedy="take the id from `outrider review list`; of its end, at least four characters",
        )
    names = ", ".join(found[:_MOST_NAMED]) + (", …" if len(found) > _MOST_NAMED else "")
    raise InputError(
        f"several drafts' ids begin or end with {part!r}: {names}",
        field="DRAFT",
        remedy="give more characters; drafts of one moment differ only at the end",
    )


def _ask_for_hash(view: "DraftView", running: "App") -> str:
    """Show the draft and let a person type the first six characters, so that nothing else can be approved."""
    from agent.cli.review_view import draft_card

    console(stderr=True).print(draft_card(view, now=running.clock()))
    typed: str = typer.prompt(
        f"Type the first six characters of {view.draft.content_hash[:12]} to approve", err=True
    )
    return typed.strip()


def _edited(text: str) -> str:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not editor:
        raise InputError(
            "there is no editor", field="EDITOR", remedy="set EDITOR, or give the text with --body FILE"
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "draft.txt"
        path.write_text(text, encoding="utf-8")
        subprocess.run([*editor.split(), str(path)], check=True)  # noqa: S603  # the person's own editor
        return path.read_text(encoding="utf-8")
