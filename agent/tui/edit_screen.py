"""Editing a text in place: the guards answer as it is typed, and only a text they pass can be saved."""

# pyright: reportUnknownMemberType=false
# Textual does not say of what its App and Worker are generic.

from functools import partial
from typing import ClassVar, Final

from rich.console import Group
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.timer import Timer
from textual.widgets import Static
from typing_extensions import override

from agent.review_desk.answers import VerdictAnswer
from agent.review_desk.views import DraftView, TextCheck
from agent.review_view.cells import shown
from agent.review_view.evidence import facts_view, findings_view
from agent.review_view.marks import BAD, GOOD, QUIET
from agent.review_view.message_view import link_lines, size_words
from agent.review_view.outlook import channel_words
from agent.review_view.words import price
from agent.tui.desk_screen import DeskScreen
from agent.tui.dialogs import Confirm
from agent.tui.key_bar import KeyBar, Keys
from agent.tui.safe_inputs import SafeInput, SafeTextArea, restored
from tools.safe_text import hides_something, safe_line, safe_text

_PAUSE: Final = 0.25
"""Seconds without a key after which the guards are asked."""
_KEYS: Final[Keys] = (("^S", "save", "save"), ("Esc", "back", "leave"), ("Tab", "next field", ""))


class EditScreen(DeskScreen[VerdictAnswer | None]):
    """The text of a draft, to be changed; closes with what the desk answered."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Save", priority=True),
        Binding("escape", "leave", "Back"),
    ]

    def __init__(self, view: DraftView, *, body: str | None = None) -> None:
        super().__init__()
        self._view = view
        message = view.draft.draft.message
        self._old = (message.subject, message.body)
        self._body = message.body if body is None else body
        self._timer: Timer | None = None
        self._checked: TextCheck | None = None
        self._checked_text = self._old

    @override
    def compose(self) -> ComposeResult:
        subject, _ = self._old
        channel = channel_words(self._view.draft.draft.message.channel)
        yield Static(
            shown(f"Edit the {channel} to {self._view.draft.draft.message.recipient}", "bold"), id="title"
        )
        with Horizontal(id="panes"):
            with Vertical(id="editing"):
                if subject:
                    yield SafeInput(value=safe_line(subject), id="subject")
                yield SafeTextArea(safe_text(self._body), id="body", soft_wrap=True, show_line_numbers=False)
            with VerticalScroll(id="checking", can_focus=False):
                yield Static(id="findings")
        yield KeyBar(_KEYS, id="keys")

    @override
    def begin(self) -> None:
        """Start in the text, and ask the guards about it as it is."""
        self.query_one("#body").focus()
        self._check()

    def on_text_area_changed(self) -> None:
        """Ask the guards once the typing pauses."""
        self._check_soon()

    def on_input_changed(self) -> None:
        """Ask the guards once the typing pauses."""
        self._check_soon()

    def action_save(self) -> None:
        """Save the text as a new version, if the guards pass it."""
        typed = self._typed()
        if typed == self._old:
            self.tell("The text is the same as before.")
            return
        if self._checked is None or self._checked_text != typed:
            self._check(then_save=True)
            return
        if not self._checked.ok:
            self.tell("This text may not leave yet; the guards say why.", "warning")
            return
        self._save(*typed)

    def action_leave(self) -> None:
        """Close without saving; ask first when something was changed."""
        if self._typed() == self._old:
            self.dismiss(None)
            return

        def leave(sure: bool | None) -> None:  # noqa: FBT001  # the answer of a dialog
            if sure:
                self.dismiss(None)

        self.app.push_screen(Confirm(Text("Drop your changes?", style="bold"), "drops them"), leave)

    def _typed(self) -> tuple[str, str]:
        subject, body = self._old
        if subject:
            subject = restored(self.query_one("#subject", SafeInput).value, subject)
        return subject, restored(self.query_one("#body", SafeTextArea).text, body)

    def _check_soon(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(_PAUSE, self._check)

    def _check(self, *, then_save: bool = False) -> None:
        subject, body = typed = self._typed()
        desk, draft_id = self.session.desk, self._view.ticket

        def show(check: TextCheck) -> None:
            self._checked, self._checked_text = check, typed
            self._show(check, body)
            if then_save:
                self.action_save()

        self.ask_desk(
            partial(desk.check_text, draft_id, subject=subject, body=body),
            show,
            group="check",
            quiet=not then_save,
        )

    def _show(self, check: TextCheck, body: str) -> None:
        verdict = ("✓ may leave", GOOD) if check.ok else ("✗ may not leave", BAD)
        size = f"  {size_words(check)}, {price(check.cost_micros)}"
        parts = [Text.assemble(verdict, (size, QUIET)), Text(), findings_view(check.findings)]
        if hides_something(body):
            parts.append(
                Text("Escapes such as \\u200b stand for characters that cannot be seen.", style=QUIET)
            )
        facts = facts_view(self._view, now=self.session.now())
        title = Text("Facts that may stand in the text", style="bold")
        self.query_one("#findings", Static).update(Group(*parts, *link_lines(body), Text(), title, facts))

    def _save(self, subject: str, body: str) -> None:
        desk, me, view = self.session.desk, self.session.me, self._view

        def saved(answer: VerdictAnswer) -> None:
            self.dismiss(answer)

        self.ask_desk(
            lambda: desk.edit(
                view.ticket, reviewer=me, shown=view.draft.content_hash, subject=subject, body=body
            ),
            saved,
            group="verdict",
        )
