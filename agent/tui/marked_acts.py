"""Verdicts on every draft that is marked in the queue: one review each, and what stayed behind is told."""

# pyright: reportUnknownMemberType=false
# Textual does not say of what its App and Worker are generic.

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from agent.errors import OutriderError
from agent.review_desk.answers import RejectReason
from agent.review_desk.desk import ReviewDesk
from agent.tui.desk_screen import DeskScreen, sentence
from agent.tui.dialogs import Ask, Choose
from agent.tui.draft_acts import REJECT_KEYS
from agent.tui.key_bar import Keys
from agent.tui.row_list import RowList
from agent.tui.snooze_times import CUSTOM, read_time, snooze_options

MARKED_KEYS: Final[Keys] = (
    ("x", "reject", "reject_marked"),
    ("z", "snooze", "snooze_marked"),
    ("g", "escalate", "escalate_marked"),
)

Verdict = Callable[[ReviewDesk, str, str], object]


class MarkedActs(DeskScreen[None]):
    """Acts on the marked lines of the queue; approving is for one draft at a time, or for a situation."""

    def marked(self) -> Sequence[str]:
        """Return the marked drafts, in the queue's order."""
        rows = self.query_one(RowList)
        return [key for key in rows.keys if key in rows.marked]

    def action_reject_marked(self) -> None:
        """Ask for the reason by one key."""

        def reject(reason: str | None) -> None:
            if reason is not None:
                code = RejectReason(reason)
                self._each(lambda desk, draft, me: desk.reject(draft, reviewer=me, reason=code), "rejected")

        if self._any_marked():
            title = f"Why should none of these {len(self.marked())} be sent?"
            self.app.push_screen(Choose(title, REJECT_KEYS), reject)

    def action_snooze_marked(self) -> None:
        """Ask until when to put them off."""

        def snooze(value: str | None) -> None:
            if value == CUSTOM:
                self.app.push_screen(Ask("Until when?", hint="45m, 3h, 2d, 14:30"), words)
            elif value is not None:
                self._snooze_until(datetime.fromisoformat(value))

        def words(text: str | None) -> None:
            until = read_time(text, now=self.session.now(), zone=self.session.zone) if text else None
            if until is not None:
                self._snooze_until(until)
            elif text:
                self.tell(f"{text!r} is no time to come.", "warning")

        if self._any_marked():
            options = snooze_options(self.session.now(), self.session.zone)
            self.app.push_screen(Choose("Put them off", options), snooze)

    def action_escalate_marked(self) -> None:
        """Ask what the people who take over should know."""

        def escalate(words: str | None) -> None:
            if words is not None:
                self._each(
                    lambda desk, draft, me: desk.escalate(draft, reviewer=me, words=words), "handed over"
                )

        if self._any_marked():
            self.app.push_screen(Ask("Hand them over with these words"), escalate)

    def _any_marked(self) -> bool:
        if not self.marked():
            self.tell("Mark drafts with Space first, or open one with Enter.")
        return bool(self.marked())

    def _snooze_until(self, until: datetime) -> None:
        self._each(lambda desk, draft, me: desk.snooze(draft, reviewer=me, until=until), "snoozed")

    def _each(self, verdict: Verdict, done: str) -> None:
        self.ask_desk(
            partial(self._one_by_one, verdict, self.marked()), partial(self._told, done), group="marked"
        )

    def _one_by_one(self, verdict: Verdict, drafts: Sequence[str]) -> list[str]:
        desk, me = self.session.desk, self.session.me
        refused: list[str] = []
        for draft in drafts:
            try:
                verdict(desk, desk.before(draft, reviewer=me).ticket, me)
            except OutriderError as exc:
                refused.append(sentence(exc))
        return refused

    def _told(self, done: str, refused: Sequence[str]) -> None:
        rows = self.query_one(RowList)
        number = len(rows.marked) - len(refused)
        rows.marked.clear()
        rest = f" {len(refused)} stayed behind: {refused[0]}" if refused else ""
        self.tell(f"{number} {done}.{rest}", "warning" if refused else "information")
        self.look_again()

    def look_again(self) -> None:
        """Read the queue again."""
        raise NotImplementedError
