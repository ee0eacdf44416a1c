"""Pages to read: one text that the desk gives, to be scrolled."""

from collections.abc import Callable
from typing import ClassVar

from rich.console import RenderableType
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static
from typing_extensions import override

from agent.tui.desk_screen import DeskScreen
from agent.tui.key_bar import KeyBar, Keys

BACK: Keys = (("Esc", "back", "leave"), ("↑ ↓", "scroll", ""))


class Page(DeskScreen[None]):
    """A text under the screen's own keys."""

    KEYS: ClassVar[Keys] = BACK
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "leave", "Back")]

    @override
    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="pane"):
            yield Static("Reading …", id="text", markup=False)
        yield Static(id="undo")
        yield KeyBar(self.KEYS, id="keys")

    def read(self) -> Callable[[], RenderableType]:
        """Return what asks the desk for the text; it runs beside the keys."""
        raise NotImplementedError

    @override
    def begin(self) -> None:
        """Read the text."""
        self.reload()

    def on_screen_resume(self) -> None:
        """Read it again when another screen was left."""
        if self.is_open:
            self.reload()

    def reload(self) -> None:
        """Read the text again."""
        self.query_one("#undo").display = False
        self.ask_desk(self.read(), self.show_text, group="page")

    def show_text(self, content: RenderableType) -> None:
        """Show the text."""
        self.query_one("#text", Static).update(content)

    def action_leave(self) -> None:
        """Go back."""
        self.dismiss(None)
