"""Reviewing line by line: a prompt, plain sentences, the same acts; nothing moves on the screen."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from rich.console import RenderableType

from agent.errors import ConflictError, NotFoundError, OutriderError
from agent.review_desk.views import DraftView, QueueFilter, QueueItem, QueuePlace
from agent.review_view.evidence import changes_view, checks_view, timeline_view, value_view
from agent.review_view.stats_view import stats_card
from agent.review_view.words import plural
from agent.tui.desk_screen import sentence
from agent.tui.plain_acts import PlainActs
from agent.tui.plain_words import fact_sentences, item_sentence, spoken
from agent.tui.session import Session
from tools.errors import InputError, ToolError

_AT_ONCE: Final = 20
_FIGURES_SINCE: Final = timedelta(days=30)
_HELP: Final = (
    "list: the drafts that wait. more: those after them. search WORDS: only some; search alone: all.",
    "open NUMBER: one of the list. next: the first free one. back: let it go.",
    "text, facts, checks, value, past, changes, card: what the open draft is and rests on.",
    "approve, reject, edit, editor, redraft, channel, snooze, escalate, reread: decide. undo: take it back.",
    "situations: drafts that are alike. team: figures. score: your own attention. quit: leave.",
)


class PlainDesk(PlainActs):
    """A reviewer's talk with the desk."""

    def __init__(
        self, session: Session, *, say: Callable[[str], None], ask: Callable[[str], str | None]
    ) -> None:
        """Take the ports; `ask` shows a prompt and returns what was typed, None at the end of input."""
        super().__init__(session, say=say, ask=ask)
        self._wanted = QueueFilter()
        self._listed: list[QueueItem] = []

    def run(self) -> None:
        """Talk until the reviewer leaves."""
        self._greet()
        commands = self._commands()
        while (typed := self.ask("review> ")) is not None:
            word, _, rest = typed.strip().partition(" ")
            if word in {"quit", "q", "exit"}:
                break
            if not word:
                continue
            act = commands.get(word)
            if act is None:
                self.say(f"There is no command {word!r}. Say help.")
                continue
            self._do(act, rest.strip())
        self._let_go()
        self.say("Goodbye.")

    def _do(self, act: Callable[[str], None], rest: str) -> None:
        try:
            act(rest)
        except (ConflictError, NotFoundError) as exc:
            self.say(sentence(exc))
            self.view = None
            self.say("Say next to go on.")
        except (OutriderError, ToolError, InputError) as exc:
            self.say(sentence(exc))

    def _commands(self) -> Mapping[str, Callable[[str], None]]:
        return {
            "help": lambda _: self._say_all(_HELP),
            "list": lambda _: self._list(),
            "more": lambda _: self._more(),
            "search": self._search,
            "open": self._open,
            "next": lambda _: self.open_next(),
            "back": lambda _: self._let_go(),
            "text": lambda _: self.say_draft(),
            "facts": lambda _: self._with_view(self._facts),
            "checks": self._drawn(checks_view),
            "value": self._drawn(value_view),
            "past": self._drawn(lambda view: timeline_view(view, now=self.session.now())),
            "changes": self._drawn(changes_view),
            "card": self._drawn(lambda view: self.session.card(view.case.id)),
            "team": lambda _: self._team(),
            "score": lambda _: self._score(),
            **self.acts(),
        }

    def _greet(self) -> None:
        counts = self.session.desk.counts(reviewer=self.session.me)
        self.say(f"Outrider review, {self.session.me}, {self.session.role}.")
        overdue = f", {counts.overdue} overdue" if counts.overdue else ""
        self.say(f"{plural(counts.waiting, 'draft')} waiting{overdue}. Say list, next, or help.")

    def _page(self, after: QueuePlace | None = None) -> list[QueueItem]:
        desk, me = self.session.desk, self.session.me
        return desk.list_drafts(self._wanted, limit=_AT_ONCE, after=after, reviewer=me)

    def _list(self) -> None:
        self._listed = self._page()
        self._say_list(1)

    def _more(self) -> None:
        if not self._listed:
            self._list()
            return
        place, before = self.place_of(self._listed[-1]), len(self._listed)
        self._listed += self.session.desk.list_drafts(
            self._wanted, limit=_AT_ONCE, after=place, reviewer=self.session.me
        )
        self._say_list(before + 1)

    def _say_list(self, first: int) -> None:
        now = self.session.now()
        for number, item in enumerate(self._listed[first - 1 :], start=first):
            self.say(item_sentence(number, item, now=now))
        if len(self._listed) < first:
            self.say("No more drafts." if self._listed else "No draft waits here.")

    def _search(self, words: str) -> None:
        self._wanted = replace(self._wanted, search=words)
        self._list()

    def _open(self, rest: str) -> None:
        if not self._listed:
            self._listed = self.session.desk.list_drafts(
                self._wanted, limit=_AT_ONCE, reviewer=self.session.me
            )
        if not rest.isdigit() or not 0 < int(rest) <= len(self._listed):
            self.say("Say open and a number of the list.")
            return
        self.open_draft(self._listed[int(rest) - 1].draft_id)

    def _facts(self, view: DraftView) -> None:
        self._say_all(fact_sentences(view, now=self.session.now()))

    def _drawn(self, draw: Callable[[DraftView], RenderableType]) -> Callable[[str], None]:
        return lambda _: self._with_view(lambda view: self._say_all(spoken(draw(view))))

    def _team(self) -> None:
        since = self.session.now() - _FIGURES_SINCE
        stats = self.session.desk.stats(since=since, reviewer=self.session.me)
        self._say_all(spoken(stats_card(stats)))

    def _score(self) -> None:
        score = self.session.desk.own_score(reviewer=self.session.me)
        self.say(f"You caught {score.caught} of {plural(score.shown, 'planted mistake')}. Only you see this.")
