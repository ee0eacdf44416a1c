"""The group of commands `outrider review`."""

import typer

from agent.cli.review import application, claims, later, lead, queue, settling, situations, verdicts

app = typer.Typer(
    invoke_without_command=True,
    help="Look at drafts and decide about them: in the terminal, or by one command each.",
)
app.callback()(application.start)
queue.add_to(app)
claims.add_to(app)
verdicts.add_to(app)
later.add_to(app)
settling.add_to(app)
app.add_typer(situations.app, name="situations")
lead.add_to(app)
