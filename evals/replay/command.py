"""`outrider replay`: a real history through the real loop, and the trigger table."""

import asyncio
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.output import Json, console, narrate, print_json

if TYPE_CHECKING:
    from evals.replay.olist import OrderHistory
    from evals.replay.run import Plan, Replayed

_EXAMPLE = Path("examples/olist/outrider.yaml")
_LONGEST_TICK = timedelta(hours=3)
_DATA_HINT = "docs/replay-olist.md says where they come from"


def add_to(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command()(replay)


def replay(
    *,
    data: Annotated[Path, typer.Option(metavar="DIR", help=f"Folder of the Olist files; {_DATA_HINT}.")],
    start: Annotated[str, typer.Option("--from", metavar="DAY", help="First day.")] = "2018-01-01",
    end: Annotated[str, typer.Option("--to", metavar="DAY", help="Day after the last.")] = "2018-04-01",
    tick: Annotated[str, typer.Option(help="Simulated time between rounds: 15m, 1h, 6h.")] = "1h",
    work: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep the databases here; it must be empty.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help=f"Settings; {_EXAMPLE} without it.")
    ] = None,
    trigger_table: Annotated[
        bool, typer.Option("--trigger-table", help="Check the published trigger table instead.")
    ] = False,
    repeat_check: Annotated[
        bool, typer.Option("--repeat-check", help="Replay twice and compare the decisions.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Run the real loop over 99,441 real orders with a simulated clock and a simulated reviewer.

    Exit code 1 when the audit chain does not verify, a second replay decides otherwise, or the trigger
    table differs.
    """
    from evals.replay.olist import load_history
    from evals.replay.run import Plan

    settings = _settings(config)
    first, last = _midnight(start, "--from"), _midnight(end, "--to")
    step = _step(tick, first, last)
    narrate("Reading the history.")
    history = load_history(data)
    with _folder(work) as folder:
        if trigger_table:
            _check_triggers(history, folder, settings, as_json=as_json)
            return
        plan = Plan(history=history, start=first, end=last, tick=step, folder=folder, config=settings)
        _replay(plan, twice=repeat_check, as_json=as_json)


def _replay(plan: "Plan", *, twice: bool, as_json: bool) -> None:
    from evals.replay.report import replay_form, replay_view

    runs = [_one(plan, "1" if twice else "")]
    if twice:
        runs.append(_one(plan, "2"))
    same = len({run.digest for run in runs}) == 1
    done = runs[0]
    if as_json:
        repeated = {"repeated_equal": same} if twice else {}
        print_json(replay_form(done) | repeated)
    else:
        console().print(replay_view(done))
        if twice:
            console().print("replayed twice: " + ("the same decisions" if same else "the decisions differ"))
    if not (same and all(run.audit_ok for run in runs)):
        raise typer.Exit(1)


def _one(plan: "Plan", part: str) -> "Replayed":
    from dataclasses import replace

    from agent.clock import system_clock
    from agent.log import configure_logs
    from evals.replay.run import replay as replay_plan

    configure_logs(clock=system_clock, level="error")
    with _progress(f"Replaying {part}".strip()) as show:
        return asyncio.run(replay_plan(replace(plan, folder=plan.folder / part), progress=show))


def _check_triggers(history: "list[OrderHistory]", folder: Path, settings: Path, *, as_json: bool) -> None:
    from evals.replay.report import trigger_form, trigger_view
    from evals.replay.run import connectors_of
    from evals.replay.trigger_table import trigger_table

    with _progress("Sweeping") as show:
        table = trigger_table(history, folder=folder, connector=connectors_of(settings)[0], progress=show)
    if as_json:
        print_json(trigger_form(table))
    else:
        console().print(trigger_view(table))
    if not table.equal:
        raise typer.Exit(1)


def _settings(config: Path | None) -> Path:
    from tools.errors import InputError

    beside = Path(__file__).parents[2] / _EXAMPLE  # in a checkout, wherever the command is run from
    found = config or (beside if beside.is_file() else _EXAMPLE)
    if not found.is_file():
        raise InputError(
            "no such settings file", path=found, remedy="run it in a checkout, or give --config FILE"
        )
    return found


def _midnight(day: str, option: str) -> datetime:
    from evals.replay.olist import BRASILIA
    from tools.errors import InputError

    try:
        parsed = date.fromisoformat(day)
    except ValueError as exc:
        raise InputError(f"{day!r} is no day", field=option, remedy="write for example 2018-01-01") from exc
    return datetime(parsed.year, parsed.month, parsed.day, tzinfo=BRASILIA).astimezone(UTC)


def _step(tick: str, first: datetime, last: datetime) -> timedelta:
    from tools.durations import parse_duration
    from tools.errors import InputError

    try:
        step = parse_duration(tick)
    except ValueError as exc:
        raise InputError(str(exc), field="--tick", remedy="write for example 1h") from exc
    if not timedelta(minutes=1) <= step <= _LONGEST_TICK:
        raise InputError(
            f"a tick of {tick} is too short, or so long that drafts expire before anybody looks",
            field="--tick",
            remedy="take 1m to 3h",
        )
    if last <= first:
        raise InputError("the replay ends before it starts", field="--to", remedy="give a day after --from")
    return step


@contextmanager
def _folder(work: Path | None) -> Generator[Path]:
    from tools.errors import InputError

    if work is None:
        with tempfile.TemporaryDirectory(prefix="outrider-replay-") as folder:
            yield Path(folder)
        return
    if work.exists() and (not work.is_dir() or any(work.iterdir())):
        raise InputError(
            "the folder of a replay must be empty",
            path=work,
            field="--work",
            remedy="give another one, or leave it out",
        )
    work.mkdir(parents=True, exist_ok=True)
    yield work


@contextmanager
def _progress(what: str) -> Generator[Callable[[int, int], None]]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console(stderr=True)) as progress:
        task = progress.add_task(what, total=None)

        def show(done: int, in_all: int) -> None:
            progress.update(task, completed=done, total=in_all)

        yield show
