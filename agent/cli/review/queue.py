"""`outrider review list`, `counts` and `show`: what waits for a person; looking changes nothing."""

from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from agent.cli.identity import As
from agent.cli.opening import Config, opened_desk
from agent.cli.output import Json, console, narrate, print_json
from agent.cli.review.options import DraftArgument, print_view, resolved
from tools.errors import InputError

if TYPE_CHECKING:
    from agent.desk_bootstrap import DeskApp
    from agent.domain.drafts import DraftState
    from agent.review_desk.views import QueueFilter, QueueItem

CodeT = TypeVar("CodeT", bound=StrEnum)

_PAGE = 500
_CLAIMED = ("anyone", "me", "nobody")

Scenario = Annotated[str | None, typer.Option(help="Only this scenario.")]
Channel = Annotated[str | None, typer.Option(help="Only this channel: email, sms or push.")]
RiskOption = Annotated[str | None, typer.Option("--risk", help="Only this risk: high, normal or low.")]
Reason = Annotated[str | None, typer.Option(help="Only what a person must see for this reason.")]
Claimed = Annotated[str, typer.Option(help="Who has it for now: anyone, me or nobody.")]
Situation = Annotated[str | None, typer.Option(metavar="ID", help="Only drafts of this situation.")]
Search = Annotated[
    str,
    typer.Option(help="A part of the draft's id, customer's id or name, object, recipient or text."),
]
Snoozed = Annotated[bool, typer.Option("--snoozed", help="What was put off, instead of what is due.")]


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("list")(list_drafts)
    app.command()(counts)
    app.command()(show)


def list_drafts(
    scenario: Scenario = None,
    channel: Channel = None,
    risk: RiskOption = None,
    reason: Reason = None,
    claimed: Claimed = "anyone",
    situation: Situation = None,
    search: Search = "",
    snoozed: Snoozed = False,
    state: Annotated[str, typer.Option(help="pending, approved, rejected, stale, expired, …")] = "pending",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Most drafts to list.")] = 20,
    everything: Annotated[bool, typer.Option("--all", help="All of them, whatever the limit.")] = False,
    reviewer: As = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """List drafts that wait for a person, the one to be reviewed first at the top."""
    from agent.domain.drafts import DraftState
    from agent.review_view.queue_rows import queue_table

    wanted_state = _code(DraftState, state, "--state")
    with opened_desk(config, reviewer) as (running, me):
        wanted = filter_of(
            me,
            scenario=scenario,
            channel=channel,
            risk=risk,
            reason=reason,
            claimed=claimed,
            situation=situation,
            search=search,
            snoozed=snoozed,
            state=wanted_state,
        )
        if everything:
            items = list(_all(running, wanted, me))
        else:
            items = running.desk.list_drafts(wanted, limit=limit, reviewer=me)
        total = len(items) if everything else running.desk.count(wanted, reviewer=me)
        if as_json:
            print_json({"total": total, "drafts": items})
            return
        if not items:
            narrate(f"No such draft is {state}.")
            return
        console().print(queue_table(items, now=running.clock()))
        narrate(
            f"{len(items)} of {total} {state} drafts. Look at one: outrider review show {items[0].draft_id}"
        )


def filter_of(
    reviewer: str,
    *,
    scenario: str | None = None,
    channel: str | None = None,
    risk: str | None = None,
    reason: str | None = None,
    claimed: str = "anyone",
    situation: str | None = None,
    search: str = "",
    snoozed: bool = False,
    state: "DraftState | None" = None,
) -> "QueueFilter":
    """Return the filter that the options of a command say.

    Raises:
        InputError: A word is none of those that exist.
    """
    from agent.domain.cases import SituationId
    from agent.domain.drafts import DraftState
    from agent.review_desk.views import QueueFilter, Risk
    from tools.records.vocabulary import ChannelKind

    if claimed not in _CLAIMED:
        raise InputError(
            f"drafts cannot be claimed by {claimed!r}",
            field="--claimed",
            remedy=f"use one of {', '.join(_CLAIMED)}",
        )
    return QueueFilter(
        state=state or DraftState.PENDING,
        scenario=scenario,
        channel=None if channel is None else _code(ChannelKind, channel, "--channel"),
        risk=None if risk is None else _code(Risk, risk, "--risk"),
        reason=reason,
        claimed="me" if claimed == "me" else "nobody" if claimed == "nobody" else "anyone",
        reviewer=reviewer,
        situation=None if situation is None else SituationId(situation),
        search=search,
        snoozed=snoozed,
    )


def counts(reviewer: As = None, config: Config = None, as_json: Json = False) -> None:
    """Count what waits, what is overdue or expires soon, and who has how much of it."""
    from agent.review_view.queue_rows import counts_table

    with opened_desk(config, reviewer) as (running, me):
        found = running.desk.counts(reviewer=me)
    if as_json:
        print_json(found)
    else:
        console().print(counts_table(found))


def show(draft: DraftArgument, reviewer: As = None, config: Config = None, as_json: Json = False) -> None:
    """Show one draft: message, facts, gates, value, when it would leave, what happened before."""
    from agent.review_view.draft_card import draft_card

    with opened_desk(config, reviewer) as (running, me):
        view = running.desk.look(resolved(running, draft), reviewer=me)
        if as_json:
            print_view(view)
            return
        console().print(draft_card(view, now=running.clock()))


def _all(running: "DeskApp", wanted: "QueueFilter", me: str) -> "Iterator[QueueItem]":
    from agent.review_desk.views import QueuePlace

    place: QueuePlace | None = None
    while page := running.desk.list_drafts(wanted, limit=_PAGE, after=place, reviewer=me):
        yield from page
        place = QueuePlace(review_by=page[-1].review_by, draft_id=page[-1].draft_id)


def _code(codes: type[CodeT], word: str, field: str) -> CodeT:
    try:
        return codes(word)
    except ValueError as exc:
        known = ", ".join(one.value for one in codes)
        raise InputError(f"{word!r} is not known here", field=field, remedy=f"use one of {known}") from exc
