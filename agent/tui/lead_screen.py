"""The lead's view: figures of the queue, and proposals that reviewers' edits and rejections suggest."""

# pyright: reportUnknownMemberType=false
# Textual does not say of what its App and Worker are generic.

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import ClassVar, Final

from rich.console import RenderableType
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static
from typing_extensions import override

from agent.domain.reviewers import Act
from agent.review_desk.lead_acts import Proposal
from agent.review_view.cells import clipped
from agent.review_view.stats_view import proposal_card, stats_card
from agent.tui.desk_screen import DeskScreen
from agent.tui.dialogs import Ask, Confirm
from agent.tui.key_bar import KeyBar, Keys
from agent.tui.pages import Page
from agent.tui.row_list import RowList

_WEEK: Final = timedelta(days=7)


class LeadScreen(Page):
    """How the queue does, and what people decide."""

    KEYS: ClassVar[Keys] = (
        ("P", "proposals", "proposals"),
        ("Esc", "back", "leave"),
        ("↑ ↓", "scroll", ""),
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("P,p", "proposals", "Proposals")]

    @override
    def read(self) -> Callable[[], RenderableType]:
        desk, me, since = self.session.desk, self.session.me, self.session.now() - _WEEK
        return lambda: stats_card(desk.stats(since=since, reviewer=me))

    def action_proposals(self) -> None:
        """Show what reviewers' verdicts suggest."""
        self.app.push_screen(ProposalsScreen())


class ProposalsScreen(DeskScreen[None]):
    """Proposals, and the one at the cursor in full."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Back"),
        Binding("a", "accept", "Accept: the file is changed"),
        Binding("x", "dismiss_one", "Dismiss"),
    ]
    _KEYS: ClassVar[Keys] = (
        ("a", "accept", "accept"),
        ("x", "dismiss", "dismiss_one"),
        ("Esc", "back", "leave"),
    )

    def __init__(self) -> None:
        super().__init__()
        self._found: Sequence[Proposal] = ()

    @override
    def compose(self) -> ComposeResult:
        yield Static(Text("Proposals: nothing changes before somebody accepts", style="bold"), id="title")
        yield RowList(self._line, id="rows")
        with VerticalScroll(id="preview", can_focus=False):
            yield Static(id="preview-text")
        yield Static("Reading …", id="empty", markup=False)
        yield KeyBar(self._KEYS, id="keys")

    @override
    def begin(self) -> None:
        """Read the proposals."""
        self.query_one(RowList).focus()
        self.reload()

    def reload(self) -> None:
        """Read the proposals."""
        self.ask_desk(self.session.desk.proposals, self._take, group="proposals")

    def on_row_list_moved(self) -> None:
        """Show the proposal at the cursor."""
        self._show()

    def action_leave(self) -> None:
        """Go back."""
        self.dismiss(None)

    def action_accept(self) -> None:
        """Ask once more; Enter changes the file."""
        one = self._current()
        if one is None:
            return
        if not self.session.may(Act.ACCEPT):
            self.tell("A lead accepts or dismisses proposals.", "warning")
            return
        question = Text.assemble(("Accept and change ", "bold"), (str(one.target), "bold reverse"), "?")
        self.app.push_screen(Confirm(question, "changes the file"), partial(self._accept, one))

    def action_dismiss_one(self) -> None:
        """Ask why."""
        one = self._current()
        if one is not None:
            self.app.push_screen(Ask("Why not?", hint="for the record"), partial(self._dismiss_one, one))

    def _accept(self, one: Proposal, sure: bool | None) -> None:  # noqa: FBT001  # the answer of a dialog
        desk, me = self.session.desk, self.session.me
        if sure:
            self.ask_desk(lambda: desk.accept_proposal(one.id, reviewer=me), self._changed, group="verdict")

    def _dismiss_one(self, one: Proposal, words: str | None) -> None:
        desk, me = self.session.desk, self.session.me
        if words is not None:
            self.ask_desk(
                lambda: desk.dismiss_proposal(one.id, reviewer=me, words=words),
                self._changed,
                group="verdict",
            )

    def _changed(self, _answer: object) -> None:
        self.tell("Done; it is on record.")
        self.reload()

    def _take(self, found: Sequence[Proposal]) -> None:
        self._found = found
        self.query_one(RowList).set_rows([one.id for one in found])
        empty = self.query_one("#empty", Static)
        empty.update("Nothing is proposed. Repeated edits and rejections become proposals here.")
        for name in ("#rows", "#preview"):
            self.query_one(name).display = bool(found)
        empty.display = not found
        self._show()

    def _current(self) -> Proposal | None:
        current = self.query_one(RowList).current
        return next((one for one in self._found if one.id == current), None)

    def _show(self) -> None:
        one = self._current()
        self.query_one("#preview-text", Static).update(proposal_card(one) if one is not None else "")

    def _line(self, number: int, width: int) -> Text:
        one = self._found[number]
        return clipped(f"{one.kind:<9} {one.count:>4} times  {one.title}", max(width, 1))
