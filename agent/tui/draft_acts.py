"""What a reviewer can do with the draft that is open; every act ends in the next draft."""

# pyright: reportUnknownMemberType=false
# Textual does not say of what its App and Worker are generic.

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeVar

from rich.text import Text
from textual.app import SuspendNotSupported

from agent.domain.drafts import DraftState
from agent.errors import ConflictError, NotFoundError
from agent.review_desk.answers import Approval, RejectReason, VerdictAnswer
from agent.review_desk.desk import ReviewDesk
from agent.review_desk.views import ChannelChoice, DraftView, QueueFilter
from agent.review_view.cells import shown, shown_block
from agent.review_view.marks import BAD
from agent.review_view.outlook import channel_words, forecast_words, lock_lines, short_hash, stale_words
from agent.review_view.words import plain, span
from agent.tui.card_screen import CardScreen
from agent.tui.desk_screen import DeskScreen, sentence
from agent.tui.dialogs import Ask, Choose, Confirm, Option, Tell
from agent.tui.edit_screen import EditScreen
from agent.tui.snooze_times import CUSTOM, read_time, snooze_options
from tools.errors import InputError
from tools.records.vocabulary import ChannelKind

Answer = Approval | VerdictAnswer
T = TypeVar("T")
_NO_TIME: Final = timedelta(0)
SEED_OUTCOMES: Final = frozenset({"seed_caught", "seed_missed"})

REJECT_KEYS: Final = (
    Option("f", RejectReason.WRONG_FACTS, "wrong facts"),
    Option("n", RejectReason.NOT_USEFUL, "not useful to the customer"),
    Option("b", RejectReason.BAD_TIMING, "bad timing"),
    Option("t", RejectReason.TONE, "tone"),
    Option("h", RejectReason.HANDLED, "somebody is in touch already"),
    Option("o", RejectReason.OTHER, "other"),
)


