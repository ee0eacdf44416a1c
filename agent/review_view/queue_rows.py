"""One line of the queue: its columns, which of them fit, and what stands in each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rich.table import Table
from rich.text import Text

from agent.audit.fact_words import amount
from agent.review_desk.views import QueueCounts, QueueItem
from agent.review_view.cells import clipped, shown
from agent.review_view.marks import BAD, CARE, RISK
from agent.review_view.words import plain, price, span

_SOON_SHARE: Final = 4
"""Less than a quarter of the time is left: soon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of the queue."""

    title: str
    width: int
    """Cells; the least for a column that grows."""
    rank: int
    """Columns with the highest rank are left out first."""
    words: Callable[[QueueItem, datetime], str]
    style: Callable[[QueueItem, datetime], str] = lambda _item, _now: ""
    grows: bool = False
    right: bool = False


def _due(item: QueueItem, now: datetime) -> str:
    if item.snoozed_until is not None and item.snoozed_until > now:
        return f"z {span(item.snoozed_until - now)}"
    late = item.review_by <= now
    return f"!{span(now - item.review_by)}" if late else span(item.review_by - now)


def _due_style(item: QueueItem, now: datetime) -> str:
    if item.review_by <= now:
        return BAD
    soon = (item.review_by - now) * _SOON_SHARE < item.review_by - item.created_at
    return CARE if soon else ""


def _held(item: QueueItem, now: datetime) -> str:
    if item.claimed_by and item.claimed_until and item.claimed_until > now:
        return item.claimed_by
    return f"2nd of {item.first_approver}" if item.first_approver else ""


def _who(item: QueueItem) -> str:
    return item.customer_name or str(item.customer_id)


def _line(item: QueueItem) -> str:
    return item.subject or item.body[:200]


COLUMNS: Final = (
    Column(
        title="!",
        width=2,
        rank=0,
        words=lambda item, _: RISK[item.risk][0],
        style=lambda item, _: RISK[item.risk][2],
    ),
    Column(title="due", width=10, rank=0, words=_due, style=_due_style, right=True),
    Column(title="customer", width=14, rank=0, words=lambda item, _: _who(item)),
    Column(title="scenario", width=14, rank=1, words=lambda item, _: plain(item.scenario)),
    Column(title="by", width=5, rank=2, words=lambda item, _: item.channel.value),
    Column(title="why", width=9, rank=5, words=lambda item, _: plain(item.review_reason)),
    Column(
        title="at stake",
        width=11,
        rank=3,
        words=lambda item, _: amount(item.stake) if item.stake else "",
        right=True,
    ),
    Column(title="held by", width=7, rank=4, words=_held, style=lambda _item, _now: CARE),
    Column(title="subject", width=16, rank=6, words=lambda item, _: _line(item), grows=True),
    Column(
        title="alike",
        width=5,
        rank=7,
        words=lambda item, _: f"{item.situation_size}" if item.situation_size > 1 else "",
        right=True,
    ),
    Column(title="value", width=7, rank=8, words=lambda item, _: price(item.value_micros), right=True),
)


def fitting(width: int, columns: Sequence[Column] = COLUMNS) -> list[tuple[Column, int]]:
    """Return the columns that fit into a width, one cell between them, each with the cells it gets.

    The least important are left out first; what is over goes to the column that grows, else to the customer.
    """
    kept = list(columns)
    while kept and sum(one.width + 1 for one in kept) - 1 > width:
        kept.remove(max(kept, key=lambda one: one.rank))
    over = width - (sum(one.width + 1 for one in kept) - 1)
    grown = next(
        (one for one in kept if one.grows), next((one for one in kept if one.title == "customer"), None)
    )
    return [(one, one.width + (over if one is grown else 0)) for one in kept]


def header_line(fitted: Sequence[tuple[Column, int]]) -> Text:
    """Return the titles of the columns."""
    return _joined([_aligned(one.title, width, one.right, "") for one, width in fitted])


def queue_line(item: QueueItem, fitted: Sequence[tuple[Column, int]], *, now: datetime) -> Text:
    """Return one draft as a line of exactly the columns' width."""
    return _joined(
        [_aligned(one.words(item, now), width, one.right, one.style(item, now)) for one, width in fitted]
    )


def queue_table(items: Sequence[QueueItem], *, now: datetime) -> Table:
    """Return the queue as a table whose ids can be copied whole."""
    table = Table(box=None, header_style="bold", pad_edge=False, expand=True)
    table.add_column("draft", no_wrap=True, min_width=30)
    chosen = [one for one in COLUMNS if one.title not in {"alike", "value"}]
    for one in chosen:
        table.add_column(
            one.title,
            no_wrap=True,
            min_width=one.width if one.rank <= 1 else 2,
            max_width=None if one.grows else 2 * one.width,
            overflow="ellipsis",
            ratio=1 if one.grows else None,
            justify="right" if one.right else "left",
        )
    for item in items:
        cells = [shown(one.words(item, now)[:400], one.style(item, now)) for one in chosen]
        table.add_row(shown(item.draft_id), *cells)
    return table


def counts_table(counts: QueueCounts) -> Table:
    """Return how full the queue is as a table."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right")
    for name, number in (
        ("waiting", counts.waiting),
        ("overdue", counts.overdue),
        ("expiring soon", counts.expiring_soon),
        ("claimed", counts.claimed),
        ("yours", counts.mine),
        ("snoozed", counts.snoozed),
        *((f"risk {risk.value}", number) for risk, number in counts.by_risk),
        *counts.by_scenario,
    ):
        table.add_row(shown(name), str(number))
    return table


def _aligned(words: str, width: int, right: bool, style: str) -> Text:  # noqa: FBT001  # of a column
    text = clipped(words, width, style)
    if right and text.plain.endswith(" "):
        bare = text.plain.rstrip()
        return Text(" " * (width - Text(bare).cell_len) + bare, style=style, end="")
    return text


def _joined(cells: Sequence[Text]) -> Text:
    line = Text(end="", no_wrap=True)
    for number, cell in enumerate(cells):
        if number:
            line.append(" ")
        line.append_text(cell)
    return line
