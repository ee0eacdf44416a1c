"""The `outrider` command: its groups, its exit codes, and errors as plain sentences.

Exit codes: 0 done, 1 it failed or found something wrong, 2 something that it needs is wrong and a person
can put it right: a file, an option, a setting, the database or its disk.
"""

import sys
from collections.abc import Sequence
from importlib.metadata import entry_points, version
from typing import Annotated

import typer

from agent.cli import audit, company, playbooks, run
from agent.cli.review import group as review
from agent.errors import OutriderError, StoreError
from agent.heap import collect_seldom
from tools.errors import InputError, ToolError

FAILED = 1
BAD_INPUT = 2

app = typer.Typer(
    name="outrider",
    help="Reach customers before they have to reach you: watch, decide, draft, review, send once, record.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
    rich_markup_mode="rich",
)
company.add_to(app)
run.add_to(app)
app.add_typer(review.app, name="review")
app.add_typer(audit.app, name="audit")
app.add_typer(playbooks.app, name="playbooks")
for plugin in entry_points(group="outrider.commands"):
    plugin.load()(app)


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"outrider {version('outrider')}")
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Reach customers before they have to reach you."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; an expected failure never prints a traceback.

    Args:
        arguments: What follows `outrider`; what the process was started with when None.
    """
    collect_seldom()  # also while a command is imported
    try:
        app(args=arguments, prog_name="outrider" if arguments is not None else None)
    except SystemExit as exc:
        return exc.code if isinstance(exc.code, int) else FAILED
    except (InputError, StoreError) as exc:
        return _say(exc, BAD_INPUT)
    except (OutriderError, ToolError) as exc:
        return _say(exc, FAILED)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone; that is its right
    return 0


def _say(error: Exception, code: int) -> int:
    typer.echo(f"outrider: {error}", err=True)
    return code
