"""How situations look in the terminal; every text from outside goes through `safe_text`."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from agent.review_desk.situations.outliers import money_words
from agent.review_desk.situations.shown import (
    SampleItem,
    SituationAnswer,
    SituationItem,
    SituationView,
)
from agent.review_view.words import in_words
from tools.records.base import Money
from tools.safe_text import safe_text

_MOST_NAMED = 5
"""Drafts that a line names; the count says how many there are."""


def situations_table(items: Sequence[SituationItem], *, now: datetime) -> Table:
    """Return the waiting situations as a table."""
    table = Table(box=None, header_style="bold", pad_edge=False, expand=True)
    for title, width in (("situation", 30), ("scenario", 18), ("by", 5), ("drafts", 6), ("differ", 6)):
        table.add_column(title, no_wrap=True, min_width=width)
    table.add_column("subject", no_wrap=True, overflow="ellipsis", ratio=1)
    table.add_column("stake", no_wrap=True, justify="right")
    table.add_column("review in", no_wrap=True, min_width=8)
    for item in items:
        table.add_row(
            _text(item.situation_id),
            _text(item.scenario),
            _text(item.channel),
            str(item.alike),
            str(item.differing),
            _text(item.slotted_subject or item.slotted_body.replace("\n", " ")[:60]),
            _text(_stakes(item)),
            _text(in_words(item.review_by - now)),
        )
    return table


def situation_card(view: SituationView, *, now: datetime) -> RenderableType:
    """Return everything that a verdict on a situation rests on: the text, then who is unlike the others."""
    item = view.item
    message = [_text(f"Subject {item.slotted_subject}", style="bold"), Text()] if item.slotted_subject else []
    parts: list[RenderableType] = [
        Panel(
            Group(*message, _text(item.slotted_body)),
            title=Text(f"{safe_text(item.situation_id)}  {item.scenario}  {item.channel}"),
            subtitle=Text(f"digest {view.digest[:12]}"),
            title_align="left",
            subtitle_align="left",
        ),
        _text(
            f"{item.alike} drafts with this text, {item.differing} that differ; "
            f"to be reviewed {in_words(item.review_by - now)}; at stake: {_stakes(item) or 'nothing'}."
        ),
        _strata(view),
        _drafts("A sample, the same at every look", ((one, (one.stratum,)) for one in view.sample)),
    ]
    if view.common:
        parts.append(_text(f"Most have: {', '.join(view.common)}."))
    if view.outliers:
        parts.append(_drafts(f"Unlike the others: all {len(view.outliers)}", view.outliers))
    else:
        parts.append(_text("Nobody stands out."))
    parts += _apart("Not covered by a verdict", view.differing)
    parts += _apart("Left for a look of their own by an approval", view.behind)
    return Group(*parts)


def answer_card(answer: SituationAnswer) -> RenderableType:
    """Return what came of a verdict on a situation: how many, and which stayed behind and why."""
    counts = (("done", answer.done), ("facts changed", answer.stale), ("condition cleared", answer.cleared))
    lines = [_text(f"{len(ids):>6}  {name}") for name, ids in counts if ids]
    left = [left_table(answer.left)] if answer.left else []
    return Group(_text(answer.message, style="bold"), Text(), *lines, Text(), *left)


def left_table(left: Sequence[tuple[str, str]]) -> Table:
    """Return the drafts that stayed behind, by reason."""
    table = Table(title="Left", title_justify="left", box=None, header_style="bold", pad_edge=False)
    for title in ("drafts", "why", "for example"):
        table.add_column(title)
    by_reason = Counter(why for _, why in left)
    for why, number in by_reason.most_common():
        named = [draft_id for draft_id, reason in left if reason == why][:_MOST_NAMED]
        table.add_row(str(number), _text(why), _text(" ".join(named)))
    return table


def _strata(view: SituationView) -> Table:
    table = Table(title="Kinds of customers", title_justify="left", box=None, show_header=False)
    for stratum in view.strata:
        table.add_row(str(stratum.count), _text(stratum.words))
    return table


def _drafts(title: str, found: Iterable[tuple[SampleItem, Sequence[str]]]) -> RenderableType:
    parts: list[RenderableType] = [Text(title, style="bold")]
    for one, why in found:
        parts += [
            Text(),
            _text(f"{one.draft_id}  {one.customer_name}  {one.recipient}  {one.clock}  {one.stake}"),
            _text(f"  {'; '.join(why)}", style="italic"),
            *([_text(f"  {one.subject}")] if one.subject else []),
            *(_text(f"  {line}") for line in one.body.split("\n")),
        ]
    return Group(*parts)


def _apart(title: str, found: Sequence[tuple[str, str]]) -> list[RenderableType]:
    if not found:
        return []
    reasons = Counter(why for _, why in found)
    lines = [f"{number}: {why}" for why, number in reasons.most_common()]
    return [Text(), Text(title, style="bold"), *(_text(f"  {line}") for line in lines)]


def _stakes(item: SituationItem) -> str:
    return ", ".join(money_words(Money(minor=minor, currency=name)) for name, minor in item.stake_total)


def _text(text: str, *, style: str = "") -> Text:
    return Text(safe_text(text), style=style)
