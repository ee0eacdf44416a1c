"""What every screen has: the session, words for the reviewer, and calls to the desk beside the keys."""

# pyright: reportUnknownMemberType=false
# Textual does not say of what its App and Worker are generic.

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Literal, Protocol, TypeVar, cast

from rich.text import Text
from textual.screen import Screen
from textual.widgets import Static

from agent.errors import OutriderError
from agent.review_desk.answers import VerdictAnswer
from agent.tui.last_verdict import LastVerdict
from agent.tui.session import Session
from tools.errors import InputError, ToolError
from tools.safe_text import safe_line

Severity = Literal["information", "warning", "error"]
T = TypeVar("T")
R = TypeVar("R")


class Terminal(Protocol):
    """The application, as its screens know it."""

    session: Session
    last_verdict: LastVerdict | None

    def tell(self, words: str, kind: Severity = "information") -> None:
        """Say one sentence to the reviewer."""
        ...


class DeskScreen(Screen[R]):
    """A screen over the review desk; it may close with an answer."""

    @property
    def review_app(self) -> Terminal:
        """The application, by its own type."""
        return cast("Terminal", self.app)

    @property
    def session(self) -> Session:
        """The desk and who sits at it."""
        return self.review_app.session

    @property
    def is_open(self) -> bool:
        """Whether the screen was not left yet; one that is being left has lost its parts already."""
        return self in self.app.screen_stack and self.is_attached and bool(self.children)

    def on_mount(self) -> None:
        """Begin, unless a key that came at once has left the screen while it was still being made."""
        if self.is_open:
            self.begin()

    def begin(self) -> None:
        """Fill the screen, whose parts are there now."""

    def tell(self, words: str, kind: Severity = "information") -> None:
        """Say one sentence to the reviewer."""
        self.review_app.tell(words, kind)

    def remember(self, draft_id: str, words: str, until: datetime | None) -> None:
        """Keep a verdict in mind, as long as it can be taken back."""
        kept = LastVerdict(draft_id=draft_id, words=words, until=until) if until is not None else None
        self.review_app.last_verdict = kept
        self.show_undo()

    def show_undo(self) -> None:
        """Say above the keys what `u` takes back, and how long."""
        kept = self.review_app.last_verdict
        line = kept.line(self.session.now()) if kept is not None else Text()
        shown = self.query_one("#undo", Static)
        shown.update(line)
        shown.display = bool(line.plain)

    def undo_last(self, then: Callable[[str], None]) -> None:
        """Take the last verdict back, and go on with its draft."""
        kept, desk, me = self.review_app.last_verdict, self.session.desk, self.session.me
        if kept is None:
            self.tell("There is no verdict to take back.")
            return

        def undone(answer: VerdictAnswer) -> None:
            self.remember("", "", None)
            self.tell(answer.message)
            then(kept.draft_id)

        self.ask_desk(lambda: desk.undo(kept.draft_id, reviewer=me), undone, group="verdict")

    def ask_desk(
        self,
        call: Callable[[], T],
        then: Callable[[T], None],
        *,
        group: str,
        otherwise: Callable[[Exception], None] | None = None,
        quiet: bool = False,
    ) -> None:
        """Ask the desk in a thread of its own, so that keys stay quick; what it refuses is one sentence.

        Args:
            call: What to ask.
            then: Gets the answer, if this screen is still there.
            group: Questions of one group overtake each other: only the last one's answer counts.
            otherwise: Gets what the desk refused with.
            quiet: Say nothing when the desk refuses.
        """

        async def ask() -> None:
            try:
                answer = await asyncio.to_thread(call)
            except (OutriderError, ToolError, InputError) as exc:
                if not quiet:
                    self.tell(sentence(exc), "warning")
                if otherwise is not None and self.is_open:
                    otherwise(exc)
            else:
                if self.is_open:
                    then(answer)

        # a worker of the application: a verdict must not be lost because its screen was left
        self.app.run_worker(ask(), group=f"{group}:{id(self)}", exclusive=True)


def sentence(error: Exception) -> str:
    """Return an expected failure as one sentence."""
    words = safe_line(str(error))
    return f"{words[:1].upper()}{words[1:]}{'' if words.endswith(('.', '!', '?')) else '.'}"
