"""The decision card of a case, over the screen it was asked from."""

from typing import ClassVar

from rich.console import RenderableType
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static
from typing_extensions import override

from agent.tui.desk_screen import DeskScreen
from agent.tui.key_bar import KeyBar


class CardScreen(DeskScreen[None]):
    """Everything that is on record about one decision."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,o,q", "app.pop_screen", "Back")]

    def __init__(self, case_id: str) -> None:
        super().__init__()
        self._case_id = case_id

    @override
    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Static("Reading …", id="card", markup=False)
        yield KeyBar((("Esc", "back", "app.pop_screen"), ("↑ ↓", "scroll", "")), id="keys")

    @override
    def begin(self) -> None:
        """Read the card."""
        self.ask_desk(lambda: self.session.card(self._case_id), self._show, group="card")

    def _show(self, card: RenderableType) -> None:
        self.query_one("#card", Static).update(card)
