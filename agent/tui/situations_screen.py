"""Situations: drafts that are alike, looked at as a sample with everyone unlike it, decided at once."""

# pyright: reportUnknownMemberType=false
# Textual does not say of what its App and Worker are generic.

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar, Final

from rich.console import RenderableType
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static
from typing_extensions import override

from agent.review_desk.answers import RejectReason
from agent.review_desk.situations.shown import SituationAnswer, SituationItem, SituationView
from agent.review_view.cells import clipped, shown
from agent.review_view.situations_view import answer_card, situation_card
from agent.review_view.words import plain, time_left
from agent.tui.desk_screen import DeskScreen
from agent.tui.dialogs import Ask, Choose, Confirm, Option
from agent.tui.draft_acts import REJECT_KEYS
from agent.tui.key_bar import KeyBar, Keys
from agent.tui.pages import Page
from agent.tui.row_list import RowList

_MOST: Final = 200
_HASH_SHOWN: Final = 6
_LINE: Final = "{:>6}  {:>6}  {:<14} {:<19} "
"""Drafts that are alike, those that differ, the time left, the scenario; the text follows."""
_LIST_KEYS: Final[Keys] = (("Enter", "open", "open"), ("Esc", "back", "leave"), ("?", "help", "app.help"))


class SituationsScreen(DeskScreen[None]):
    """The situations that wait with more than one draft, the most urgent first."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "leave", "Back")]

    def __init__(self) -> None:
        super().__init__()
        self._items: Sequence[SituationItem] = ()

    @override
    def compose(self) -> ComposeResult:
        yield Static(Text("Situations: drafts that are alike", style="bold"), id="title")
        yield Static(Text("  " + _LINE.format("drafts", "differ", "due", "scenario") + "text"), id="columns")
        yield RowList(self._line, id="rows")
        yield Static("No situation waits with several drafts. Esc goes back.", id="empty", markup=False)
        yield KeyBar(_LIST_KEYS, id="keys")

    @override
    def begin(self) -> None:
        """Read the list."""
        self.query_one("#empty").display = False
        self.query_one(RowList).focus()
        self.reload()

    def on_screen_resume(self) -> None:
        """Read the list again when a situation was left."""
        if self.is_open:
            self.reload()

    def reload(self) -> None:
        """Read the list."""
        desk = self.session.desk
        self.ask_desk(partial(desk.situations, limit=_MOST), self._take, group="situations")

    def on_row_list_chosen(self) -> None:
        """Open the situation at the cursor."""
        self.action_open()

    def action_open(self) -> None:
        """Open the situation at the cursor."""
        current = self.query_one(RowList).current
        if current is not None:
            self.app.push_screen(SituationScreen(current))

    def action_leave(self) -> None:
        """Go back to the queue."""
        self.dismiss(None)

    def _take(self, items: Sequence[SituationItem]) -> None:
        self._items = items
        rows = self.query_one(RowList)
        rows.set_rows([item.situation_id for item in items])
        rows.display = bool(items)
        self.query_one("#empty").display = not items

    def _line(self, number: int, width: int) -> Text:
        item = self._items[number]
        due = time_left(item.review_by, self.session.now())
        line = Text(_LINE.format(item.alike, item.differing, due, plain(item.scenario)))
        text = item.slotted_subject or item.slotted_body
        return line.append_text(clipped(text, max(width - line.cell_len, 1)))


class SituationScreen(Page):
    """One situation: its text, the sample, everyone unlike it; every verdict is bound to its digest."""

    KEYS: ClassVar[Keys] = (
        ("a", "approve all", "approve"),
        ("x", "reject all", "reject"),
        ("d", "redraft", "redraft"),
        ("g", "escalate", "escalate"),
        ("Esc", "back", "leave"),
        ("↑ ↓", "scroll", ""),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "approve", "Approve all that are alike"),
        Binding("x", "reject", "Reject all that are alike"),
        Binding("d", "redraft", "Ask for another text"),
        Binding("g", "escalate", "Hand all cases to people"),
    ]

    def __init__(self, situation_id: str) -> None:
        super().__init__()
        self._situation = situation_id
        self._view: SituationView | None = None
        self._answered = False

    @override
    def read(self) -> Callable[[], RenderableType]:
        desk, me = self.session.desk, self.session.me

        def words() -> RenderableType:
            self._view = desk.open_situation(self._situation, reviewer=me)
            return situation_card(self._view, now=self.session.now())

        return words

    @override
    def reload(self) -> None:
        if not self._answered:
            super().reload()

    def action_approve(self) -> None:
        """Ask once more, with the digest of what is shown; Enter approves."""
        view = self._view
        if view is None or self._answered:
            return
        question = Text.assemble(
            (f"Approve these {view.item.alike} drafts?   digest ", "bold"),
            (view.digest[:_HASH_SHOWN], "bold reverse"),
            f"\n{len(view.outliers)} unlike the others, {len(view.behind)} stay for a look of their own.",
        )
        self.app.push_screen(Confirm(question, "approves them"), self._approve)

    def action_reject(self) -> None:
        """Ask for the reason by one key."""
        if self._view is not None and not self._answered:
            self.app.push_screen(Choose("Why should none of them be sent?", REJECT_KEYS), self._reject)

    def action_redraft(self) -> None:
        """Ask what the new text should do differently."""
        if self._view is not None and not self._answered:
            self.app.push_screen(Ask("What should the new text do differently?"), self._redraft)

    def action_escalate(self) -> None:
        """Ask which people take over."""
        if self._view is None or self._answered:
            return
        queues = self.session.desk.rules.queues
        options = [Option("p", "", "the people the playbook names")]
        options += [Option(str(at), name, plain(name)) for at, name in enumerate(queues[:9], start=1)]
        self.app.push_screen(Choose("Hand them to", options), self._escalate)

    def _approve(self, sure: bool | None) -> None:  # noqa: FBT001  # the answer of a dialog
        if sure:
            self._decide(
                lambda view, me: self.session.desk.approve_situation(
                    self._situation, reviewer=me, shown=view.digest, progress=self._progress
                )
            )

    def _reject(self, reason: str | None) -> None:
        if reason is not None:
            code = RejectReason(reason)
            self._decide(
                lambda view, me: self.session.desk.reject_situation(
                    self._situation, reviewer=me, shown=view.digest, reason=code, progress=self._progress
                )
            )

    def _redraft(self, words: str | None) -> None:
        if words:
            self._decide(
                lambda view, me: self.session.desk.redraft_situation(
                    self._situation,
                    reviewer=me,
                    shown=view.digest,
                    instruction=words,
                    progress=self._progress,
                )
            )

    def _escalate(self, queue: str | None) -> None:
        if queue is not None:
            self._decide(
                lambda view, me: self.session.desk.escalate_situation(
                    self._situation,
                    reviewer=me,
                    shown=view.digest,
                    words="",
                    queue=queue or None,
                    progress=self._progress,
                )
            )

    def _decide(self, verdict: Callable[[SituationView, str], SituationAnswer]) -> None:
        view, me = self._view, self.session.me
        if view is not None:
            self.ask_desk(lambda: verdict(view, me), self._decided, group="verdict")

    def _progress(self, done: int, total: int) -> None:
        self.app.call_from_thread(self._show_progress, done, total)

    def _show_progress(self, done: int, total: int) -> None:
        line = self.query_one("#undo", Static)
        line.update(shown(f"{done} of {total} drafts done …", "bold"))
        line.display = True

    def _decided(self, answer: SituationAnswer) -> None:
        self._answered = True
        self.query_one("#undo").display = False
        self.tell(answer.message, "warning" if answer.left or answer.stale else "information")
        self.show_text(answer_card(answer))
