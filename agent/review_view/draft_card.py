"""One draft top to bottom, for commands that print: the message, then all it rests on."""

from collections.abc import Iterator
from datetime import datetime

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from agent.review_desk.views import DraftView
from agent.review_view.cells import shown
from agent.review_view.evidence import changes_view, checks_view, facts_view, timeline_view, value_view
from agent.review_view.message_view import message_view
from agent.review_view.outlook import clock_line, forecast_line, lock_lines, title_line


def draft_card(view: DraftView, *, now: datetime, me: str = "") -> RenderableType:
    """Return everything a reviewer needs, top to bottom."""
    draft = view.draft.draft
    message = Panel(
        message_view(draft, sender=view.sender),
        title=shown(f"{draft.id}  version {draft.version}  {draft.state.value}"),
        subtitle=shown(f"content hash {view.draft.content_hash[:12]}  by {draft.author}"),
        title_align="left",
        subtitle_align="left",
    )
    return Group(
        title_line(view),
        clock_line(view, now=now, me=me),
        message,
        *_sections(view, now=now),
        forecast_line(view, now=now),
        *lock_lines(view),
    )


def _sections(view: DraftView, *, now: datetime) -> Iterator[RenderableType]:
    parts: list[tuple[str, RenderableType]] = [
        ("Facts (the number stands in the text)", facts_view(view, now=now)),
        ("Checks", checks_view(view)),
        ("Value of a message against silence", value_view(view)),
        ("What happened before", timeline_view(view, now=now)),
    ]
    if len(view.versions) > 1:
        parts.append(("Changes", changes_view(view)))
    for title, content in parts:
        yield Text(title, style="bold")
        yield Padding(content, (0, 0, 1, 2))
