"""`outrider audit`: read decisions back, and verify the log without trusting us."""

import typer

app = typer.Typer(no_args_is_help=True, help="Read decisions back and verify the log.")
