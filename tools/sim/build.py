"""Builds a company: draws its people and its whole future from one seed and stores both."""

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Final

from tools.errors import InputError
from tools.sim.billing import Billing
from tools.sim.chance import between, chance_of, happens, one_of
from tools.sim.company import Company
from tools.sim.consents import Consents
from tools.sim.contacts import FIRST_PLANNED, life_of_contact, new_contact
from tools.sim.journal import Journal
from tools.sim.ledger import create_live, create_plan, plan_path, plan_rows, refuse_existing, store_truths
from tools.sim.meters import Meters
from tools.sim.moments import HOUR, Second, instant_of, second_of, stamp
from tools.sim.names import HOSTILE_REMARKS, REMARKS
from tools.sim.outages import SERVICES, SITES, Outages, Reach
from tools.sim.people import Customer, Line, People
from tools.sim.rows import TABLES, Contract, Remark
from tools.sim.shop import ORDER, Shop
from tools.sim.truth import Truths

_REMARK_PPM: Final = 60_000
_SECOND_LOAN_PPM: Final = 350_000


def build_company(path: Path, *, seed: int, customers: int, start: datetime, days: int) -> None:
    """Build a company as it stands at `start`, and beside it the private plan of its next `days` days.

    The same arguments always give the same content. `Company(path).advance(...)` lets time pass.

    Args:
        path: The database of live tables; the plan becomes `<stem>.plan<suffix>` in the same folder.
        seed: Decides everything that is left to chance.
        customers: How many people the company knows; at least 1.
        start: The aware instant the company stands at after building.
        days: How many days from `start` are planned; at least 1.

    Raises:
        InputError: One of the files exists, or a figure is too small.
    """
    if customers < 1 or days < 1:
        raise InputError("a company needs at least one customer and one day", remedy="use larger figures")
    future = Future.draw(seed=seed, customers=customers, since=second_of(start), days=days)
    future.store(path, seed=seed)
    Company(path).advance(start)


@dataclass(frozen=True, slots=True, kw_only=True)
class Future:
    """Everything that will happen to one company."""

    journal: Journal
    truths: Truths
    since: Second
    until: Second

    @classmethod
    def draw(cls, *, seed: int, customers: int, since: Second, days: int) -> "Future":
        """Draw a future of `days` days from a second on."""
        until = second_of(instant_of(since) + timedelta(days=days))
        journal = Journal(chance_of(seed, "journal"), since=since)
        future = cls(journal=journal, truths=Truths(chance_of(seed, "truth")), since=since, until=until)
        people = People(journal, chance_of(seed, "people"), since=since, until=until).draw(customers)
        consents = Consents(journal, chance_of(seed, "consents"), since=since, until=until)
        for customer in people:
            consents.draw(customer)
        future._trade(seed, people)
        future._serve(seed, people)
        future.truths.others([customer.number for customer in people], since=since, until=until)
        future._contacts(seed)
        return future

    def store(self, path: Path, *, seed: int) -> None:
        """Write the empty live tables and the private plan; on failure, neither stays behind."""
        refuse_existing(path)
        try:
            create_live(path)
            with closing(create_plan(plan_path(path))) as connection:
                for row_type in TABLES:
                    plan_rows(connection, row_type, self.journal.planned(row_type), into="main")
                store_truths(connection, self.truths)
                connection.execute(
                    "INSERT INTO clock VALUES (1, ?, ?, ?, NULL)", (seed, self.since, self.until)
                )
                connection.commit()
        except BaseException:
            for half in (path, plan_path(path)):
                half.unlink(missing_ok=True)
            raise

    def _trade(self, seed: int, people: Iterable[Customer]) -> None:
        """Draw the shop's orders and the remarks about them."""
        chance = chance_of(seed, "shop")
        shop = Shop(self.journal, self.truths, chance, since=self.since, until=self.until)
        shop.draw([customer for customer in people if Line.SHOP in customer.lines])
        numbers = count(1)
        hostile = iter(HOSTILE_REMARKS.values())
        for late in shop.late:
            words = next(hostile, None)
            if words is not None:
                self._remark(next(numbers), late.person_no, late.order_no, words, late.placed + HOUR)
        for order_no, person_no, placed in shop.placed:
            if happens(chance, _REMARK_PPM):
                at = placed + between(chance, 0, 30 * HOUR)
                self._remark(next(numbers), person_no, order_no, one_of(chance, REMARKS), at)

    def _remark(self, number: int, person_no: int, order_no: str, words: str, at: Second) -> None:
        self.journal.write(Remark(number, person_no, ORDER, order_no, words, stamp(at)), at)

    def _serve(self, seed: int, people: Iterable[Customer]) -> None:
        """Draw contracts with their bills and meters, and the outages that touch them."""
        span = {"since": self.since, "until": self.until}
        billing = Billing(self.journal, self.truths, chance_of(seed, "billing"), **span)
        meters = Meters(self.journal, self.truths, chance_of(seed, "meters"), **span)
        chance = chance_of(seed, "contracts")
        reach = Reach()
        for customer in people:
            if Line.BANK in customer.lines:
                for _ in range(2 if happens(chance, _SECOND_LOAN_PPM) else 1):
                    billing.sign(customer, Line.BANK)
            if Line.SOFTWARE in customer.lines:
                services = sorted(chance.sample(SERVICES, between(chance, 2, 5)))
                contract = billing.sign(customer, Line.SOFTWARE, services=",".join(services))
                _note_reach(reach, customer, contract)
            if Line.NETWORK in customer.lines:
                contract = billing.sign(customer, Line.NETWORK, site=one_of(chance, SITES))
                meters.draw(contract)
                _note_reach(reach, customer, contract)
        Outages(self.journal, self.truths, chance_of(seed, "outages"), reach, **span).draw()

    def _contacts(self, seed: int) -> None:
        """Write every contact that would happen; the plan holds back those that messages prevent."""
        chance = chance_of(seed, "contacts")
        for truth in self.truths:
            if truth.would_contact_at is None:
                continue
            first = new_contact(
                chance,
                FIRST_PLANNED + truth.truth_no,
                truth.person_no,
                truth.would_contact_at,
                grund=truth.grund,
                about=(truth.about_kind, truth.about_key),
            )
            for row, at in life_of_contact(chance, first, truth.would_contact_at):
                self.journal.write(row, at)


def _note_reach(reach: Reach, customer: Customer, contract: Contract) -> None:
    for service in filter(None, contract.dienste.split(",")):
        reach.by_service.setdefault(service, []).append(customer.number)
    if contract.standort:
        reach.by_site.setdefault(contract.standort, []).append(customer.number)
        if customer.row.plz:
            reach.by_postcode.setdefault(customer.row.plz, []).append(customer.number)
