"""How figures and proposals look in the terminal."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from agent.review_desk.intervals import Share
from agent.review_desk.stats import Stats
from agent.review_view.words import in_words
from agent.store.proposals import Proposal
from policies.model import PPM
from tools.safe_text import safe_text

_BAR = 20
"""Characters of a full bar."""
_SEVERAL = 2


def stats_card(stats: Stats) -> RenderableType:
    """Return the figures top to bottom: what waits, what was said, what was changed, how it was looked at."""
    parts: list[RenderableType] = [
        Text(f"Review desk since {stats.since:%Y-%m-%d %H:%M} UTC", style="bold"),
        *_queue(stats),
        *_shares("Verdicts", stats.verdicts),
        *_scenarios(stats),
        *_shares("Why drafts were rejected", stats.reasons),
    ]
    parts += [*_edited(stats), *_seconds(stats)]
    if stats.attention is not None and stats.attention.of:
        parts += _shares("Planted mistakes", [("caught", stats.attention)])
    return Group(*parts)


def proposals_table(found: Sequence[Proposal]) -> Table:
    """Return open proposals as a table."""
    table = Table(box=None, header_style="bold", pad_edge=False, expand=True)
    for title in ("proposal", "kind", "seen"):
        table.add_column(title, no_wrap=True)
    table.add_column("file", no_wrap=True)
    table.add_column("change", ratio=1)
    for one in found:
        table.add_row(one.id, one.kind, str(one.count), _text(one.target), _text(one.title))
    return table


def proposal_card(one: Proposal) -> RenderableType:
    """Return one proposal with its reasons and its diff."""
    diff = Text()
    for line in one.diff.splitlines():
        style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
        diff.append(safe_text(line) + "\n", style=style)
    return Group(
        Panel(
            Group(_text(f"{one.why}."), _text(f"By {', '.join(one.reviewers)}.")),
            title=Text(f"{one.id}  {one.kind}  {safe_text(one.title)}"),
            title_align="left",
        ),
        _text(f"Drafts that show it: {' '.join(one.examples)}"),
        Text(),
        diff,
    )


def _queue(stats: Stats) -> list[RenderableType]:
    queue = stats.queue
    table = Table(box=None, show_header=False, pad_edge=False)
    age = in_words(stats.at - queue.oldest).removeprefix("in ") if queue.oldest else "nothing waits"
    for name, value in (
        ("waiting", str(queue.waiting)),
        ("overdue", str(queue.overdue)),
        ("expiring soon", str(queue.expiring_soon)),
        ("snoozed", str(queue.snoozed)),
        ("oldest waits", age),
        ("by scenario", _listed(queue.by_scenario)),
        ("by risk", _listed(queue.by_risk)),
        ("held by", _listed(queue.by_holder)),
    ):
        table.add_row(Text(name), _text(value))
    return [Text(), Text("Queue", style="bold"), table]


def _shares(title: str, rates: Sequence[tuple[str, Share]]) -> list[RenderableType]:
    """Return shares as bars of text: full signs for the share, light ones for what the interval adds."""
    shown = [(name, found) for name, found in rates if found.of]
    if not shown:
        return []
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("", "number", "share", "95 %"):
        table.add_column(heading, justify="left" if not heading else "right")
    table.add_column("")
    for name, found in shown:
        table.add_row(
            _text(name),
            str(found.count),
            _percent(found.ppm),
            f"{_percent(found.low_ppm)} to {_percent(found.high_ppm)}",
            _bar(found),
        )
    return [Text(), Text(f"{title}: {shown[0][1].of} in all", style="bold"), table]


def _scenarios(stats: Stats) -> list[RenderableType]:
    """Return one line for each scenario, where there are several."""
    if len(stats.by_scenario) < _SEVERAL:
        return []
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for heading in ("number", *(verdict for verdict, _ in stats.by_scenario[0][1])):
        table.add_column(heading, justify="right")
    for scenario, rates in stats.by_scenario:
        table.add_row(_text(scenario), str(rates[0][1].of), *(_percent(found.ppm) for _, found in rates))
    return [Text(), Text("By scenario", style="bold"), table]


def _edited(stats: Stats) -> list[RenderableType]:
    if not stats.most_edited:
        return []
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("text", "edited", "share", "95 %", "words changed"):
        table.add_column(heading, justify="left" if heading == "text" else "right")
    for one in stats.most_edited:
        table.add_row(
            _text(one.template),
            f"{one.edited.count} of {one.edited.of}",
            _percent(one.edited.ppm),
            f"{_percent(one.edited.low_ppm)} to {_percent(one.edited.high_ppm)}",
            str(one.words_changed),
        )
    return [Text(), Text("Most edited", style="bold"), table]


def _seconds(stats: Stats) -> list[RenderableType]:
    if not stats.seconds:
        return []
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("reviewer", "verdicts", "median", "90 % within"):
        table.add_column(heading, justify="left" if heading == "reviewer" else "right")
    for one in stats.seconds:
        table.add_row(_text(one.reviewer), str(one.verdicts), f"{one.median} s", f"{one.p90} s")
    return [Text(), Text("Time per verdict", style="bold"), table]


def _bar(share: Share) -> Text:
    full, reach = (round(part * _BAR / PPM) for part in (share.ppm, share.high_ppm))
    return Text("█" * full + "░" * max(0, reach - full))


def _percent(ppm: int) -> str:
    return f"{ppm / 10_000:.0f} %"


def _listed(pairs: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {number}" for name, number in pairs) or "nothing"


def _text(text: str) -> Text:
    return Text(safe_text(text))
