"""Small questions over a screen, each answered by one key or a few words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static
from typing_extensions import override

from agent.review_view.cells import shown, shown_block
from agent.review_view.marks import QUIET
from agent.tui.safe_inputs import SafeInput


@dataclass(frozen=True, slots=True)
class Option:
    """One answer, by its key."""

    key: str
    value: str
    words: str
    closed: str = ""
    """Why it cannot be chosen; empty when it can."""


class Confirm(ModalScreen[bool]):
    """Yes by Enter, no by Escape; no other key does anything."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "answer(True)", "Yes"),
        Binding("escape", "answer(False)", "No"),
    ]

    def __init__(self, question: Text, yes: str) -> None:
        super().__init__(classes="dialog")
        self._question = question
        self._yes = yes

    @override
    def compose(self) -> ComposeResult:
        with Vertical(classes="box"):
            yield Static(self._question)
            yield Static(
                Text.assemble(("Enter", "bold"), f" {self._yes}    ", ("Esc", "bold"), " go back"),
                classes="keys",
            )

    def action_answer(self, answer: bool) -> None:  # noqa: FBT001  # an action has no keywords
        """Close with the answer."""
        self.dismiss(answer)


class Choose(ModalScreen[str | None]):
    """One of a few, by its key or the mouse."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", "Back")]

    def __init__(self, title: str, options: Sequence[Option]) -> None:
        super().__init__(classes="dialog")
        self._title = title
        self._options = options

    @override
    def compose(self) -> ComposeResult:
        with Vertical(classes="box"):
            yield Static(shown(self._title, "bold"))
            for option in self._options:
                yield OptionLine(option)
            yield Static(Text.assemble(("Esc", "bold"), " go back"), classes="keys")

    def on_key(self, event: events.Key) -> None:
        """Close with the option of the key."""
        for option in self._options:
            if event.key == option.key:
                event.stop()
                self.choose(option)

    def choose(self, option: Option) -> None:
        """Close with an option, if it can be chosen."""
        if not option.closed:
            self.dismiss(option.value)

    def action_give_up(self) -> None:
        """Close without an answer."""
        self.dismiss(None)


class OptionLine(Static):
    """One option; a click chooses it."""

    def __init__(self, option: Option) -> None:
        key, style = ("⊘", QUIET) if option.closed else (option.key, "")
        line = Text.assemble((f" {key}  ", style or "bold"), shown(option.words, style))
        if option.closed:
            line.append_text(shown(f": {option.closed}", style))
        super().__init__(line, classes="option")
        self._option = option

    def on_click(self) -> None:
        """Choose it."""
        screen = self.screen
        if isinstance(screen, Choose):
            screen.choose(self._option)


class Ask(ModalScreen[str | None]):
    """A line of the reviewer's own words; Enter answers."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", "Back")]

    def __init__(self, title: str, *, hint: str = "", value: str = "") -> None:
        super().__init__(classes="dialog")
        self._title = title
        self._hint = hint
        self._value = value

    @override
    def compose(self) -> ComposeResult:
        with Vertical(classes="box"):
            yield Static(shown(self._title, "bold"))
            yield SafeInput(value=self._value, placeholder=self._hint)
            yield Static(
                Text.assemble(("Enter", "bold"), " done    ", ("Esc", "bold"), " go back"), classes="keys"
            )

    def on_input_submitted(self, event: SafeInput.Submitted) -> None:
        """Close with the words."""
        event.stop()
        self.dismiss(event.value.strip())

    def action_give_up(self) -> None:
        """Close without words."""
        self.dismiss(None)


class Tell(ModalScreen[None]):
    """Something the reviewer must have read before going on."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,escape,space", "close", "Go on")]

    def __init__(self, title: str, words: str) -> None:
        super().__init__(classes="dialog")
        self._title = title
        self._words = words

    @override
    def compose(self) -> ComposeResult:
        with Vertical(classes="box"):
            yield Static(shown(self._title, "bold"))
            yield Static(shown_block(self._words))
            yield Static(Text.assemble(("Enter", "bold"), " go on"), classes="keys")

    def action_close(self) -> None:
        """Close it."""
        self.dismiss(None)
