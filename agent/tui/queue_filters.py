"""The filters of the queue: the next value of each, and how they are shown."""

from collections.abc import Sequence
from typing import Final, Literal, TypeVar

from agent.review_desk.views import QueueFilter, Risk
from agent.review_view.outlook import channel_words
from agent.review_view.words import plain
from agent.tui.key_bar import Keys
from tools.records.vocabulary import ChannelKind

FilterChoice = Literal["scenario", "channel", "risk", "claimed", "snoozed"]

_CLAIMED: Final[tuple[Literal["anyone", "me", "nobody"], ...]] = ("anyone", "nobody", "me")
_CLAIMED_WORDS: Final = {"anyone": "everybody's", "nobody": "free", "me": "mine"}

T = TypeVar("T")


def next_scenario(wanted: QueueFilter, known: Sequence[str]) -> str | None:
    """Return the scenario after the present one; None after the last."""
    return _after(wanted.scenario, known)


def next_channel(wanted: QueueFilter) -> ChannelKind | None:
    """Return the channel after the present one; None after the last."""
    return _after(wanted.channel, list(ChannelKind))


def next_risk(wanted: QueueFilter) -> Risk | None:
    """Return the risk after the present one; None after the last."""
    return _after(wanted.risk, list(Risk))


def next_claimed(wanted: QueueFilter) -> Literal["anyone", "me", "nobody"]:
    """Return whose drafts are shown next: everybody's, free ones, one's own."""
    return _CLAIMED[(_CLAIMED.index(wanted.claimed) + 1) % len(_CLAIMED)]


def chips(wanted: QueueFilter, *, reading: bool = False) -> Keys:
    """Return the filters as keys with their present values; `reading` while the queue is read by new ones."""
    channel = channel_words(wanted.channel) if wanted.channel else "all"
    search = f"“{wanted.search}”" if wanted.search else "search"
    search += " … searching" if wanted.search and reading else ""
    return (
        ("S", f"scenario: {plain(wanted.scenario) if wanted.scenario else 'all'}", "filter('scenario')"),
        ("C", f"channel: {channel}", "filter('channel')"),
        ("R", f"risk: {wanted.risk.value if wanted.risk else 'all'}", "filter('risk')"),
        ("M", _CLAIMED_WORDS[wanted.claimed], "filter('claimed')"),
        ("Z", "snoozed" if wanted.snoozed else "due", "filter('snoozed')"),
        ("/", search, "search"),
    )


def _after(value: T | None, known: Sequence[T]) -> T | None:
    if value is None or value not in known:
        return known[0] if known and value is None else None
    at = known.index(value) + 1
    return known[at] if at < len(known) else None
