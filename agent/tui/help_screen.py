"""Help: every key of every screen, and what the signs mean."""

from typing import ClassVar, Final

from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Static
from typing_extensions import override

from agent.review_view.marks import OUTCOME, RISK
from agent.tui.key_bar import KeyBar

_KEYS: Final = (
    (
        "In the queue",
        (
            ("↑ ↓ j k", "move; PgUp, PgDn, Home, End too"),
            ("Enter", "open the draft; it is yours while it is open"),
            ("n", "open the first draft that nobody has"),
            ("/", "search names, ids, objects and texts"),
            ("S C R M Z", "next scenario, channel, risk; everybody's, free, mine; snoozed"),
            ("Space", "mark; then x, z or g for all that are marked"),
            ("s", "situations: drafts that are alike, decided together"),
            ("Esc", "clear marks, then search and filters"),
        ),
    ),
    (
        "On a draft",
        (
            ("a, Enter", "approve exactly what is shown; the next draft opens"),
            ("e  E", "edit here, in $EDITOR; the guards check as you type"),
            ("x", "reject: one key for the reason, then words if you like"),
            ("d", "ask for another text in your own words"),
            ("c", "send it by another channel"),
            ("z", "put it off: 1 or 4 hours, tomorrow at nine, another time"),
            ("g", "hand the case to people"),
            ("r", "read the facts again from their source"),
            ("u", "undo the last verdict while the line above the keys says so"),
            ("o", "the decision card: everything on record"),
            ("1 … 6", "message, facts, checks, value, what happened before, changes"),
            ("n  p", "next draft, the one before"),
            ("Esc", "back to the queue; the draft is free again"),
        ),
    ),
    (
        "Everywhere",
        (
            ("Ctrl+P", "every command by name; the theme too"),
            ("?", "this page"),
            ("Ctrl+Q", "quit"),
            ("mouse", "lines and keys at the foot can be clicked"),
        ),
    ),
)


class HelpScreen(Screen[None]):
    """What every key does."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark,f1", "app.pop_screen", "Back")]

    @override
    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Static(Group(*self._pages(), self._signs()), id="help")
        yield KeyBar((("Esc", "back", "app.pop_screen"), ("↑ ↓", "scroll", "")), id="keys")

    def _pages(self) -> list[Group]:
        pages: list[Group] = []
        for title, rows in _KEYS:
            table = Table(box=None, show_header=False, pad_edge=False)
            table.add_column(min_width=12, style="bold")
            table.add_column()
            for key, words in rows:
                table.add_row(Text(key), Text(words))
            pages.append(Group(Text(title, style="bold underline"), table, Text()))
        return pages

    def _signs(self) -> Group:
        lines = [Text("Signs", style="bold underline")]
        lines += [Text(f"{sign}  {words}", style=style) for sign, words, style in RISK.values()]
        lines += [Text(f"{sign}   {words}", style=style) for sign, words, style in OUTCOME.values()]
        lines.append(Text("¹   a fact in the text, and its line among the facts"))
        lines.append(Text("!12 m   overdue by that much;  z 2 h   snoozed for that long"))
        lines.append(Text("\\u200b   a character that cannot be seen or only looks like another"))
        return Group(*lines)
