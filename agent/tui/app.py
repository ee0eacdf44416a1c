"""The application: themes, the palette of commands, and what is common to all screens."""

import asyncio
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import ClassVar, Literal

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.theme import Theme
from typing_extensions import override

from agent.domain.reviewers import Act
from agent.errors import OutriderError
from agent.tui.draft_screen import DraftScreen
from agent.tui.help_screen import HelpScreen
from agent.tui.last_verdict import LastVerdict
from agent.tui.lead_screen import LeadScreen
from agent.tui.queue_screen import QueueScreen
from agent.tui.score_screen import ScoreScreen
from agent.tui.session import Session
from agent.tui.situations_screen import SituationsScreen
from tools.safe_text import safe_text

DARK = Theme(
    name="outrider-dark",
    primary="#56b4e9",
    secondary="#0072b2",
    accent="#e69f00",
    warning="#e69f00",
    error="#d55e00",
    success="#009e73",
    foreground="#e4e6e8",
    background="#14171a",
    surface="#1b1f23",
    panel="#262c32",
    dark=True,
)
LIGHT = Theme(
    name="outrider-light",
    primary="#0072b2",
    secondary="#56b4e9",
    accent="#a35b00",
    warning="#a35b00",
    error="#b34700",
    success="#00694d",
    foreground="#1b1f23",
    background="#fbfbf9",
    surface="#f1f1ee",
    panel="#e2e3df",
    dark=False,
)


class ReviewApp(App[None]):
    """The reviewers' terminal."""

    TITLE = "Outrider review"
    CSS_PATH = "review.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", "Quit", priority=True),
        Binding("question_mark,f1", "help", "Help"),
    ]

    def __init__(self, session: Session, *, theme: Literal["dark", "light"] = "dark") -> None:
        # without colours of its own the application also paints no background
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self.session = session
        self.last_verdict: LastVerdict | None = None
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = f"outrider-{theme}"

    def on_mount(self) -> None:
        """Open the queue."""
        self.push_screen(QueueScreen())

    def tell(self, words: str, kind: Literal["information", "warning", "error"] = "information") -> None:
        """Say one sentence to the reviewer; nothing in it is taken for markup."""
        self.notify(safe_text(words), severity=kind, markup=False, timeout=6)

    @override
    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Yield what the palette offers beside the keys of the screen."""
        yield from self._places()
        yield SystemCommand("Other theme", "Change between dark and light", self._other_theme)
        yield SystemCommand("Keys", "What every key does", self.action_help)
        yield SystemCommand("Quit", "Leave; claims are released", self.action_quit)

    @override
    async def action_quit(self) -> None:
        """Leave; the draft that is open becomes free again."""
        me, desk = self.session.me, self.session.desk
        for screen in self.screen_stack:
            view = screen.view if isinstance(screen, DraftScreen) else None
            if view is not None and view.draft.claimed_by == me:
                with suppress(OutriderError):
                    await asyncio.to_thread(desk.release, view.draft.draft.id, reviewer=me)
        self.exit()

    def action_help(self) -> None:
        """Show what every key does."""
        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen())

    def _places(self) -> Iterable[SystemCommand]:
        yield SystemCommand(
            "Situations", "Drafts that are alike, decided together", self._to(SituationsScreen)
        )
        yield SystemCommand("My attention", "Your own score; nobody else sees it", self._to(ScoreScreen))
        if self.session.may(Act.TEAM):
            yield SystemCommand("Team", "Figures of the queue, and proposals", self._to(LeadScreen))

    def _to(self, screen: Callable[[], Screen[None]]) -> Callable[[], None]:
        def go() -> None:
            self.push_screen(screen())

        return go

    def _other_theme(self) -> None:
        self.theme = LIGHT.name if self.theme == DARK.name else DARK.name
