"""The queue: the draft to be looked at first at the top, filters, a preview where there is room."""

# pyright: reportUnknownMemberType=false
# Textual does not say of what its App and Worker are generic.

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar, Final

from rich.console import Group
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.timer import Timer
from textual.widgets import Static
from typing_extensions import override

from agent.review_desk.views import DraftView, QueueCounts, QueueFilter, QueueItem, QueuePlace
from agent.review_view.cells import shown
from agent.review_view.marks import BAD, CARE, QUIET
from agent.review_view.message_view import message_view
from agent.review_view.outlook import clock_line, forecast_line, lock_lines, title_line
from agent.review_view.queue_rows import Column, fitting, header_line, queue_line
from agent.tui.draft_screen import DraftScreen
from agent.tui.key_bar import KeyBar, Keys
from agent.tui.marked_acts import MARKED_KEYS, MarkedActs
from agent.tui.queue_filters import FilterChoice, chips, next_channel, next_claimed, next_risk, next_scenario
from agent.tui.queue_window import EMPTY, Read, Window, first_page, next_page, previous_page, read_again
from agent.tui.row_list import RowList
from agent.tui.safe_inputs import SafeInput
from agent.tui.situations_screen import SituationsScreen

_KEYS: Final[Keys] = (
    ("Enter", "open", "open"),
    ("n", "next free", "next_free"),
    ("/", "search", "search"),
    ("Space", "mark", "mark"),
    ("s", "situations", "situations"),
    ("u", "undo", "undo"),
    ("?", "help", "app.help"),
    ("^P", "commands", "app.command_palette"),
    ("^Q", "quit", "app.quit"),
)
_PREVIEW_FROM: Final = (100, 34)
"""Columns and rows from which on there is room for a preview."""
_TOP_UP: Final = 60
"""Lines left below or above the cursor when more are read."""
_SEARCH_AGAIN: Final = timedelta(seconds=30)
"""When a search is repeated although nothing has changed: claims and snoozes run out by the clock."""
_PREVIEW_DELAY: Final = 0.12
"""Seconds at a line before its preview is read; a cursor on its way asks for none."""

