"""How the status looks."""

from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agent.audit.figures import micros
from agent.status import Status
from tools.safe_text import safe_text


def status_table(status: Status) -> RenderableType:
    """Return the status as a few short tables."""
    parts: list[RenderableType] = [
        Text(f"Now {status.now:%Y-%m-%d %H:%M} UTC, {status.records} records mirrored.")
    ]
    parts += [
        Text(
            safe_text(f"STOPPED: {stop.scope.value} {stop.key} by {stop.set_by}: {stop.reason}"),
            style="bold red",
        )
        for stop in status.stops
    ]
    parts += [
        _counts("Cases", status.cases),
        Text(f"Drafts that wait for a person: {status.drafts_waiting}"),
        _counts("Deliveries", status.deliveries),
        _counts("Work", status.work),
    ]
    if status.dead_work:
        parts.append(Text(f"Given up, look at these: {', '.join(status.dead_work[:10])}", style="bold"))
    streams = Table(title="Sources", title_justify="left", box=None)
    for title in ("source", "stream", "read", "found only by reconciling"):
        streams.add_column(title)
    for one in status.streams:
        read = f"{one.read_at:%Y-%m-%d %H:%M:%S}" if one.read_at else "never"
        streams.add_row(one.source, one.stream, read, str(one.missed))
    parts.append(streams)
    for source, number in status.quarantined.items():
        parts.append(Text(f"In quarantine from {source}: {number} rows"))
    left = status.model_left_today_micros
    budget = "" if left is None else f", left today {micros(left)}"
    parts.append(Text(f"Model cost so far {micros(status.model_cost_micros)}{budget}"))
    return Group(*parts)


def _counts(title: str, counts: Mapping[str, int]) -> Text:
    listed = ", ".join(f"{name} {number}" for name, number in sorted(counts.items()))
    return Text(f"{title}: {listed or 'none'}")
