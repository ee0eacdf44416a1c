"""The page for people: one file, nothing asked of any network, every text of a case escaped."""

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from evals.compare.verdict import Flip
from evals.gate import GateAnswer, Standing
from evals.gate import broken as broken_gates
from evals.report.figures import pictures
from evals.report.judged import Judged, against_words
from evals.report.words import (
    by_whom,
    chance,
    counted,
    even_words,
    gates_words,
    money,
    other_side_rows,
    percent,
    plain_policies,
    points,
    spent_rows,
)
from evals.results import Decided, Result, Run, Transcript
from tools.safe_text import safe_text

MOST_CHARACTERS: Final = 6_000
"""Of one text of a case on a page."""
ROOM: Final = 2_000_000
"""Characters of transcripts in each list of a page, failed and flipped cases first; the file holds all."""
_FOLDER: Final = Path(__file__).with_name("page")
_ORDER: Final = (Standing.BROKEN, Standing.NOT_JUDGED, Standing.HELD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One figure in large."""

    label: str
    figure: str
    words: str
    good: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A transcript and the repeats that share it."""

    repeats: str
    first: Result
    transcript: Transcript | None
    """None when there is none or the page is full."""
    left_out: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """A case as the page lists it."""

    name: str
    first: Result
    """The first repeat that failed, else the first."""
    passed: int
    repeats: int
    flip: str
    """`now passes`, `now fails`, or empty."""
    told: Sequence[Told]

    @property
    def ok(self) -> bool:
        """Whether every repeat passed."""
        return self.passed == self.repeats

    @property
    def outcome(self) -> str:
        """What the filter goes by: `passed`, `failed` or `unsteady`."""
        return "passed" if self.ok else "unsteady" if self.passed else "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlipView:
    """A flipped case, both sides."""

    flip: Flip
    new: Transcript | None
    old: Transcript | None


class Room:
    """How much more a list of a page may tell."""

    def __init__(self, characters: int = ROOM) -> None:
        self._left = characters

    def take(self, run: Run, result: Result) -> Transcript | None:
        """Return what happened in a repeat, or None when nothing was kept or the list is full."""
        transcript = run.transcripts.get(result.transcript)
        if transcript is None:
            return None
        texts = [transcript.situation, transcript.card, *(step.what for step in transcript.steps)]
        texts += [message.subject + message.body for message in transcript.messages]
        needed = sum(min(len(text), MOST_CHARACTERS) for text in texts)
        if needed > self._left:
            return None
        self._left -= needed
        return transcript


def html_page(judged: Judged) -> str:
    """Return the report as one HTML file.

    It loads nothing: styles, script and figures are inside, and its content security policy forbids the rest.
    """
    script = page_text("page.js")
    cases = _cases(judged)
    return page_environment().get_template("page.html.j2").render(
        judged=judged,
        run=judged.run,
        summary=judged.summary,
        comparison=judged.comparison,
        against=against_words(judged.comparison) if judged.comparison else "",
        gates=[one for one in _ordered(judged.answers) if one.standing is not Standing.HELD],
        held=[one for one in judged.answers if one.standing is Standing.HELD],
        gates_words=gates_words(judged.answers),
        at=f"{datetime.fromisoformat(judged.run.at):%Y-%m-%d %H:%M} UTC",
        sentences=_sentences(judged),
        tiles=_tiles(judged),
        pictures=pictures(judged.summary),
        plain=plain_policies(judged.summary.worth),
        by_whom=by_whom(judged.run),
        spent=spent_rows(judged.summary.spent),
        other_side=other_side_rows(judged.comparison.old) if judged.comparison else [],
        kinds=list(Decided),
        cases=cases,
        failed=sum(not case.ok for case in cases),
        families=sorted({case.first.family for case in cases}),
        scenarios=sorted({case.first.scenario for case in cases}),
        flips=_flips(judged),
        style=page_text("page.css"),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )  # fmt: skip


def page_environment() -> Environment:
    """Return what renders the templates of the page's folder."""
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., str]] = {
        "chance": chance,
        "counted": counted,
        "amount": money,
        "percent": percent,
        "points": points,
        "told": _told_text,
    }
    environment.filters.update(filters)
    return environment


def page_text(name: str) -> str:
    """Return a file of the page's folder."""
    return (_FOLDER / name).read_text("utf-8")


def _told_text(text: str) -> str:
    """Return a text of a case with hidden characters shown, cut where it is long; the template escapes it."""
    shown = safe_text(text)
    return shown if len(shown) <= MOST_CHARACTERS else f"{shown[:MOST_CHARACTERS]} … (cut)"


def _ordered(answers: Sequence[GateAnswer]) -> list[GateAnswer]:
    return sorted(answers, key=lambda answer: _ORDER.index(answer.standing))


