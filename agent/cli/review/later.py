"""`outrider review check`, `snooze`, `channel`, `undo`, `reread`, `score`: around the verdicts."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.identity import As
from agent.cli.opening import Config, loaded_settings, opened, opened_desk
from agent.cli.output import Json, console, narrate, print_json
from agent.cli.review.options import DraftArgument, resolved, tell
from tools.errors import InputError

if TYPE_CHECKING:
    from agent.review_desk.views import TextCheck


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(check)
    app.command()(snooze)
    app.command()(channel)
    app.command()(undo)
    app.command()(reread)
    app.command()(score)


def check(
    draft: DraftArgument,
    body_file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="The text to check.")
    ],
    subject: Annotated[str | None, typer.Option(help="Its subject; the draft's own without it.")] = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Ask the guards whether a text could be saved as a new version; nothing is recorded.

    Exit code 1 when it could not.
    """
    with opened_desk(config) as (running, me):
        view = running.desk.before(resolved(running, draft), reviewer=me)
        answer = running.desk.check_text(
            view.draft.draft.id,
            subject=view.draft.draft.message.subject if subject is None else subject,
            body=_text_of(body_file),
        )
    if as_json:
        print_json(answer)
    else:
        _print_check(answer)
    if not answer.ok:
        raise typer.Exit(1)


def snooze(
    draft: DraftArgument,
    until: Annotated[
        str,
        typer.Option(
            "--until",
            metavar="WHEN",
            help="For how long (45m, 3h) or until when (2026-11-05T09:00Z).",
        ),
    ],
    reviewer: As = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Put a draft off; it stands in the queue again by itself, at the latest before it expires."""
    with opened_desk(config, reviewer) as (running, me):
        draft_id = resolved(running, draft)
        at = _instant(until, now=running.clock())
        answer = running.desk.snooze(draft_id, reviewer=me, until=at)
    tell({"draft": draft_id, "until": at.isoformat()}, answer.message, as_json=as_json)


def channel(
    draft: DraftArgument,
    to: Annotated[
        str | None,
        typer.Argument(metavar="CHANNEL", help="email, sms or push; without it, see which can be used."),
    ] = None,
    reviewer: As = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Have the message written for another channel of its playbook; that text waits for review too."""
    if to is None:
        _channels(draft, reviewer, config, as_json=as_json)
        return
    from tools.records.vocabulary import ChannelKind

    try:
        kind = ChannelKind(to)
    except ValueError as exc:
        kinds = ", ".join(one.value for one in ChannelKind)
        problem = f"no channel is called {to!r}"
        raise InputError(problem, field="CHANNEL", remedy=f"use one of {kinds}") from exc
    with opened_desk(config, reviewer) as (running, me):
        draft_id = resolved(running, draft)
        answer = running.desk.change_channel(draft_id, reviewer=me, channel=kind)
    words = f"{answer.message} `outrider run --once` writes it."
    tell({"draft": draft_id, "situation": answer.situation_id}, words, as_json=as_json)


def _channels(draft: str, reviewer: str | None, config: Path | None, *, as_json: bool) -> None:
    with opened_desk(config, reviewer) as (running, me):
        choices = running.desk.channels(resolved(running, draft), reviewer=me)
    if as_json:
        print_json({"channels": choices})
        return
    for one in choices:
        print(f"{one.channel.value}: {one.closed or 'can be used'}")


def undo(
    draft: DraftArgument,
    reviewer: As = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Take back the last verdict on a draft, while it can be: an approval until sending begins."""
    with opened_desk(config, reviewer) as (running, me):
        draft_id = resolved(running, draft)
        answer = running.desk.undo(draft_id, reviewer=me)
    tell({"draft": draft_id, "undone": True}, answer.message, as_json=as_json)


def reread(
    draft: DraftArgument,
    reviewer: As = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Read a draft's facts from their sources again, without approving it.

    Exit code 1 when it no longer rests on what is true: it has then left the queue.
    """
    with opened_desk(config, reviewer) as (running, me):
        draft_id = resolved(running, draft)
        view = running.desk.reread(draft_id, reviewer=me)
    state = view.draft.draft.state.value
    answer, words = _REREAD.get(state, (state, f"The draft is {state}."))
    tell({"draft": draft_id, "facts": answer, "state": state}, words, as_json=as_json)
    if state != "pending":
        raise typer.Exit(1)


def score(config: Config = None, as_json: Json = False) -> None:
    """Show how many planted mistakes you noticed: you alone, so there is no way to ask for another's."""
    from agent.cli.identity import os_user, reviewer_of

    loaded = loaded_settings(config)
    people = loaded.settings.reviewers
    me = reviewer_of(people, user=os_user(), given=None, env={} if people else loaded.env)
    with opened(config) as running:
        answer = running.desk.own_score(reviewer=me)
    if as_json:
        print_json(answer)
    elif answer.last is None:
        narrate("No draft with a planted mistake was shown to you yet.")
    else:
        last = f"the last on {answer.last:%Y-%m-%d}"
        narrate(f"You noticed {answer.caught} of {answer.shown} planted mistakes; {last}.")


_REREAD = {
    "pending": ("fresh", "The draft still rests on what is true."),
    "stale": (
        "changed",
        "What the draft rests on changed; the case is screened and drafted anew.",
    ),
    "closed": ("cleared", "The condition cleared; nothing is sent."),
}


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise InputError("it cannot be read as text", path=path, remedy="give a file in UTF-8") from exc


def _print_check(answer: "TextCheck") -> None:
    from agent.audit.figures import micros

    for finding in answer.findings:
        if not finding.ok:
            console().print(f"no   {finding.guard}: {finding.detail}", markup=False, highlight=False)
    left = "" if answer.left is None else f", {answer.left} left"
    size = f"{answer.segments} segment(s) in {answer.encoding}, " if answer.encoding else ""
    console().print(
        f"{size}{answer.characters} characters{left}, {micros(answer.cost_micros)}", highlight=False
    )
    narrate("The text may be saved." if answer.ok else "The text may not leave.")


def _instant(text: str, *, now: datetime) -> datetime:
    from policies.model import parse_duration

    try:
        wait: timedelta | None = parse_duration(text)
    except ValueError:
        wait = None
    if wait is not None:
        return now + wait
    problem = "write a length of time such as 45m, or an instant with its zone such as 2026-11-05T09:00Z"
    try:
        at = datetime.fromisoformat(text)
    except ValueError as exc:
        raise InputError(f"{text!r} is no time", field="--until", remedy=problem) from exc
    if at.tzinfo is None:
        raise InputError(f"{text!r} names no zone", field="--until", remedy=problem)
    return at
