"""One draft: what the customer will see beside what it rests on, what approving does, and every act."""

from collections.abc import Callable
from functools import partial
from typing import ClassVar, Final

from rich.console import Group, RenderableType
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Static
from typing_extensions import override

from agent.errors import ConflictError, NotFoundError
from agent.review_desk.views import DraftView, QueueFilter, TextCheck
from agent.review_view.evidence import changes_view, checks_view, facts_view, timeline_view, value_view
from agent.review_view.message_view import message_view
from agent.review_view.outlook import clock_line, forecast_line, title_line
from agent.tui.draft_acts import DraftActs, open_locks
from agent.tui.key_bar import KeyBar, Keys

_WIDE_FROM: Final = 110
"""Columns from which on message and evidence stand side by side."""
_RENEW_EVERY: Final = 60.0
"""Seconds after which the claim of an open draft is renewed."""

_KEYS: Final[Keys] = (
    ("a", "approve", "approve"),
    ("e", "edit", "edit"),
    ("x", "reject", "reject"),
    ("d", "redraft", "redraft"),
    ("c", "channel", "channel"),
    ("z", "snooze", "snooze"),
    ("g", "escalate", "escalate"),
    ("r", "re-read", "reread"),
    ("u", "undo", "undo"),
    ("o", "card", "card"),
    ("n", "next", "next"),
    ("p", "previous", "previous"),
    ("E", "$EDITOR", "edit_outside"),
    ("Esc", "queue", "leave"),
    ("?", "help", "app.help"),
)
_SECTIONS: Final = ("message", "facts", "checks", "value", "past", "changes")


