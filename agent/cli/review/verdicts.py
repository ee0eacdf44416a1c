"""`outrider review approve`, `reject`, `edit`, …: a person decides about a draft."""

import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.identity import As
from agent.cli.opening import Config, opened_desk
from agent.cli.output import Json, console, narrate, print_json
from agent.cli.review.options import DraftArgument, Shown, resolved, tell_verdict
from tools.errors import InputError

if TYPE_CHECKING:
    from agent.desk_bootstrap import DeskApp
    from agent.review_desk.views import DraftView


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(approve)
    app.command()(reject)
    app.command()(edit)
    app.command()(redraft)
    app.command()(escalate)


def approve(
    draft: DraftArgument,
    shown: Shown = None,
    reviewer: As = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Approve exactly what was shown; its facts are read again first."""
    with opened_desk(config, reviewer) as (running, me):
        view = running.desk.before(resolved(running, draft), reviewer=me)
        wanted = shown or _ask_for_hash(view, running)
        is_before = view.draft.content_hash.startswith(wanted.lower())
        ticket = view.ticket if is_before else view.draft.draft.id
        answer = running.desk.approve(ticket, reviewer=me, shown=wanted)
        if as_json:
            print_json(answer)
        else:
            narrate(answer.message)
    if answer.outcome not in {"approved", "second_needed"}:
        raise typer.Exit(1)


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
        draft_id = resolved(running, draft)
        ticket = running.desk.before(draft_id, reviewer=me).ticket
        answer = running.desk.reject(ticket, reviewer=me, reason=code, words=words)
    tell_verdict(
        answer,
        {"draft": draft_id, "rejected": code.value},
        f"Rejected {draft_id}: {code.value}.",
        as_json=as_json,
    )


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
        view = running.desk.before(resolved(running, draft), reviewer=me)
        message = view.draft.draft.message
        body = body_file.read_text(encoding="utf-8") if body_file else _edited(message.body)
        answer = running.desk.edit(
            view.ticket,
            reviewer=me,
            shown=view.draft.content_hash,
            subject=message.subject if subject is None else subject,
            body=body,
        )
    words = f"The new version is {answer.draft_id}; it waits for approval."
    tell_verdict(answer, {"draft": answer.draft_id}, words, as_json=as_json)


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
        draft_id = resolved(running, draft)
        ticket = running.desk.before(draft_id, reviewer=me).ticket
        answer = running.desk.redraft(ticket, reviewer=me, instruction=instruction)
    words = "A new text was asked for; `outrider run --once` writes it."
    data: dict[str, object] = {"draft": draft_id, "situation": answer.situation_id}
    tell_verdict(answer, data, words, as_json=as_json)


def escalate(
    draft: DraftArgument,
    words: Annotated[
        str, typer.Option("--words", help="What the people who take over should know.", prompt=True)
    ],
    queue: Annotated[
        str | None,
        typer.Option(metavar="QUEUE", help="Which people: a queue of the review rules; else the playbook's."),
    ] = None,
    reviewer: As = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Hand the case to people instead of sending a message."""
    with opened_desk(config, reviewer) as (running, me):
        draft_id = resolved(running, draft)
        ticket = running.desk.before(draft_id, reviewer=me).ticket
        answer = running.desk.escalate(ticket, reviewer=me, words=words, queue=queue)
    tell_verdict(answer, {"draft": draft_id, "escalated": True}, answer.message, as_json=as_json)


def _ask_for_hash(view: "DraftView", running: "DeskApp") -> str:
    """Show the draft and let a person type the first six characters, so that nothing else can be approved."""
    from agent.review_view.draft_card import draft_card

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
