"""`outrider review next`, `open`, `renew`, `release`: having a draft for a while, while nobody else does."""

import typer

from agent.cli.identity import As
from agent.cli.opening import Config, opened_desk
from agent.cli.output import Json, console, narrate
from agent.cli.review.options import DraftArgument, print_view, resolved, tell
from agent.cli.review.queue import Channel, Reason, RiskOption, Scenario, Search, Situation, filter_of


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("next")(next_draft)
    app.command("open")(open_draft)
    app.command()(renew)
    app.command()(release)


def next_draft(
    scenario: Scenario = None,
    channel: Channel = None,
    risk: RiskOption = None,
    reason: Reason = None,
    situation: Situation = None,
    search: Search = "",
    reviewer: As = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Open the first draft of the queue that nobody else has; exit 1 when there is none."""
    from agent.review_view.draft_card import draft_card

    with opened_desk(config, reviewer) as (running, me):
        wanted = filter_of(
            me,
            scenario=scenario,
            channel=channel,
            risk=risk,
            reason=reason,
            situation=situation,
            search=search,
        )
        found = running.desk.next_draft(reviewer=me, wanted=wanted)
        if found is None:
            tell({"draft": None}, "Nothing waits that you could take.", as_json=as_json)
            raise typer.Exit(1)
        view = running.desk.open(found, reviewer=me)
        if as_json:
            print_view(view)
        else:
            console().print(draft_card(view, now=running.clock()))


def open_draft(
    draft: DraftArgument, reviewer: As = None, config: Config = None, as_json: Json = False
) -> None:
    """Claim a draft and show it; the time until your verdict counts as spent on it."""
    from agent.review_view.draft_card import draft_card

    with opened_desk(config, reviewer) as (running, me):
        view = running.desk.open(resolved(running, draft), reviewer=me)
        if as_json:
            print_view(view)
            return
        console().print(draft_card(view, now=running.clock()))
        if view.draft.claimed_until:
            narrate(f"It is yours until {view.draft.claimed_until:%H:%M} UTC.")


def renew(draft: DraftArgument, reviewer: As = None, config: Config = None, as_json: Json = False) -> None:
    """Let your claim on a draft end later."""
    with opened_desk(config, reviewer) as (running, me):
        draft_id = resolved(running, draft)
        running.desk.renew(draft_id, reviewer=me)
        until = running.desk.show(draft_id).draft.claimed_until
    words = f"{draft_id} is yours until {until:%H:%M} UTC." if until else f"Renewed {draft_id}."
    tell({"draft": draft_id, "claimed_until": until}, words, as_json=as_json)


def release(draft: DraftArgument, reviewer: As = None, config: Config = None, as_json: Json = False) -> None:
    """Give a draft back; a lead may also take another's claim away."""
    with opened_desk(config, reviewer) as (running, me):
        draft_id = resolved(running, draft)
        running.desk.release(draft_id, reviewer=me)
    tell({"draft": draft_id, "released": True}, f"Released {draft_id}.", as_json=as_json)
