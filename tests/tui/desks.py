"""A real desk with drafts that wait, and the application over it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path

from rich.console import RenderableType

from agent.audit.card import decision_card
from agent.audit.card_view import render_card
from agent.bootstrap import App
from agent.tui.app import ReviewApp
from agent.tui.session import Session
from policies.loader import REVIEW_FILE, load_review_rules
from tests.bench_worlds import plain
from tests.builders import changed, playbook, ticket
from tests.running import Installation, settle
from tools.records.base import Record
from tools.records.people import Customer
from tools.records.vocabulary import ChannelKind, TicketStatus

FROM = {ChannelKind.EMAIL: "Shop <hello@shop.example>"}
SIZES = ((80, 24), (120, 40))


@dataclass
class Desk:
    """An installation whose drafts all wait for a person."""

    installation: Installation
    app: App
    edited: str = "Hello, your order is late. We are sorry."
    outside: list[str] = field(default_factory=list[str])

    def session(self, me: str = "ann") -> Session:
        """Sit down at the desk."""

        def card(case_id: str) -> RenderableType:
            with self.app.store.read() as conn:
                return render_card(decision_card(conn, self.app.store.keyring, case_id))

        def edit_outside(text: str) -> str:
            self.outside.append(text)
            return self.edited

        return Session(
            desk=self.app.desk,
            me=me,
            clock=self.installation.clock,
            zone=UTC,
            card=card,
            edit_outside=edit_outside,
        )

    def terminal(self, me: str = "ann") -> ReviewApp:
        """Open the application."""
        return ReviewApp(self.session(me))


async def desk_with(
    folder: Path,
    number: int,
    *,
    more: Callable[[int], Sequence[Record]] = lambda _: (),
    name: str = "Ada Lovelace",
    seeds: int = 0,
) -> Desk:
    """Let a company with late orders be served until each of its customers has a draft.

    `seeds` in millionths; without any, the order of drafts does not depend on the installation's key.
    """
    installation = Installation(database_url=f"sqlite:///{folder / 'outrider.db'}", folder=folder)
    for customer in range(number):
        person, *rest = plain(customer)
        assert isinstance(person, Customer)
        installation.source.add(changed(person, name=name), *rest, *more(customer))
    rules = load_review_rules(REVIEW_FILE).model_copy(update={"seeds": seeds})
    late = playbook("shipping_delay", holdout=None, review="required")
    app = installation.start(playbooks={"shipping_delay": late}, rules=rules, from_addresses=FROM)
    await settle(app)
    assert app.desk.count() == number
    return Desk(installation=installation, app=app)


def an_old_ticket(number: int, subject: str = "Where is my parcel?") -> Sequence[Record]:
    """Return a ticket about something else, for the customer's past."""
    person = f"c{number:07}"
    return [
        ticket(
            id=f"t{number:07}",
            customer_id=person,
            about="order:other",
            status=TicketStatus.CLOSED,
            subject=subject,
        )
    ]
