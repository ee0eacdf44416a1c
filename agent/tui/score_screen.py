"""The reviewer's own attention: planted mistakes noticed among those shown; nobody else sees it."""

from typing import ClassVar

from rich.console import Group
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static
from typing_extensions import override

from agent.review_desk.answers import OwnScore
from agent.review_view.words import ago, plural
from agent.tui.desk_screen import DeskScreen
from agent.tui.key_bar import KeyBar


class ScoreScreen(DeskScreen[None]):
    """A private page."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "app.pop_screen", "Back")]

    @override
    def compose(self) -> ComposeResult:
        yield Static(Text(" My attention: only you see this page", style="bold"), id="title")
        with VerticalScroll(classes="page"):
            yield Static("Reading …", id="score", markup=False)
        yield KeyBar((("Esc", "back", "app.pop_screen"),), id="keys")

    @override
    def begin(self) -> None:
        """Read the score."""
        desk, me = self.session.desk, self.session.me
        self.ask_desk(lambda: desk.own_score(reviewer=me), self._show, group="score")

    def _show(self, score: OwnScore) -> None:
        lines = [
            Text("Now and then a draft with a planted mistake is shown first. It can never be sent."),
            Text("It measures whether reviewing catches mistakes at all, and tells you at once."),
            Text(),
        ]
        if not score.shown:
            lines.append(Text("You have judged none yet.", style="bold"))
        else:
            full = round(30 * score.caught / score.shown)
            lines.append(
                Text(f"You caught {score.caught} of {plural(score.shown, 'planted mistake')}.", "bold")
            )
            lines.append(Text(f"{'█' * full}{'░' * (30 - full)}"))
            if score.last is not None:
                lines.append(Text(f"The last one was judged {ago(self.session.now() - score.last)}.", "dim"))
        self.query_one("#score", Static).update(Group(*lines))