def _sentences(judged: Judged) -> list[str]:
    """Return the result in words that need no explanation."""
    summary = judged.summary
    passed = sum(one.passed for one in summary.families)
    every = f" in each of {summary.k} runs" if summary.k > 1 else ""
    lines = [f"{passed} of {summary.cases} cases were decided as they should be{every}."]
    if summary.false_alarms.n:
        lines.append(
            f"Of {summary.false_alarms.n} messages decided on, {summary.false_alarms.hits} were not due."
        )
    if summary.misses.n:
        lines.append(f"Of {summary.misses.n} messages that were due, {summary.misses.hits} were missed.")
    broken = [one.name for one in summary.invariants if one.broken]
    if broken:
        lines.append(f"Broken rules that must never break: {', '.join(broken)}.")
    elif summary.invariants:
        lines.append(f"None of the {len(summary.invariants)} rules that must never break was broken.")
    worth, currency = summary.worth, summary.worth.currency
    lines.append(
        f"A decision is worth {_cents(worth.decided, currency)} on average; writing to everybody would be "
        f"worth {_cents(worth.always, currency)}, writing to nobody {_cents(worth.never, currency)}."
    )
    if words := even_words(worth, judged.run.costs):
        lines.append(words)
    return lines


def _tiles(judged: Judged) -> list[Tile]:
    summary, worth = judged.summary, judged.summary.worth
    best = max(worth.always, worth.never)
    found = summary.pass_hat_k
    broken = sum(one.broken for one in summary.invariants)
    tries = sum(one.cases for one in summary.invariants)
    return [
        Tile(
            label=f"cases with all {summary.k} runs right" if summary.k > 1 else "cases decided right",
            figure=percent(found.estimate),
            words=f"plausibly {percent(found.low)} to {percent(found.high)}",
            good=not any(one.gate.startswith("pass_hat_k") for one in broken_gates(judged.answers)),
        ),
        _share_tile("messages that were not due", "decided on", "false_alarms", judged),
        _share_tile("due messages that were missed", "that were due", "misses", judged),
        Tile(
            label="rules that must never break",
            figure=f"{broken} broken" if tries else "not tried",
            words=f"in {tries} tries",
            good=not broken,
        ),
        Tile(
            label="worth of a decision",
            figure=_cents(worth.decided, worth.currency),
            words=f"{_cents(best, worth.currency)} by the better plain policy",
            good=worth.decided >= best,
        ),
    ]


def _cents(micros: float, currency: str) -> str:
    return f"{micros / 1_000_000:,.2f} {currency}"


def _share_tile(label: str, of: str, gate: str, judged: Judged) -> Tile:
    share = judged.summary.false_alarms if gate == "false_alarms" else judged.summary.misses
    return Tile(
        label=label,
        figure=percent(share.hits / share.n) if share.n else "none",
        words=f"{share.hits} of {share.n} {of}",
        good=gate not in {one.gate for one in broken_gates(judged.answers)},
    )


def _cases(judged: Judged) -> list[CaseView]:
    run = judged.run
    flips = {flip.case: flip for flip in judged.comparison.flips} if judged.comparison else {}
    ordered = sorted(
        run.cases.items(), key=lambda item: (all(one.passed for one in item[1]), item[0] not in flips)
    )
    views: list[CaseView] = []
    room = Room()
    for name, repeats in ordered:
        flip = flips.get(name)
        views.append(
            CaseView(
                name=name,
                first=next((one for one in repeats if not one.passed), repeats[0]),
                passed=sum(one.passed for one in repeats),
                repeats=len(repeats),
                flip="" if flip is None else "now passes" if flip.better else "now fails",
                told=_told(run, repeats, room),
            )
        )
    return views


def _told(run: Run, repeats: Sequence[Result], room: Room) -> list[Told]:
    """Return what happened in each repeat, told once where repeats are equal; failed repeats first."""
    same: dict[tuple[object, ...], list[Result]] = {}
    for one in sorted(repeats, key=lambda result: result.passed):
        same.setdefault((one.transcript, one.decided, one.reason, one.score, one.broken), []).append(one)
    told: list[Told] = []
    for group in same.values():
        transcript = room.take(run, group[0])
        told.append(
            Told(
                repeats=", ".join(str(one.repeat + 1) for one in group),
                first=group[0],
                transcript=transcript,
                left_out=bool(group[0].transcript) and transcript is None,
            )
        )
    return told


def _flips(judged: Judged) -> list[FlipView]:
    comparison = judged.comparison
    if comparison is None:
        return []
    room = Room()
    return [
        FlipView(
            flip=flip,
            new=room.take(comparison.new, flip.new),
            old=room.take(comparison.old, flip.old),
        )
        for flip in comparison.flips
    ]
