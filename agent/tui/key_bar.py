"""The keys of a screen at its foot, on as many lines as it takes; each can be clicked."""

from collections.abc import Sequence
from typing import Final

from rich.text import Text
from textual import events
from textual.widget import Widget
from typing_extensions import override

Keys = Sequence[tuple[str, str, str]]
"""(key as it is shown, what it does, action); an empty action only tells."""

_GAP: Final = 2


class KeyBar(Widget):
    """Tells every key that does something here."""

    def __init__(self, keys: Keys, *, id: str | None = None) -> None:  # noqa: A002  # Textual's word
        super().__init__(id=id)
        self._shown = keys

    def set_keys(self, keys: Keys) -> None:
        """Show other keys."""
        self._shown = keys
        self.refresh(layout=True)

    @override
    def render(self) -> Text:
        text = Text(no_wrap=True)
        for number, line in enumerate(self._lines(self.size.width)):
            text.append("\n" if number else "")
            for key, words, action in line:
                text.append(f" {key}", style="bold" if action else "")
                text.append(f" {words} ")
        return text

    @override
    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(self._lines(width))

    async def on_click(self, event: events.Click) -> None:
        """Do what the clicked key does."""
        lines = self._lines(self.size.width)
        if event.y >= len(lines):
            return
        at = 0
        for key, words, action in lines[event.y]:
            at += _width(key, words)
            if event.x < at:
                if action:
                    await self.screen.run_action(action)
                return

    def _lines(self, width: int) -> list[list[tuple[str, str, str]]]:
        lines: list[list[tuple[str, str, str]]] = [[]]
        used = 0
        for key, words, action in self._shown:
            needed = _width(key, words)
            if used + needed > max(width, 1) and lines[-1]:
                lines.append([])
                used = 0
            lines[-1].append((key, words, action))
            used += needed
        return lines


def _width(key: str, words: str) -> int:
    return len(key) + len(words) + _GAP + 1
