"""The same acts line by line: plain sentences and one prompt, for screen readers and simple terminals."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from rich.console import Console
from rich.text import Text

from agent.errors import OutriderError, RefusedError
from agent.review_desk.answers import Approval, RejectReason, VerdictAnswer
from agent.review_desk.views import DraftView, QueueFilter
from agent.review_view.cells import shown, shown_block
from agent.review_view.outlook import forecast_words, short_hash, stale_words
from agent.review_view.words import plain, time_left
from agent.tui.desk_screen import sentence
from agent.tui.session import Session
from agent.tui.snooze_times import read_time
from tools.errors import InputError, ToolError
from tools.records.vocabulary import ChannelKind

Answer = Approval | VerdictAnswer

_HELP: Final = (
    "n next draft; a HASH approve what was read; x REASON words reject "
    f"({', '.join(RejectReason)}); e edit in $EDITOR; d WORDS redraft; c email, sms or push; "
    "z 2h or 14:30 snooze; g WORDS escalate; r re-read the facts; u undo; f facts; b what happened before; "
    "? this; q quit."
)


@dataclass(slots=True)
class _Reading:
    """What is before the reviewer."""

    view: DraftView | None = None
    last: str | None = None
    skipped: list[str] = field(default_factory=list[str])


def review_plainly(
    session: Session, *, ask: Callable[[str], str] = input, console: Console | None = None
) -> None:
    """Let a person review line by line until they quit or the input ends."""
    out = console or Console(file=sys.stdout, highlight=False, no_color=True, soft_wrap=True)
    reading = _Reading()
    counts = session.desk.counts(reviewer=session.me)
    out.print(shown(f"{session.me}, {session.role}. {counts.waiting} drafts wait, {counts.overdue} overdue."))
    out.print(_HELP, markup=False)
    _obey(session, reading, "n", "", out)
    while True:
        try:
            line = ask("> ").strip()
        except (EOFError, KeyboardInterrupt):
            break
        word, _, rest = line.partition(" ")
        if word == "q":
            break
        _obey(session, reading, word or "n", rest.strip(), out)
    _release(session, reading)


def _obey(session: Session, reading: _Reading, word: str, rest: str, out: Console) -> None:
    try:
        _act(session, reading, word, rest, out)
    except (OutriderError, ToolError, InputError, ValueError) as exc:
        out.print(shown(sentence(exc)))


def _act(session: Session, reading: _Reading, word: str, rest: str, out: Console) -> None:
    desk, me, view = session.desk, session.me, reading.view
    if word == "n":
        _next(session, reading, out)
    elif word == "u":
        if reading.last is None:
            out.print("There is no verdict to take back.")
            return
        out.print(shown(desk.undo(reading.last, reviewer=me).message))
        _read(session, reading, desk.open(reading.last, reviewer=me), out)
    elif view is None or word == "?":
        out.print(_HELP if word == "?" else "No draft is open; n opens the next one.", markup=False)
    elif word in "fb":
        for line in _facts(view) if word == "f" else _past(view, session):
            out.print(shown(line))
    elif word == "r":
        _read(session, reading, desk.reread(view.ticket, reviewer=me), out)
    else:
        _decide(session, reading, view, word, rest, out)


def _decide(session: Session, reading: _Reading, view: DraftView, word: str, rest: str, out: Console) -> None:
    answer = _verdict(session, view, word, rest)
    if answer is None:
        out.print(f"{word!r} is no command. {_HELP}", markup=False)
        return
    out.print(shown(answer.message))
    reading.last = view.draft.draft.id
    reading.view = None
    if isinstance(answer, VerdictAnswer) and answer.draft_id is not None:
        _read(session, reading, session.desk.open(answer.draft_id, reviewer=session.me), out)
    else:
        _next(session, reading, out)


def _verdict(session: Session, view: DraftView, word: str, rest: str) -> Answer | None:
    verdict = _VERDICTS.get(word)
    return verdict(session, view, rest) if verdict is not None else None


def _approve(session: Session, view: DraftView, rest: str) -> Answer:
    if view.stale_facts:
        raise RefusedError(stale_words(view))
    return session.desk.approve(view.ticket, reviewer=session.me, shown=rest)


def _reject(session: Session, view: DraftView, rest: str) -> Answer:
    reason, _, words = rest.partition(" ")
    return session.desk.reject(view.ticket, reviewer=session.me, reason=RejectReason(reason), words=words)


def _edit(session: Session, view: DraftView, _rest: str) -> Answer:
    message = view.draft.draft.message
    return session.desk.edit(
        view.ticket,
        reviewer=session.me,
        shown=view.draft.content_hash,
        subject=message.subject,
        body=session.edit_outside(message.body),
    )


def _redraft(session: Session, view: DraftView, rest: str) -> Answer:
    return session.desk.redraft(view.ticket, reviewer=session.me, instruction=rest)


def _channel(session: Session, view: DraftView, rest: str) -> Answer:
    return session.desk.change_channel(view.ticket, reviewer=session.me, channel=ChannelKind(rest))


def _snooze(session: Session, view: DraftView, rest: str) -> Answer:
    until = read_time(rest, now=session.now(), zone=session.zone)
    if until is None:
        raise ValueError("write z 45m, z 3h, z 14:30 or z 2026-11-05 09:00")
    return session.desk.snooze(view.ticket, reviewer=session.me, until=until)


def _escalate(session: Session, view: DraftView, rest: str) -> Answer:
    return session.desk.escalate(view.ticket, reviewer=session.me, words=rest)


_VERDICTS: Final[Mapping[str, Callable[[Session, DraftView, str], Answer]]] = {
    "a": _approve,
    "x": _reject,
    "e": _edit,
    "d": _redraft,
    "c": _channel,
    "z": _snooze,
    "g": _escalate,
}


def _next(session: Session, reading: _Reading, out: Console) -> None:
    _release(session, reading)
    found = session.desk.next_draft(reviewer=session.me, wanted=QueueFilter(), skip=tuple(reading.skipped))
    if found is None:
        reading.view = None
        out.print("No other draft waits for you.")
        return
    _read(session, reading, session.desk.open(found, reviewer=session.me), out)


def _release(session: Session, reading: _Reading) -> None:
    view = reading.view
    if view is not None:
        reading.skipped.append(view.draft.draft.id)
        reading.view = None
        if view.draft.claimed_by == session.me:
            session.desk.release(view.draft.draft.id, reviewer=session.me)


def _read(session: Session, reading: _Reading, view: DraftView, out: Console) -> None:
    """Read a draft out: whom, why, the text, what approving does."""
    reading.view = view
    draft, now = view.draft.draft, session.now()
    out.print()
    out.print(shown(f"Draft {draft.id}, version {draft.version}. {plain(view.draft.scenario)}."))
    out.print(shown(f"To {view.customer_name or view.case.customer_id}, {draft.message.recipient}."))
    out.print(
        shown(f"Risk {view.risk.value}. Due {time_left(view.review_by, now)}. Why: {draft.review_reason}.")
    )
    if draft.message.subject:
        out.print(shown(f"Subject: {draft.message.subject}"))
    out.print(Text("Text:"))
    out.print(shown_block(draft.message.body))
    out.print(shown(f"On approval it {forecast_words(view.forecast, now=now)}. Hash {short_hash(view)}."))
    for lock in view.locks:
        out.print(shown(f"Locked: {lock.words} {lock.remedy}"))


def _facts(view: DraftView) -> list[str]:
    facts = view.decision.facts if view.decision else ()
    return [f"{fact.name}: {fact.value}, from {fact.source}" for fact in facts] or ["No facts are on record."]


def _past(view: DraftView, session: Session) -> list[str]:
    now = session.now()
    return [f"{(now - entry.at).days} days ago: {entry.words}" for entry in view.timeline] or [
        "Nothing before."
    ]