class DraftActs(DeskScreen[None]):
    """The acts, over whatever shows the draft."""

    def __init__(self, *, wanted: QueueFilter) -> None:
        super().__init__()
        self.wanted = wanted
        self.view: DraftView | None = None
        self._about: DraftView | None = None
        """What was on the screen when the present act began; another draft may arrive while it asks."""
        self._deciding = False
        self.skipped: list[str] = []
        """Drafts that were passed over, so that the next one is another."""

    def load(self, draft_id: str) -> None:
        """Open a draft on the desk."""
        raise NotImplementedError

    def show_view(self, view: DraftView) -> None:
        """Show a draft."""
        raise NotImplementedError

    def action_approve(self) -> None:
        """Ask once more, with the hash of what is shown; Enter approves."""
        view = self._begin()
        if view is None:
            return
        lock = next((one for one in view.locks if one.kind != "floor"), None)
        if lock is not None:
            self.tell(f"{lock.words} {lock.remedy}", "warning")
            return
        if view.stale_facts:
            self.tell(stale_words(view), "warning")
            return
        opened_at = view.draft.claimed_at
        floor = opened_at + self.session.desk.rules.floor - self.session.now() if opened_at else _NO_TIME
        if floor > _NO_TIME:
            self.tell(f"Read it first; approving is possible in {span(floor)}.")
            return
        question = Text.assemble(
            ("Approve exactly this?   hash ", "bold"), (short_hash(view), "bold reverse"), "\n"
        ).append_text(shown(forecast_words(view.forecast, now=self.session.now())))
        self.app.push_screen(Confirm(question, f"approves {short_hash(view)}"), self._approve)

    def action_reject(self) -> None:
        """Ask for the reason by one key, then for words."""
        if self._begin() is not None:
            self.app.push_screen(Choose("Why should it not be sent?", REJECT_KEYS), self._reject_because)

    def action_redraft(self) -> None:
        """Ask what the new text should do differently."""

        def redraft(words: str | None) -> None:
            if words:
                self._decide(lambda desk, ticket, me: desk.redraft(ticket, reviewer=me, instruction=words))

        if self._begin() is not None:
            hint = "shorter, name the new date first, no apology …"
            self.app.push_screen(Ask("What should the new text do differently?", hint=hint), redraft)

    def action_channel(self) -> None:
        """Ask for another channel; those that cannot be used now say why."""
        view, desk, me = self._begin(), self.session.desk, self.session.me
        if view is None:
            return
        self.ask_desk(
            lambda: desk.channels(view.ticket, reviewer=me),
            partial(self._choose_channel, view),
            group="channels",
        )

    def _choose_channel(self, view: DraftView, choices: Sequence[ChannelChoice]) -> None:
        if self.view is not view or self.app.screen is not self:
            return
        now_by = view.draft.draft.message.channel
        options = [
            Option(one.channel.value[0], one.channel.value, channel_words(one.channel), one.closed)
            for one in choices
        ]

        def change(value: str | None) -> None:
            if value is not None:
                channel = ChannelKind(value)
                self._decide(
                    lambda desk, ticket, me: desk.change_channel(ticket, reviewer=me, channel=channel)
                )

        self.app.push_screen(Choose(f"Now by {channel_words(now_by)}; send it by …", options), change)

    def action_snooze(self) -> None:
        """Ask until when to put it off."""
        if self._begin() is not None:
            options = snooze_options(self.session.now(), self.session.zone)
            self.app.push_screen(Choose("Put it off", options), self._snooze_until)

    def action_escalate(self) -> None:
        """Ask which people take over, then what they should know."""
        if self._begin() is None:
            return
        queues = self.session.desk.rules.queues
        options = [Option("p", "", "the people the playbook names")]
        options += [Option(str(at), name, plain(name)) for at, name in enumerate(queues[:9], start=1)]

        def ask_words(queue: str | None) -> None:
            if queue is not None:
                hint = "what the people who take over should know"
                self.app.push_screen(Ask("Hand over with these words", hint=hint), partial(escalate, queue))

        def escalate(queue: str, words: str | None) -> None:
            if words is not None:
                self._decide(
                    lambda desk, ticket, me: desk.escalate(
                        ticket, reviewer=me, words=words, queue=queue or None
                    )
                )

        self.app.push_screen(Choose("Hand it to", options), ask_words)

    def action_undo(self) -> None:
        """Take the last verdict back and open its draft again."""
        if not self._busy():
            self.undo_last(self.load)

    def action_reread(self) -> None:
        """Read the facts from their source again; what no longer holds is left for the next draft."""
        view, desk, me = self._begin(), self.session.desk, self.session.me
        if view is None:
            return
        self.tell("Reading the facts again …")
        self._carry_out(lambda: desk.reread(view.ticket, reviewer=me), self._read_again)

    def action_edit(self) -> None:
        """Edit the text here."""
        view = self._begin()
        if view is not None:
            self.app.push_screen(EditScreen(view), self._edited)

    def action_edit_outside(self) -> None:
        """Edit the text in the reviewer's own editor, then see what the guards say."""
        view = self._begin()
        if view is None:
            return
        try:
            with self.app.suspend():
                body = self.session.edit_outside(view.draft.draft.message.body)
        except (InputError, SuspendNotSupported, OSError) as exc:
            self.tell(sentence(exc), "warning")
            return
        self.app.push_screen(EditScreen(view, body=body), self._edited)

    def action_card(self) -> None:
        """Show everything on record about the decision."""
        if self.view is not None:
            self.app.push_screen(CardScreen(self.view.case.id))

    def action_next(self) -> None:
        """Open the next draft; without one, go back to the queue."""
        if not self._busy():
            self.go_on()

    def go_on(self) -> None:
        """Open the next draft; without one, go back to the queue."""
        desk, me, wanted = self.session.desk, self.session.me, self.wanted
        if self.view is not None:
            self.skipped.append(self.view.draft.draft.id)
        skip = tuple(self.skipped)

        def go(found: str | None) -> None:
            if found is None:
                self.tell("That was the last one.")
                self._leave()
            else:
                self.load(found)

        self.ask_desk(lambda: desk.next_draft(reviewer=me, wanted=wanted, skip=skip), go, group="open")

    def action_leave(self) -> None:
        """Let the draft go and return to the queue."""
        if not self._busy():
            self._leave()

    def _leave(self) -> None:
        if self.view is not None:
            self.release(self.view)
        self.dismiss()

    def release(self, view: DraftView) -> None:
        """Let a draft go that this reviewer holds."""
        desk, me, draft_id = self.session.desk, self.session.me, view.draft.draft.id
        if view.draft.claimed_by == me:
            self.ask_desk(lambda: desk.release(draft_id, reviewer=me), _nothing, group="release", quiet=True)

    def _approve(self, sure: bool | None) -> None:  # noqa: FBT001  # the answer of a dialog
        if sure and self._about is not None:
            seen = self._about.draft.content_hash
            self._decide(lambda desk, ticket, me: desk.approve(ticket, reviewer=me, shown=seen))

    def _reject_because(self, reason: str | None) -> None:
        if reason is None:
            return
        code = RejectReason(reason)

        def reject(words: str | None) -> None:
            if words is not None:
                self._decide(
                    lambda desk, ticket, me: desk.reject(ticket, reviewer=me, reason=code, words=words)
                )

        self.app.push_screen(
            Ask(f"Rejected: {plain(reason)}. More to say?", hint="Enter alone is enough"), reject
        )

    def _snooze_until(self, value: str | None) -> None:
        if value is None:
            return
        if value == CUSTOM:
            hint = "45m, 3h, 2d, 14:30 or 2026-11-05 09:00"
            self.app.push_screen(Ask("Until when?", hint=hint), self._snooze_words)
            return
        until = datetime.fromisoformat(value)
        self._decide(lambda desk, ticket, me: desk.snooze(ticket, reviewer=me, until=until))

    def _snooze_words(self, words: str | None) -> None:
        if not words:
            return
        until = read_time(words, now=self.session.now(), zone=self.session.zone)
        if until is None:
            self.tell(
                f"{words!r} is no time to come; write 45m, 3h, 2d, 14:30 or 2026-11-05 09:00.", "warning"
            )
            return
        self._decide(lambda desk, ticket, me: desk.snooze(ticket, reviewer=me, until=until))

    def _decide(self, verdict: Callable[[ReviewDesk, str, str], Answer]) -> None:
        view, desk, me = self._about, self.session.desk, self.session.me
        if view is not None:
            self._carry_out(lambda: verdict(desk, view.ticket, me), partial(self._decided, view))

    def _carry_out(self, call: Callable[[], T], then: Callable[[T], None]) -> None:
        """Ask the desk for something that must not be asked for twice."""
        self._deciding = True

        def done(answer: T) -> None:
            self._deciding = False
            then(answer)

        def refused(error: Exception) -> None:
            self._deciding = False
            if isinstance(error, ConflictError | NotFoundError):
                self.go_on()
            elif self.view is not None:
                self.load(self.view.draft.draft.id)

        self.ask_desk(call, done, group="verdict", otherwise=refused)

    def _begin(self) -> DraftView | None:
        """Return the draft on the screen, which the act that begins is about; None while another act runs."""
        if self._busy():
            return None
        self._about = self.view
        return self.view

    def _busy(self) -> bool:
        if self._deciding:
            self.tell("One moment: the last act is still being carried out.")
        return self._deciding

    def _decided(self, view: DraftView, answer: Answer) -> None:
        if answer.outcome in SEED_OUTCOMES:
            draft_id = view.draft.draft.id
            caught = answer.outcome == "seed_caught"
            title = "That was planted: well caught" if caught else "That was planted, and slipped through"
            self.app.push_screen(Tell(title, answer.message), lambda _: self.load(draft_id))
            return
        self.remember(view.draft.draft.id, answer.message, answer.undo_until)
        self.tell(answer.message, "warning" if answer.outcome in {"stale", "cleared"} else "information")
        self.go_on()

    def _read_again(self, view: DraftView) -> None:
        self.show_view(view)
        if view.draft.draft.state is not DraftState.PENDING:
            self.tell("It no longer rests on what is true, so it has left the queue.", "warning")
            self.go_on()

    def _edited(self, answer: VerdictAnswer | None) -> None:
        if answer is None or self._about is None:
            return
        if answer.outcome in SEED_OUTCOMES:
            self._decided(self._about, answer)
        elif answer.draft_id is not None:
            self.remember(self._about.draft.draft.id, answer.message, answer.undo_until)
            self.tell("Saved as a new version; it waits for approval.")
            self.load(answer.draft_id)


def open_locks(view: DraftView) -> Iterable[Text]:
    """Yield a line for each lock but the floor, which opens by itself while one reads."""
    yield from lock_lines(replace(view, locks=tuple(lock for lock in view.locks if lock.kind != "floor")))
    if view.stale_facts:
        yield shown_block(f"⊘ {stale_words(view)}", BAD)


def _nothing(_answer: object) -> None:
    """Go on."""
