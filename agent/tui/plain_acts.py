"""The acts of the line mode, each asking for what it needs in whole sentences."""

from collections.abc import Callable, Iterable, Mapping

from agent.review_desk.answers import Approval, RejectReason, VerdictAnswer
from agent.review_desk.views import DraftView, QueueItem, QueuePlace
from agent.review_view.outlook import HASH_SHOWN, channel_words, short_hash
from agent.review_view.situations_view import left_table, situation_card
from agent.review_view.words import plain, plural
from agent.tui.last_verdict import LastVerdict
from agent.tui.plain_words import draft_sentences, listed, lock_sentences, spoken
from agent.tui.session import Session
from agent.tui.snooze_times import read_time
from tools.safe_text import safe_text

Answer = Approval | VerdictAnswer


class PlainActs:
    """What can be done about the draft that is open."""

    def __init__(
        self, session: Session, *, say: Callable[[str], None], ask: Callable[[str], str | None]
    ) -> None:
        self.session = session
        # what is said may quote anybody
        self.say: Callable[[str], None] = lambda line: say(safe_text(line))
        self.ask = ask
        self.view: DraftView | None = None
        self._last: LastVerdict | None = None
        self._skipped: list[str] = []

    def acts(self) -> Mapping[str, Callable[[str], None]]:
        """Return command → act."""
        return {
            "approve": lambda _: self._with_view(self._approve),
            "reject": lambda _: self._with_view(self._reject),
            "edit": lambda _: self._with_view(self._edit),
            "editor": lambda _: self._with_view(self._edit_outside),
            "redraft": lambda _: self._with_view(self._redraft),
            "channel": lambda _: self._with_view(self._channel),
            "snooze": lambda _: self._with_view(self._snooze),
            "escalate": lambda _: self._with_view(self._escalate),
            "reread": lambda _: self._with_view(self._reread),
            "undo": lambda _: self._undo(),
            "situations": lambda _: self._situations(),
        }

    def open_draft(self, draft_id: str) -> None:
        """Open a draft on the desk and read it out."""
        self._let_go()
        self.view = self.session.desk.open(draft_id, reviewer=self.session.me)
        self.say_draft()

    def open_next(self) -> None:
        """Open the first free draft."""
        if self.view is not None:
            self._skipped.append(self.view.draft.draft.id)
        found = self.session.desk.next_draft(reviewer=self.session.me, skip=tuple(self._skipped))
        if found is None:
            self._let_go()
            self.say("No free draft waits.")
            return
        self.open_draft(found)

    def say_draft(self) -> None:
        """Read the open draft out."""
        self._with_view(
            lambda view: self._say_all(draft_sentences(view, now=self.session.now(), me=self.session.me))
        )

    @staticmethod
    def place_of(item: QueueItem) -> QueuePlace:
        """Return where a line stands in the queue."""
        return QueuePlace(review_by=item.review_by, draft_id=item.draft_id)

    def _say_all(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.say(line)

    def _with_view(self, act: Callable[[DraftView], object]) -> None:
        if self.view is None:
            self.say("No draft is open. Say open and a number, or next.")
            return
        act(self.view)

    def _let_go(self) -> None:
        view, self.view = self.view, None
        if view is not None and view.draft.claimed_by == self.session.me:
            self.session.desk.release(view.draft.draft.id, reviewer=self.session.me)

    def _approve(self, view: DraftView) -> None:
        locks = list(lock_sentences(view))
        if locks:
            self._say_all(locks)
            return
        typed = self.ask(f"Type {short_hash(view)} to approve exactly this: ")
        if (typed or "").strip().lower() != short_hash(view):
            self.say("Not approved.")
            return
        desk, me = self.session.desk, self.session.me
        self._decided(view, desk.approve(view.ticket, reviewer=me, shown=view.draft.content_hash))

    def _reject(self, view: DraftView) -> None:
        codes: list[str] = [reason.value for reason in RejectReason]
        typed = (self.ask(f"Why: {listed(codes)}? ") or "").strip()
        if typed not in codes:
            self.say("Not rejected.")
            return
        words = self.ask("More to say? ") or ""
        self._decided(
            view,
            self.session.desk.reject(
                view.ticket, reviewer=self.session.me, reason=RejectReason(typed), words=words.strip()
            ),
        )

    def _edit(self, view: DraftView) -> None:
        message = view.draft.draft.message
        subject = message.subject
        if subject:
            subject = (self.ask("New subject, or nothing to keep it: ") or "").strip() or subject
        self.say("Type the new text; a line with a single full stop ends it, and alone keeps the text.")
        lines: list[str] = []
        while (line := self.ask("")) is not None and line != ".":
            lines.append(line)
        self._save(view, subject, "\n".join(lines) or message.body)

    def _edit_outside(self, view: DraftView) -> None:
        message = view.draft.draft.message
        self._save(view, message.subject, self.session.edit_outside(message.body))

    def _save(self, view: DraftView, subject: str, body: str) -> None:
        check = self.session.desk.check_text(view.ticket, subject=subject, body=body)
        if not check.ok:
            self.say("This text may not leave:")
            self._say_all(f"{one.guard}: {one.detail}" for one in check.findings if not one.ok)
            return
        shown, me = view.draft.content_hash, self.session.me
        answer = self.session.desk.edit(view.ticket, reviewer=me, shown=shown, subject=subject, body=body)
        self._decided(view, answer)
        if answer.draft_id is not None:
            self.open_draft(answer.draft_id)

    def _redraft(self, view: DraftView) -> None:
        words = (self.ask("What should the new text do differently? ") or "").strip()
        if words:
            desk, me = self.session.desk, self.session.me
            self._decided(view, desk.redraft(view.ticket, reviewer=me, instruction=words))

    def _channel(self, view: DraftView) -> None:
        desk, me = self.session.desk, self.session.me
        choices = desk.channels(view.ticket, reviewer=me)
        self._say_all(f"Not by {channel_words(one.channel)}: {one.closed}" for one in choices if one.closed)
        others = [one.channel for one in choices if not one.closed]
        typed = (self.ask(f"By {listed(one.value for one in others)}? ") or "").strip() if others else ""
        chosen = next((one for one in others if one.value == typed), None)
        if chosen is None:
            self.say(f"It stays with {channel_words(view.draft.draft.message.channel)}.")
            return
        self._decided(view, desk.change_channel(view.ticket, reviewer=me, channel=chosen))

    def _snooze(self, view: DraftView) -> None:
        typed = self.ask("Until when: 45m, 3h, 2d, 14:30 or 2026-11-05 09:00? ") or ""
        until = read_time(typed, now=self.session.now(), zone=self.session.zone)
        if until is None:
            self.say("That is no time to come. Not snoozed.")
            return
        desk, me = self.session.desk, self.session.me
        self._decided(view, desk.snooze(view.ticket, reviewer=me, until=until))

    def _escalate(self, view: DraftView) -> None:
        desk, me = self.session.desk, self.session.me
        names = ", ".join(desk.rules.queues)
        queue = (self.ask(f"To which people: {names}; nothing for those the playbook names? ") or "").strip()
        words = (self.ask("What should they know? ") or "").strip()
        self._decided(view, desk.escalate(view.ticket, reviewer=me, words=words, queue=queue or None))

    def _reread(self, view: DraftView) -> None:
        again = self.session.desk.reread(view.draft.draft.id, reviewer=self.session.me)
        self.view = again
        self.say_draft()

    def _undo(self) -> None:
        last = self._last
        if last is None or last.until <= self.session.now():
            self.say("There is nothing to undo.")
            return
        self._last = None
        self.say(self.session.desk.undo(last.draft_id, reviewer=self.session.me).message)

    def _decided(self, view: DraftView, answer: Answer) -> None:
        draft_id = view.draft.draft.id
        self.view = None
        self.say(answer.message)
        if answer.outcome in {"seed_caught", "seed_missed"}:
            self.open_draft(draft_id)
            return
        if answer.undo_until is not None:
            self._last = LastVerdict(draft_id=draft_id, words=answer.message, until=answer.undo_until)
            self.say("Say undo to take it back, next to go on.")

    def _situations(self) -> None:
        desk, me = self.session.desk, self.session.me
        found = desk.situations(limit=20)
        if not found:
            self.say("No situation has several drafts that wait.")
            return
        for number, item in enumerate(found, start=1):
            self.say(
                f"{number}. {plural(item.alike, 'draft')} alike, {plain(item.scenario)} by {item.channel}."
            )
        typed = (self.ask("Which one? ") or "").strip()
        if not typed.isdigit() or not 0 < int(typed) <= len(found):
            return
        view = desk.open_situation(found[int(typed) - 1].situation_id, reviewer=me)
        self._say_all(spoken(situation_card(view, now=self.session.now())))
        digest = view.digest[:HASH_SHOWN]
        typed = (self.ask(f"Type {digest} to approve all {view.item.alike}: ") or "").strip().lower()
        if typed != digest:
            self.say("Not approved.")
            return
        answer = desk.approve_situation(view.item.situation_id, reviewer=me, shown=view.digest)
        self.say(answer.message)
        if answer.left:
            self._say_all(spoken(left_table(answer.left)))
