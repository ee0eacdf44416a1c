"""A list of lines with a cursor: draws only what is seen, so that its length costs nothing."""

# pyright: reportUnknownMemberType=false
# Textual does not say of what its App and Worker are generic.

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from typing_extensions import override

_MARGIN: Final = 2
"""Cells at the left for the cursor and the mark."""


class RowList(ScrollView, can_focus=True):
    """Lines by key; the owner says what stands in each."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"row-list--cursor", "row-list--marked"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "edge(-1)", "First", show=False),
        Binding("end", "edge(1)", "Last", show=False),
        Binding("enter", "choose", "Open", show=False),
    ]
    cursor: reactive[int] = reactive(0)

    class Moved(Message):
        """The cursor stands elsewhere."""

        def __init__(self, row_list: "RowList") -> None:
            super().__init__()
            self.row_list = row_list

        @property
        @override
        def control(self) -> "RowList":
            return self.row_list

    class Chosen(Moved):
        """A line was opened, by Enter or the mouse."""

    def __init__(self, line: Callable[[int, int], Text], *, id: str | None = None) -> None:  # noqa: A002  # Textual's word
        """Show lines; `line` gets a line's number and the cells there are."""
        super().__init__(id=id)
        self._line = line
        self._keys: Sequence[str] = ()
        self.marked: set[str] = set()

    @property
    def keys(self) -> Sequence[str]:
        """The keys of all lines, in order."""
        return self._keys

    @property
    def current(self) -> str | None:
        """The key of the line at the cursor; None when there are none."""
        return self._keys[self.cursor] if self._keys else None

    @property
    def line_width(self) -> int:
        """Cells there are for a line's content."""
        return max(self.size.width - _MARGIN, 1)

    def set_rows(self, keys: Sequence[str]) -> None:
        """Show these lines; the cursor stays with its line, or where it was when that has gone."""
        before, offset = self.current, self.cursor - round(self.scroll_offset.y)
        self._keys = keys
        self.marked &= set(keys)
        self.virtual_size = Size(self.size.width, len(keys))
        last = max(len(keys) - 1, 0)
        at = keys.index(before) if before in keys else min(self.cursor, last)
        moved = at != self.cursor
        self.set_reactive(RowList.cursor, at)
        if moved:  # the line keeps its place on the screen
            self.scroll_to(y=max(at - offset, 0), animate=False, force=True, immediate=True)
        self._keep_in_sight()
        self.refresh()
        if moved or self.current != before:
            self.post_message(self.Moved(self))

    def toggle_mark(self) -> None:
        """Mark the line at the cursor, or take its mark away, and go on to the next."""
        if self.current is not None:
            self.marked ^= {self.current}
            self.action_move(1)
            self.refresh()

    @override
    def render_line(self, y: int) -> Strip:
        width = self.size.width
        number = y + round(self.scroll_offset.y)
        if number >= len(self._keys):
            return Strip.blank(width, self.rich_style)
        at_cursor = number == self.cursor
        marked = self._keys[number] in self.marked
        margin = (">" if at_cursor else " ") + ("*" if marked else " ")
        text = Text(margin, end="", no_wrap=True).append_text(self._line(number, self.line_width))
        style = self._style(at_cursor=at_cursor, marked=marked)
        strip = Strip(text.render(self.app.console)).adjust_cell_length(width)
        return strip.apply_style(style)

    def watch_cursor(self, before: int, after: int) -> None:
        """Draw both lines anew and keep the cursor in sight."""
        if before != after:
            self._keep_in_sight()
            self.refresh()
            self.post_message(self.Moved(self))

    def validate_cursor(self, value: int) -> int:
        """Keep the cursor on a line."""
        return max(0, min(value, len(self._keys) - 1))

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        self.cursor += by

    def action_page(self, by: int) -> None:
        """Move the cursor by a screen."""
        self.cursor += by * max(self.size.height - 1, 1)

    def action_edge(self, side: int) -> None:
        """Move the cursor to the first or last line."""
        self.cursor = 0 if side < 0 else len(self._keys) - 1

    def action_choose(self) -> None:
        """Open the line at the cursor."""
        if self.current is not None:
            self.post_message(self.Chosen(self))

    def on_click(self, event: events.Click) -> None:
        """Move the cursor; a second click on the same line opens it."""
        number = event.y + round(self.scroll_offset.y)
        if number >= len(self._keys):
            return
        if number == self.cursor and (self.has_focus or event.chain > 1):
            self.action_choose()
        self.cursor = number

    def on_resize(self) -> None:
        """Fit the lines to the new width."""
        self.virtual_size = Size(self.size.width, len(self._keys))
        self._keep_in_sight()
        self.refresh()

    def _style(self, *, at_cursor: bool, marked: bool) -> Style:
        style = self.rich_style
        if marked:
            style += self.get_component_rich_style("row-list--marked", partial=True)
        if at_cursor:
            style += self.get_component_rich_style("row-list--cursor", partial=True)
        return style

    def _keep_in_sight(self) -> None:
        if self._keys and self.size.height:
            self.scroll_to_region(
                Region(0, self.cursor, 1, 1), animate=False, force=True, immediate=True, x_axis=False
            )
