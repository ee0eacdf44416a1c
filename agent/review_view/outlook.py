"""What would happen on approval, how long there is, and why approval may be locked: one line each."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from rich.text import Text

from agent.audit.fact_words import amount
from agent.review_desk.views import DraftView, Forecast
from agent.review_view.cells import shown
from agent.review_view.marks import BAD, CARE, QUIET, RISK
from agent.review_view.words import plain, plural, price, span, their_time, time_left
from tools.records.vocabulary import ChannelKind

HASH_SHOWN: Final = 6
"""Characters of the content hash that a reviewer sees and repeats."""
EXPIRES_SOON: Final = timedelta(minutes=15)

_CHANNEL_WORDS: Final = {ChannelKind.EMAIL: "e-mail", ChannelKind.SMS: "SMS", ChannelKind.PUSH: "push"}


def short_hash(view: DraftView) -> str:
    """Return the characters that stand for exactly this content."""
    return view.draft.content_hash[:HASH_SHOWN]


def channel_words(channel: ChannelKind) -> str:
    """Return a channel as people write it."""
    return _CHANNEL_WORDS[channel]


def forecast_words(forecast: Forecast | None, *, now: datetime) -> str:
    """Return what approving does: `goes out at 09:00 their time, by SMS, 2 segments, 0.08`."""
    if forecast is None:
        return "Nothing is left to send."
    if forecast.leaves_at is None:
        return f"Would not go out: {forecast.why}"
    at_once = forecast.leaves_at <= now + timedelta(minutes=1)
    when = "at once" if at_once else f"at {their_time(forecast.leaves_at, forecast.zone, now)}"
    size = f", {plural(forecast.segments, 'segment')}" if forecast.channel is ChannelKind.SMS else ""
    second = "; a second person must approve too" if forecast.needs_second else ""
    channel = channel_words(forecast.channel)
    return f"goes out {when}, by {channel}{size}, {price(forecast.cost_micros)}{second}"


def forecast_line(view: DraftView, *, now: datetime) -> Text:
    """Return the line that says what approving does, with the hash it is bound to."""
    line = Text("Approve → ", style="bold")
    blocked = view.forecast is not None and view.forecast.leaves_at is None
    line.append_text(shown(forecast_words(view.forecast, now=now), BAD if blocked else ""))
    line.append("   hash ", style=QUIET)
    return line.append(short_hash(view), style="bold")


def lock_lines(view: DraftView) -> Iterable[Text]:
    """Yield one line for each reason why approving is not possible now, with its remedy."""
    for lock in view.locks:
        line = Text("⊘ ", style=BAD)
        yield line.append_text(shown(f"{lock.words} {lock.remedy}".strip(), BAD))


def stale_words(view: DraftView) -> str:
    """Return what keeps a draft with old facts from being approved; empty when they are fresh."""
    if not view.stale_facts:
        return ""
    return f"Facts in the text are old ({', '.join(view.stale_facts)}); r reads them again, then approve."


def clock_line(view: DraftView, *, now: datetime, me: str) -> Text:
    """Return how long there is: until somebody should have looked, until it expires, and who holds it."""
    line = Text()
    late = view.review_by <= now
    line.append(f"due {time_left(view.review_by, now)}", style=BAD if late else "")
    left = view.draft.draft.expires_at - now
    soon = left <= EXPIRES_SOON
    words = f"expired {span(left)} ago" if left <= timedelta(0) else f"expires in {span(left)}"
    line.append("  ·  ").append(f"{'! ' if soon else ''}{words}", style=BAD if soon else "")
    held_by, until = view.draft.claimed_by, view.draft.claimed_until
    if held_by and until and until > now:
        who = "you hold it" if held_by == me else f"{held_by} holds it"
        line.append("  ·  ").append_text(
            shown(f"{who} for {span(until - now)}", "" if held_by == me else CARE)
        )
    return line


def title_line(view: DraftView) -> Text:
    """Return what the draft is: risk, scenario, customer, object, version, stake."""
    draft = view.draft.draft
    sign, words, style = RISK[view.risk]
    line = Text()
    line.append(f"{sign[0]} {words}", style=style)
    who = view.customer_name or str(view.case.customer_id)
    line.append("  ").append_text(shown(who, "bold"))
    parts = [plain(view.draft.scenario), view.case.object_ref, f"version {draft.version}"]
    if view.stake is not None:
        parts.append(f"{amount(view.stake)} at stake")
    parts.append(f"why: {plain(draft.review_reason)}")
    return line.append("  ·  ", style=QUIET).append_text(
        shown("  ·  ".join(part for part in parts if part), QUIET)
    )