Step = Callable[[Read], Window]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The queue as it was read for one filter."""

    wanted: QueueFilter
    held: Window
    counts: QueueCounts
    changes: int
    """How many changes there were before it was read."""
    at: datetime


class QueueScreen(MarkedActs):
    """Every draft that waits, a page at a time."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "next_free", "Open the next free draft"),
        Binding("slash", "search", "Search"),
        Binding("escape", "clear", "Clear search, filters and marks"),
        Binding("space", "mark", "Mark"),
        Binding("S", "filter('scenario')", "Filter by scenario"),
        Binding("C", "filter('channel')", "Filter by channel"),
        Binding("R", "filter('risk')", "Filter by risk"),
        Binding("M", "filter('claimed')", "Everybody's, mine, free"),
        Binding("Z", "filter('snoozed')", "Snoozed ones"),
        Binding("s", "situations", "Situations"),
        Binding("u", "undo", "Take the last verdict back"),
        Binding("x", "reject_marked", "Reject what is marked"),
        Binding("z", "snooze_marked", "Snooze what is marked"),
        Binding("g", "escalate_marked", "Hand over what is marked"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.wanted = QueueFilter()
        self.held: Window = EMPTY
        self.counts: QueueCounts | None = None
        self._seen: Seen | None = None
        self._columns: list[tuple[Column, int]] = []
        self._preview_timer: Timer | None = None

    @override
    def compose(self) -> ComposeResult:
        yield Static(id="counts")
        yield KeyBar((), id="filters")
        yield SafeInput(
            placeholder="part of a name, id, object or text; Enter shows, Esc clears", id="search"
        )
        yield Static(id="columns")
        yield RowList(self._line, id="rows")
        yield Static(id="empty")
        with VerticalScroll(id="preview", can_focus=False):
            yield Static(id="preview-text")
        yield Static(id="undo")
        yield KeyBar(_KEYS, id="keys")

    @override
    def begin(self) -> None:
        """Read the queue, and again every few seconds."""
        self.query_one("#search").display = False
        self.query_one("#empty").display = False
        self._show_filters()
        self.query_one(RowList).focus()
        self.reload()
        self.set_interval(self.session.every.total_seconds(), self.look_again)

    def on_screen_resume(self) -> None:
        """Look again when another screen was left."""
        if self.is_open:
            self.look_again()

    def on_resize(self, event: events.Resize) -> None:
        """Fit columns and preview to the terminal."""
        columns, rows = _PREVIEW_FROM
        roomy = event.size.width >= columns and event.size.height >= rows
        self.query_one("#preview").display = roomy
        self._columns = fitting(max(event.size.width - 4, 20))
        titles = Text("  ").append_text(header_line(self._columns))
        self.query_one("#columns", Static).update(titles)
        if roomy:
            self._ask_preview()

    def reload(self) -> None:
        """Read the queue from its top."""
        self._ask(first_page)

    @override
    def look_again(self) -> None:
        """Read the held part of the queue again; the cursor keeps its draft."""
        if self.is_current:
            self._ask(partial(read_again, held=self.held), quiet=True, known=self._found())

    def on_row_list_moved(self) -> None:
        """Read more lines before they are needed, and show the draft at the cursor."""
        cursor = self.query_one(RowList).cursor
        if not self.held.ended and len(self.held.items) - cursor < _TOP_UP:
            self._ask(partial(next_page, held=self.held), beside=self._seen)
        elif self.held.before and cursor < _TOP_UP:
            self._ask(partial(previous_page, held=self.held), beside=self._seen)
        self._ask_preview()

    def on_row_list_chosen(self) -> None:
        """Open the draft at the cursor."""
        self.action_open()

    def action_open(self) -> None:
        """Open the draft at the cursor."""
        current = self.query_one(RowList).current
        if current is not None:
            self.app.push_screen(DraftScreen(current, wanted=self.wanted))

    def action_next_free(self) -> None:
        """Open the first draft that nobody has."""

        def opened(found: str | None) -> None:
            if found is None:
                self.tell("No free draft waits here.")
            else:
                self.app.push_screen(DraftScreen(found, wanted=self.wanted))

        me, desk, wanted = self.session.me, self.session.desk, self.wanted
        self.ask_desk(lambda: desk.next_draft(reviewer=me, wanted=wanted), opened, group="next")

    def action_undo(self) -> None:
        """Take the last verdict back and open its draft again."""

        def back(draft_id: str) -> None:
            self.app.push_screen(DraftScreen(draft_id, wanted=self.wanted))

        self.undo_last(back)

    def action_situations(self) -> None:
        """Show drafts that are alike."""
        self.app.push_screen(SituationsScreen())

    def action_mark(self) -> None:
        """Mark the draft at the cursor."""
        self.query_one(RowList).toggle_mark()
        self._show_keys()

    def action_search(self) -> None:
        """Type what to search for."""
        field = self.query_one("#search", SafeInput)
        field.display = True
        field.focus()

    def on_input_submitted(self, event: SafeInput.Submitted) -> None:
        """Search."""
        event.stop()
        self._change(replace(self.wanted, search=event.value.strip()))
        self.query_one("#search").display = bool(event.value.strip())
        self.query_one(RowList).focus()

    def action_clear(self) -> None:
        """Clear marks, else search and filters."""
        rows, field = self.query_one(RowList), self.query_one("#search", SafeInput)
        if rows.marked:
            rows.marked.clear()
            rows.refresh()
            self._show_keys()
            return
        field.value = ""
        field.display = False
        rows.focus()
        self._change(QueueFilter())

    def action_filter(self, what: FilterChoice) -> None:
        """Go on to the next value of one filter."""
        match what:
            case "scenario":
                known = [name for name, _ in self.counts.by_scenario] if self.counts else []
                self._change(replace(self.wanted, scenario=next_scenario(self.wanted, known)))
            case "channel":
                self._change(replace(self.wanted, channel=next_channel(self.wanted)))
            case "risk":
                self._change(replace(self.wanted, risk=next_risk(self.wanted)))
            case "claimed":
                claimed = next_claimed(self.wanted)
                self._change(replace(self.wanted, claimed=claimed, reviewer=self.session.me))
            case "snoozed":
                self._change(replace(self.wanted, snoozed=not self.wanted.snoozed))

    def _change(self, wanted: QueueFilter) -> None:
        if wanted != self.wanted:
            self.wanted = wanted
            self._show_filters(reading=True)  # a rare word in a long queue takes a while
            self.reload()

    def _found(self) -> Seen | None:
        """Return what a search found that need not be repeated while nothing changes: it reads every text."""
        seen = self._seen
        if seen is None or seen.wanted != self.wanted or not self.wanted.search:
            return None
        return seen if self.session.now() - seen.at < _SEARCH_AGAIN else None

    def _ask(
        self, step: Step, *, quiet: bool = False, known: Seen | None = None, beside: Seen | None = None
    ) -> None:
        """Read lines: all anew unless nothing has changed since `known`, or some `beside` those held."""
        wanted, desk, me, now = self.wanted, self.session.desk, self.session.me, self.session.now()

        def read(limit: int, after: QueuePlace | None) -> list[QueueItem]:
            return desk.list_drafts(wanted, limit=limit, after=after, reviewer=me)

        def ask() -> Seen:
            changes = desk.changes_so_far()
            if known is not None and known.changes == changes:
                return known
            held, counts = step(read), desk.counts(reviewer=me)
            if beside is not None and beside.wanted == wanted:  # most lines are as old as before
                return replace(beside, held=held, counts=counts)
            return Seen(wanted=wanted, held=held, counts=counts, changes=changes, at=now)

        self.ask_desk(ask, self._take, group="queue", quiet=quiet)

    def _take(self, seen: Seen) -> None:
        if seen.wanted != self.wanted:
            return
        self._show_filters()
        self._seen = seen
        self.counts = seen.counts
        self.query_one("#counts", Static).update(self._counts_line(seen.counts))
        changed = seen.held.items != self.held.items
        self.held = seen.held
        rows = self.query_one(RowList)
        if changed:
            rows.set_rows([item.draft_id for item in seen.held.items])
        else:
            rows.refresh()  # the time left has changed
        empty = self.query_one("#empty", Static)
        empty.display = not seen.held.items
        rows.display = bool(seen.held.items)
        empty.update(self._empty_words())
        self._show_keys()

    def _line(self, number: int, _width: int) -> Text:
        return queue_line(self.held.items[number], self._columns, now=self.session.now())

    def _counts_line(self, counts: QueueCounts) -> Text:
        line = Text.assemble((" Outrider review ", "reverse bold"), "  ", shown(self.session.me, "bold"))
        line.append(f" ({self.session.role})", style=QUIET).append("   ")
        parts = [(f"{counts.waiting} waiting", "bold")]
        parts += [(f"! {counts.overdue} overdue", BAD)] if counts.overdue else []
        parts += [(f"{counts.expiring_soon} expiring soon", CARE)] if counts.expiring_soon else []
        parts += [(f"{counts.mine} yours", "")] if counts.mine else []
        parts += [(f"{counts.snoozed} snoozed", QUIET)] if counts.snoozed else []
        for number, (words, style) in enumerate(parts):
            line.append(" · " if number else "", style=QUIET).append(words, style=style)
        return line

    def _empty_words(self) -> Text:
        if self.wanted.snoozed:
            return Text("Nothing is snoozed. Z shows what is due.")
        if self.wanted != QueueFilter():
            return Text("No draft fits the search and filters. Esc clears them.")
        return Text(
            "No draft waits for a person.\n\n"
            "New ones appear here by themselves while the daemon runs (outrider run).\n"
            "s shows situations, Z what was snoozed, Ctrl+P everything else."
        )

    def _show_filters(self, *, reading: bool = False) -> None:
        self.query_one("#filters", KeyBar).set_keys(chips(self.wanted, reading=reading))

    def _show_keys(self) -> None:
        marked = len(self.query_one(RowList).marked)
        keys = (("", f"{marked} marked:", ""), *MARKED_KEYS, *_KEYS) if marked else _KEYS
        self.query_one("#keys", KeyBar).set_keys(keys)

    def _ask_preview(self) -> None:
        if not self.query_one("#preview").display:
            return
        if self._preview_timer is not None:
            self._preview_timer.stop()
        self._preview_timer = self.set_timer(_PREVIEW_DELAY, self._read_preview)

    def _read_preview(self) -> None:
        current, desk, me = self.query_one(RowList).current, self.session.desk, self.session.me
        if current is None:
            self.query_one("#preview-text", Static).update("")
            return
        self.ask_desk(
            lambda: desk.look(current, reviewer=me), self._show_preview, group="preview", quiet=True
        )

    def _show_preview(self, view: DraftView) -> None:
        now = self.session.now()
        content = Group(
            title_line(view),
            clock_line(view, now=now, me=self.session.me),
            Text(),
            message_view(view.draft.draft, sender=view.sender),
            Text(),
            forecast_line(view, now=now),
            *lock_lines(view),
        )
        self.query_one("#preview-text", Static).update(content)
