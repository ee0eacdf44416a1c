"""How lists of decisions look."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from agent.store.audit_pages import DecisionLine
from tools.safe_text import safe_text


def decision_table(lines: Sequence[DecisionLine]) -> Table:
    """Return decisions as a table, one line each."""
    table = Table(box=None, header_style="bold", pad_edge=False, expand=True)
    for title, width in (("decision", 30), ("at", 16), ("scenario", 18), ("kind", 8)):
        table.add_column(title, no_wrap=True, min_width=width)
    table.add_column("reason", no_wrap=True, overflow="ellipsis", ratio=1)
    table.add_column("object", no_wrap=True, overflow="ellipsis", ratio=1)
    for line in lines:
        cells = (
            line.id,
            f"{line.at:%Y-%m-%d %H:%M}",
            line.scenario,
            line.kind.value,
            line.reason,
            line.object_ref,
        )
        table.add_row(*(Text(safe_text(cell)) for cell in cells))
    return table
