"""The group of commands `outrider review`."""

import typer

from agent.cli.review import claims, later, lead, queue, settling, situations, verdicts

app = typer.Typer(no_args_is_help=True, help="Look at drafts and decide about them.")
queue.add_to(app)
claims.add_to(app)
verdicts.add_to(app)
later.add_to(app)
settling.add_to(app)
app.add_typer(situations.app, name="situations")
lead.add_to(app)
