"""The reviewer's last verdict, and how long it can be taken back."""

from dataclasses import dataclass
from datetime import datetime

from rich.text import Text

from agent.review_view.cells import shown
from agent.review_view.words import span


@dataclass(frozen=True, slots=True, kw_only=True)
class LastVerdict:
    """What was decided last, as it can be undone."""

    draft_id: str
    words: str
    until: datetime

    def line(self, now: datetime) -> Text:
        """Return what was done and how long `u` undoes it; empty when that time is over."""
        if now >= self.until:
            return Text()
        line = Text("✓ ").append_text(shown(self.words))
        return line.append("  ").append("u", style="bold").append(f" undoes it for {span(self.until - now)}")
