"""`outrider audit`: read decisions back, and verify the log without trusting us."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from agent.cli.opening import Config, opened
from agent.cli.output import Json, console, narrate, print_json
from tools.errors import InputError

app = typer.Typer(no_args_is_help=True, help="Read decisions back and verify the log.")

Since = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="Only from this UTC time on."),
]


@app.command("list")
def list_decisions(
    scenario: Annotated[str | None, typer.Option(help="Only this scenario.")] = None,
    kind: Annotated[str | None, typer.Option(help="contact, defer, abstain or escalate.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only this reason code.")] = None,
    customer: Annotated[str | None, typer.Option(help="Only this customer's id.")] = None,
    since: Since = None,
    before: Annotated[str | None, typer.Option(help="Go on after the last id of the page before.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Most decisions to list.")] = 20,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """List decisions, the newest first: the negative ones are as complete as the others."""
    from agent.audit.listing import list_decisions as read_page
    from agent.cli.audit_view import decision_table
    from agent.domain.decisions import DecisionKind
    from agent.store.audit_pages import DecisionFilter

    try:
        wanted_kind = DecisionKind(kind) if kind else None
    except ValueError as exc:
        kinds = ", ".join(one.value for one in DecisionKind)
        raise InputError(
            f"no decision is called {kind!r}", field="--kind", remedy=f"use one of {kinds}"
        ) from exc
    wanted = DecisionFilter(
        since=_utc(since), scenario=scenario, kind=wanted_kind, reason=reason, customer_id=customer
    )
    with opened(config) as running, running.store.read() as conn:
        page = read_page(conn, wanted, before=before, limit=limit)
    if as_json:
        print_json(page)
        return
    console().print(decision_table(page.items))
    if page.before:
        narrate(f"There are more: --before {page.before}")
    elif not page.items:
        narrate("No decision fits.")


@app.command()
def show(
    ref: Annotated[str, typer.Argument(metavar="ID", help="A decision, case, draft or delivery.")],
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Print one decision as a card that a stranger understands."""
    from agent.audit.card import decision_card
    from agent.audit.card_view import render_card

    with opened(config) as running:
        running.store.seal_pending()
        with running.store.read() as conn:
            card = decision_card(conn, running.store.keyring, ref)
    if as_json:
        print_json(card)
    else:
        console().print(render_card(card))


@app.command()
def verify(
    against: Annotated[
        list[str] | None,
        typer.Option(metavar="HEAD", help="A head kept outside; shows that nothing was cut off since."),
    ] = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Hash every event again; exit 0 ok, 1 tampered, 2 events missing, 4 events wait too long."""
    from agent.audit.verify import parse_head
    from agent.audit.verify import verify as check

    try:
        heads = [parse_head(text) for text in against or ()]
    except ValueError as exc:
        raise InputError(
            str(exc), field="--against", remedy="give a head as `outrider audit verify` prints it"
        ) from exc
    with opened(config) as running:
        running.store.seal_pending()
        with running.store.read() as conn:
            found = check(conn, now=running.clock(), against=heads)
    if as_json:
        print_json(
            {
                "ok": found.ok,
                "events": found.head.size,
                "rows": found.rows,
                "head": found.head.text(),
                "fault": found.fault,
            }
        )
    elif found.fault is None:
        console().print(f"ok: {found.head.size} events and {found.rows} rows verify")
        console().print(f"head {found.head.text()}", soft_wrap=True)
        narrate("Keep the head where this machine cannot write; --against then shows cuts and rewrites.")
    else:
        console().print(found.fault.sentence(), markup=False, soft_wrap=True)
    if not found.ok:
        raise typer.Exit(found.exit_code)


@app.command()
def export(
    out: Annotated[Path | None, typer.Option(help="File to write; stdout without it.")] = None,
    since: Since = None,
    decrypt: Annotated[bool, typer.Option("--decrypt", help="Add personal fields in clear.")] = False,
    customer: Annotated[str | None, typer.Option(help="Everything about one customer, in clear.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="For spreadsheets instead of JSON lines.")] = False,
    config: Config = None,
) -> None:
    """Write the log as JSON lines that anybody can verify (docs/audit-format.md)."""
    from agent.audit.export import export as write_lines
    from agent.audit.export import export_csv, export_customer

    with opened(config) as running:
        running.store.seal_pending()
        stream = out.open("w", encoding="utf-8", newline="") if out else sys.stdout
        try:
            with running.store.read() as conn:
                if customer is not None:
                    number = export_customer(
                        conn, stream, customer_id=customer, keyring=running.store.keyring
                    )
                elif as_csv:
                    number = export_csv(conn, stream, since=_utc(since)).events
                else:
                    keyring = running.store.keyring if decrypt else None
                    number = write_lines(conn, stream, since=_utc(since), keyring=keyring).events
        finally:
            if out:
                stream.close()
    narrate(f"{number} events written.")


def _utc(instant: datetime | None) -> datetime | None:
    return instant.replace(tzinfo=UTC) if instant else None