class DraftScreen(DraftActs):
    """A draft, open on the desk for this reviewer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "approve", "Approve exactly what is shown"),
        Binding("e", "edit", "Edit the text here"),
        Binding("E", "edit_outside", "Edit the text in $EDITOR"),
        Binding("x", "reject", "Reject: nothing is sent"),
        Binding("d", "redraft", "Ask for another text"),
        Binding("c", "channel", "Send it another way"),
        Binding("z", "snooze", "Put it off"),
        Binding("g", "escalate", "Hand the case to people"),
        Binding("r", "reread", "Read the facts again"),
        Binding("u", "undo", "Take the last verdict back"),
        Binding("o", "card", "Everything about the decision"),
        Binding("n", "next", "Next draft"),
        Binding("p", "previous", "The draft before"),
        Binding("escape,q", "leave", "Back to the queue"),
        *(
            Binding(str(number), f"section('{name}')", f"Show {name}")
            for number, name in enumerate(_SECTIONS, 1)
        ),
    ]

    def __init__(self, draft_id: str, *, wanted: QueueFilter) -> None:
        super().__init__(wanted=wanted)
        self._first = draft_id
        self._visited: list[str] = []
        self._section = "message"
        self._wide = False

    @override
    def compose(self) -> ComposeResult:
        yield Static(id="title")
        yield Static(id="clock")
        yield KeyBar((), id="sections")
        with Horizontal(id="panes"):
            with VerticalScroll(id="message"):
                yield Static(id="message-text")
            with VerticalScroll(id="evidence"):
                yield Static(id="evidence-text")
        yield Static(id="forecast")
        yield Static(id="locks")
        yield Static(id="undo")
        yield KeyBar(_KEYS, id="keys")

    @override
    def begin(self) -> None:
        """Open the draft, and keep its claim while it is open."""
        self.load(self._first)
        self.set_interval(1.0, self._show_clock)
        self.set_interval(_RENEW_EVERY, self._renew)

    def on_resize(self, event: events.Resize) -> None:
        """Put message and evidence side by side where there is room."""
        self._wide = event.size.width >= _WIDE_FROM
        if self._wide and self._section == "message":
            self._section = "facts"
        self._arrange()

    @override
    def load(self, draft_id: str) -> None:
        """Open a draft on the desk; one that somebody else has or has decided is passed over."""
        desk, me = self.session.desk, self.session.me

        def refused(error: Exception) -> None:
            if isinstance(error, ConflictError | NotFoundError):
                self.skipped.append(draft_id)
                self.go_on()

        self.ask_desk(lambda: desk.open(draft_id, reviewer=me), self._opened, group="open", otherwise=refused)

    @override
    def show_view(self, view: DraftView) -> None:
        """Show a draft."""
        self.view = view
        self.query_one("#title", Static).update(title_line(view))
        self._show_clock()
        self.query_one("#forecast", Static).update(forecast_line(view, now=self.session.now()))
        locks = self.query_one("#locks", Static)
        locks.update(Group(*open_locks(view)))
        locks.display = bool(list(open_locks(view)))
        self._show_message(None)
        self._show_section()
        self._count_text(view)

    def action_section(self, name: str) -> None:
        """Show one part of what the draft rests on."""
        if self._wide and name == "message":
            self.query_one("#message").focus()
            return
        self._section = name
        self._arrange()

    def action_previous(self) -> None:
        """Go back to the draft that was open before."""
        if self._begin() is None:
            return
        if len(self._visited) < 2:  # noqa: PLR2004  # the one that is open and one before
            self.tell("There is none before this one.")
            return
        self._visited.pop()
        self._look_at(self._visited.pop())

    def _opened(self, view: DraftView) -> None:
        before = self.view
        if before is not None and before.draft.draft.id != view.draft.draft.id:
            self.release(before)
        self._visited.append(view.draft.draft.id)
        if not self._wide:
            self._section = "message"
        self._arrange()
        self.show_view(view)

    def _look_at(self, draft_id: str) -> None:
        """Open a draft, or only show it when it cannot be decided on any more."""
        desk, me = self.session.desk, self.session.me

        def show(_error: Exception) -> None:
            self.ask_desk(lambda: desk.look(draft_id, reviewer=me), self._opened, group="open")

        self.ask_desk(
            lambda: desk.open(draft_id, reviewer=me), self._opened, group="open", otherwise=show, quiet=True
        )

    def _count_text(self, view: DraftView) -> None:
        message, desk = view.draft.draft.message, self.session.desk
        check = partial(desk.check_text, view.ticket, subject=message.subject, body=message.body)
        self.ask_desk(check, self._show_message, group="check", quiet=True)

    def _show_message(self, check: TextCheck | None) -> None:
        if self.view is None:
            return
        text = message_view(self.view.draft.draft, check=check, sender=self.view.sender)
        self.query_one("#message-text", Static).update(text)

    def _show_clock(self) -> None:
        if self.view is not None:
            line = clock_line(self.view, now=self.session.now(), me=self.session.me)
            self.query_one("#clock", Static).update(line)
        self.show_undo()

    def _arrange(self) -> None:
        message, evidence = self.query_one("#message"), self.query_one("#evidence")
        message.display = self._wide or self._section == "message"
        evidence.display = self._wide or self._section != "message"
        shown = [name for name in _SECTIONS if not self._wide or name != "message"]
        keys = [
            (
                str(_SECTIONS.index(name) + 1),
                f"[{name}]" if name == self._section else f" {name} ",
                f"section('{name}')",
            )
            for name in shown
        ]
        self.query_one("#sections", KeyBar).set_keys(keys)
        self._show_section()

    def _show_section(self) -> None:
        view, now = self.view, self.session.now()
        if view is None or self._section == "message":
            return
        sections: dict[str, Callable[[], RenderableType]] = {
            "facts": lambda: facts_view(view, now=now),
            "checks": lambda: checks_view(view),
            "value": lambda: value_view(view),
            "past": lambda: timeline_view(view, now=now),
            "changes": lambda: changes_view(view),
        }
        pane = self.query_one("#evidence-text", Static)
        pane.update(sections.get(self._section, Text)())
        self.query_one("#evidence", VerticalScroll).scroll_home(animate=False)

    def _renew(self) -> None:
        view, desk, me = self.view, self.session.desk, self.session.me
        if view is not None and view.draft.claimed_by == me:
            draft_id = view.draft.draft.id
            self.ask_desk(
                lambda: desk.renew(draft_id, reviewer=me), lambda _: None, group="renew", quiet=True
            )
