"""What the commands of `outrider review` share: options, which draft is meant, how answers are printed."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.output import narrate, print_json
from tools.errors import InputError

if TYPE_CHECKING:
    from agent.desk_bootstrap import DeskApp
    from agent.review_desk.answers import VerdictAnswer
    from agent.review_desk.views import DraftView

_MOST_NAMED = 5
"""Most drafts that a message lists when an id fits several."""

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


def tell(data: dict[str, object], words: str, *, as_json: bool) -> None:
    """Print what was done as JSON for scripts, or as a sentence for people."""
    if as_json:
        print_json(data)
    else:
        narrate(words)


def tell_verdict(answer: "VerdictAnswer", data: dict[str, object], words: str, *, as_json: bool) -> None:
    """Print what came of a verdict; of one on a planted draft, what was wrong in it instead."""
    if answer.outcome == "done":
        tell(data, words, as_json=as_json)
    else:
        tell({"outcome": answer.outcome, "message": answer.message}, answer.message, as_json=as_json)


def print_view(view: "DraftView") -> None:
    """Print a draft as JSON; its ticket is the draft's own id there, which tells nothing."""
    print_json(replace(view, ticket=view.draft.draft.id))


def resolved(running: "DeskApp", part: str) -> str:
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
