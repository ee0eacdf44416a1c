"""Commands around a company: the demo, a first set-up, a health check, and how things stand."""

import asyncio
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from agent.cli.opening import Config, loaded_settings, opened
from agent.cli.output import Json, console, narrate, print_json, program_name


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(demo)
    app.command()(init)
    app.command()(doctor)
    app.command()(status)


def demo(
    folder: Annotated[Path, typer.Option(help="Where the simulated company lives.")] = Path("outrider-data"),
    customers: Annotated[int, typer.Option(min=50, max=20_000, help="Customers of the company.")] = 400,
    days: Annotated[int, typer.Option(min=1, max=60, help="Days to serve it.")] = 7,
    seed: Annotated[int, typer.Option(help="The same seed gives the same company.")] = 1,
    as_json: Json = False,
) -> None:
    """Build a simulated company and serve it for a week: no key, no server, no network."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from agent.cli.demo_view import summary_view
    from agent.clock import system_clock
    from agent.demo import prepare, serve_week
    from agent.log import configure_logs

    configure_logs(clock=system_clock, level="error")
    settings_file = prepare(folder, seed=seed, customers=customers, days=days)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[day]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console(stderr=True)) as progress:
        task = progress.add_task(f"Serving {customers} customers for {days} days", total=None, day="")

        def show(hour: int, hours: int) -> None:
            progress.update(task, completed=hour, total=hours, day=f"day {hour // 24 + 1} of {days}")

        summary = asyncio.run(serve_week(settings_file, customers=customers, days=days, progress=show))
    if as_json:
        print_json(summary)
    else:
        program = program_name(sys.argv[0], on_path=shutil.which("outrider") is not None)
        console().print(summary_view(summary, program=program))


def init(
    folder: Annotated[Path, typer.Argument(help="Where to write outrider.yaml.")] = Path(),
) -> None:
    """Write a commented outrider.yaml and a first connector file for your own database."""
    from agent.starter import write_starter

    for path in write_starter(folder):
        narrate(f"wrote {path}")
    narrate("Edit both, set SHOP_DB_URL, then run `outrider doctor`.")


def doctor(config: Config = None, as_json: Json = False) -> None:
    """Check settings, connectors, clock, disk, SQLite and names.

    Exit 2 when something has to be put right, 1 when a system only did not answer.
    """
    from agent.doctor import examine

    findings = examine(loaded_settings(config))
    if as_json:
        print_json(findings)
    else:
        for finding in findings:
            console().print(f"{finding.level:<8}{finding.what}")
            if finding.remedy:
                console().print(f"        remedy: {finding.remedy}")
    wrong = [finding for finding in findings if finding.level == "error"]
    if wrong:
        raise typer.Exit(1 if all(finding.no_answer for finding in wrong) else 2)


def status(config: Config = None, as_json: Json = False) -> None:
    """Show how things stand: cases, drafts, deliveries, sources, money."""
    from agent.cli.status_view import status_table
    from agent.status import read_status

    with opened(config) as running:
        found = read_status(running)
    if as_json:
        print_json(found)
    else:
        console().print(status_table(found))
