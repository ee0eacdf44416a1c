"""`outrider review unsettled` and `settle`: messages of which nobody knows whether they went out."""

from typing import Annotated

import typer

from agent.cli.identity import As
from agent.cli.opening import Config, opened_desk
from agent.cli.output import Json, console, narrate, print_json


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(unsettled)
    app.command()(settle)


def unsettled(config: Config = None, as_json: Json = False) -> None:
    """List messages of which nobody knows whether they went out."""
    with opened_desk(config) as (running, _):
        files = running.desk.unsettled()
    if as_json:
        print_json(files)
        return
    for file in files:
        console().print(
            f"{file.delivery.id}  {file.scenario}  {file.channel.value}  {file.state_reason}", markup=False
        )
    narrate(
        f"{len(files)} messages; ask the provider, then: outrider review settle ID --went-out or --not-sent"
    )


def settle(
    delivery: Annotated[str, typer.Argument(metavar="DELIVERY", help="A delivery's id.")],
    went_out: Annotated[bool, typer.Option("--went-out/--not-sent", help="What the provider says.")],
    reviewer: As = None,
    config: Config = None,
) -> None:
    """Write down what became of a message that nobody knew the outcome of."""
    with opened_desk(config, reviewer) as (running, me):
        running.desk.settle(delivery, reviewer=me, went_out=went_out)
    answer = "it went out" if went_out else "it did not go out; the case is looked at anew"
    narrate(f"Settled {delivery}: {answer}.")
