"""Drafts as sentences, for screen readers and for output that is no terminal: no boxes, no colours."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from io import StringIO
from typing import Final

from rich.console import Console, RenderableType

from agent.audit.fact_words import amount, value_words
from agent.review_desk.views import DraftView, QueueItem
from agent.review_view.marks import RISK
from agent.review_view.outlook import channel_words, forecast_words, short_hash
from agent.review_view.words import ago, plain, time_left
from policies.guards.channels import sms_parts
from policies.guards.links import urls_in
from tools.link_hosts import true_host
from tools.records.vocabulary import ChannelKind
from tools.safe_text import safe_line, safe_text

_WIDTH: Final = 100
_DRAWN: Final = re.compile("[\u2500-\u259f]+")
"""Lines, boxes and bars, which a screen reader would spell out."""


def spoken(content: RenderableType) -> Iterator[str]:
    """Yield the lines of something drawn, without what is only drawn."""
    console = Console(file=StringIO(), width=_WIDTH, no_color=True, highlight=False, color_system=None)
    with console.capture() as captured:
        console.print(content)
    for line in captured.get().splitlines():
        words = _DRAWN.sub(" ", line).rstrip()
        if words:
            yield words


def item_sentence(number: int, item: QueueItem, *, now: datetime) -> str:
    """Return one line of the queue."""
    who = safe_line(item.customer_name or str(item.customer_id))
    stake = f", {amount(item.stake)} at stake" if item.stake else ""
    held = f", held by {safe_line(item.claimed_by)}" if _is_held(item, now) and item.claimed_by else ""
    return (
        f"{number}. {who}, {plain(item.scenario)} by {channel_words(item.channel)}, {RISK[item.risk][1]}, "
        f"due {time_left(item.review_by, now)}{stake}{held}."
    )


def draft_sentences(view: DraftView, *, now: datetime, me: str) -> Iterator[str]:
    """Yield what the customer will read and what approving does."""
    draft, message = view.draft.draft, view.draft.draft.message
    who = safe_line(view.customer_name or str(view.case.customer_id))
    about = f"{plain(view.draft.scenario)}, {safe_line(view.case.object_ref)}"
    yield f"Draft for {who}: {about}, version {draft.version}."
    yield f"{RISK[view.risk][1].capitalize()}. Due {time_left(view.review_by, now)}."
    yield f"Expires {time_left(draft.expires_at, now)}."
    held_by, until = view.draft.claimed_by, view.draft.claimed_until
    if held_by and until and until > now:
        yield "You hold it." if held_by == me else f"{safe_line(held_by)} holds it."
    sender = f" from {safe_line(view.sender)}" if view.sender else ""
    yield f"By {channel_words(message.channel)}{sender} to {safe_line(message.recipient)}."
    if message.subject:
        yield f"Subject: {safe_line(message.subject)}"
    parts = sms_parts(message.body) if message.channel is ChannelKind.SMS else (message.body,)
    for number, part in enumerate(parts, start=1):
        yield "Text:" if len(parts) == 1 else f"Text, segment {number} of {len(parts)}:"
        yield from safe_text(part).splitlines()
    yield "End of text."
    for url in dict.fromkeys(urls_in(message.body)):
        yield f"A link leads to {true_host(url)}."
    yield f"Approving: {forecast_words(view.forecast, now=now)}. Hash {short_hash(view)}."
    yield from lock_sentences(view)


def lock_sentences(view: DraftView) -> Iterator[str]:
    """Yield why approving is not possible now."""
    for lock in view.locks:
        if lock.kind != "floor":
            yield safe_line(f"Locked: {lock.words} {lock.remedy}")
    if view.stale_facts:
        yield safe_line(f"Locked: facts in the text are old ({', '.join(view.stale_facts)}); say reread.")


def fact_sentences(view: DraftView, *, now: datetime) -> Iterator[str]:
    """Yield the facts, those in the text first."""
    used = {slot.slot for slot in view.draft.draft.used}
    facts = view.decision.facts if view.decision else ()
    for fact in sorted(facts, key=lambda one: (one.name not in used, one.name)):
        old = ", old" if view.fact_states.get(fact.name) == "old" else ""
        stands = ", stands in the text" if fact.name in used else ""
        value = safe_line(value_words(fact.value))
        yield f"{safe_line(fact.name)} is {value}, read {ago(now - fact.fetched_at)}{old}{stands}."
    if not facts:
        yield "There are no facts."


def listed(words: Iterable[str]) -> str:
    """Return words as a list in a sentence: `a, b or c`."""
    parts = [*words]
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} or {parts[-1]}"


def _is_held(item: QueueItem, now: datetime) -> bool:
    return item.claimed_until is not None and item.claimed_until > now
