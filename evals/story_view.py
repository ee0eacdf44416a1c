"""What `outrider eval` shows besides the report: failed cases with their stories, suites, progress."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from agent.cli.output import console, narrate
from evals.cases.model import Case
from evals.results import Transcript
from evals.run_case import Judged
from evals.session import Done
from evals.suites import always_and_never
from tools.safe_text import safe_text

_HALF = 0.5
_LINES = 20
"""Most lines of progress where nobody watches, the first one aside."""


def failed_view(done: Done) -> RenderableType:
    """Return every failed case once: what was expected, what was done, and the decision card."""
    failed = {one.result.case: one for one in reversed(done.outcomes) if not one.result.passed}
    stories = [told(done.cases[one.result.case], one) for one in reversed(failed.values())]
    shares = always_and_never(list(done.cases.values()))
    easy = "" if max(shares.values()) <= _HALF else " A plain policy is right in more than half of them."
    words = (
        f"Right without thinking: always to contact in {shares['always']:.0%} of the cases, "
        f"never in {shares['never']:.0%}.{easy}"
    )
    return Group(*stories, Text(words), Text())


def suites_view(rows: Sequence[tuple[str, int, int, str]]) -> RenderableType:
    """Return the suites with their sizes."""
    table = Table(box=None, header_style="dim")
    for title in ("suite", "cases", "no contact", ""):
        table.add_column(title, justify="right" if title in {"cases", "no contact"} else "left")
    for name, cases, silent, why in rows:
        table.add_row(name, f"{cases}", f"{silent}", why)
    table.add_row("all", f"{sum(row[1] for row in rows)}", f"{sum(row[2] for row in rows)}", "")
    return table


@contextmanager
def progress_bar(what: str) -> Generator[Callable[[int, int, str], None]]:
    """Show a bar on stderr; it begins with the first trial, so that processes can be forked before.

    Where stderr is no terminal, a line tells of the first trial and of every twentieth part of all; but
    only of a run that has something to say beside its number, because others are over in a minute.
    """
    if not console(stderr=True).is_terminal:
        yield _lines(what)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console(stderr=True), auto_refresh=False) as progress:
        task = progress.add_task(what, total=None)

        def show(done: int, in_all: int, note: str) -> None:
            progress.update(task, completed=done, total=in_all, description=f"{what} {note}".strip())
            progress.refresh()

        yield show


def _lines(what: str) -> Callable[[int, int, str], None]:
    told = -1

    def show(done: int, in_all: int, note: str) -> None:
        nonlocal told
        part = done * _LINES // max(in_all, 1)
        if note and part != told:
            told = part
            narrate(f"{what}: {done} of {in_all} trials, {note}.")

    return show


def told(case: Case, one: Judged) -> RenderableType:
    """Return the story of one case: what was expected, what was done, why, and the decision card."""
    result = one.result
    expected = " or ".join(case.expect.decisions)
    lines = [
        Text(safe_text(f"{result.case}  ({result.family})"), style="bold red"),
        Text(safe_text(case.title)),
        Text(
            safe_text(f"expected {expected}, decided {result.decided.value} ({result.reason or 'no signal'})")
        ),
        *(Text(safe_text(f"- {reason}")) for reason in (*map(_broke, result.broken), *result.score.reasons)),
        Text(),
        *_told(one.transcript),
    ]
    return Group(*lines, Text())


def _broke(name: str) -> str:
    return f"broke {name}"


def _told(transcript: Transcript) -> list[RenderableType]:
    parts: list[RenderableType] = [
        Text(safe_text(f"  {step.at[:16].replace('T', ' ')}  {step.stage:<8} {step.what}"))
        for step in transcript.steps
    ]
    for message in transcript.messages:
        head = "sent" if message.sent else "draft"
        parts += [Text(), Text(f"  {head}, {message.channel}:", style="dim")]
        parts.append(Padding(Text(safe_text(f"{message.subject}\n{message.body}".strip())), (0, 4)))
    if transcript.card:
        parts += [Text(), Padding(Text(safe_text(transcript.card)), (0, 2))]
    return parts
