"""Known gaps: cases that the present system fails, counted apart so that nobody forgets them."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from evals.session import Done
from tools.safe_text import safe_text


def gap_view(done: Done) -> RenderableType:
    """Return the known gaps with their reasons; nothing when there are none."""
    if not done.gaps:
        return Group()
    table = Table(box=None, header_style="dim")
    for title in ("case", "gap", "now"):
        table.add_column(title, overflow="fold")
    for gap in done.gaps:
        state = "passes: remove the mark" if gap.closed else "; ".join(gap.reasons)
        style = "red" if gap.closed else ""
        cells = (gap.case.id, gap.case.known_gap, " ".join(state.split()))
        table.add_row(*(Text(safe_text(cell), style=style) for cell in cells))
    title = f"Known gaps, not in any figure above: {len(done.gaps)}"
    return Group(Text(title, style="bold"), table, Text())
