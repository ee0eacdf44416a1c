"""Contracts and their monthly bills: collected, paid early, late or not at all, corrected, disputed."""

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from random import Random
from typing import Final, NamedTuple

from tools.sim.chance import between, happens, one_of, weighted
from tools.sim.journal import Journal
from tools.sim.moments import DAY, HOUR, Second, day_end, local_day, stamp
from tools.sim.people import Customer, Line
from tools.sim.rows import Bill, Contract
from tools.sim.truth import About, Cause, Truths

BILL: Final = "rechnung"
"""The company's word for a bill in `about_kind`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How one line of business bills."""

    zone: str
    tariffs: tuple[tuple[str, int], ...]
    """Name and monthly price in euro cents."""
    collected_ppm: int
    """Share of contracts that are collected automatically."""


TERMS: Final = {
    Line.BANK: Terms(
        zone="America/New_York",
        tariffs=(
            ("Ratenkredit", 24900),
            ("Kreditkarte", 38000),
            ("Autokredit", 41900),
            ("Studienkredit", 11900),
        ),
        collected_ppm=380_000,
    ),
    Line.NETWORK: Terms(
        zone="Europe/London",
        tariffs=(("Mobil S", 1499), ("Mobil M", 2499), ("Mobil L", 3999)),
        collected_ppm=800_000,
    ),
    Line.SOFTWARE: Terms(zone="UTC", tariffs=(("Team", 4900), ("Scale", 29900)), collected_ppm=850_000),
}

_BILLED_AHEAD: Final = 16
"""Days from the bill to its due day."""
_MONTH: Final = 30
_TRIAL_PPM: Final = 60_000
_DRAFT_PPM: Final = 100_000
_CORRECTED_PPM: Final = 35_000
_DISPUTED_PPM: Final = 35_000
_COLLECT_LATER_PPM: Final = 12_000
_VOID_PPM: Final = 8_000
_REMINDED_BEFORE: Final = 4 * DAY


class _Habit(NamedTuple):
    """When a person pays, counted from the exclusive end of the due day."""

    earliest: int
    latest: int
    pays: bool = True


_HABITS: Final = (
    (_Habit(-6 * DAY, -5 * DAY), 380_000),
    (_Habit(-4 * DAY, -DAY), 260_000),
    (_Habit(-22 * HOUR, -HOUR), 120_000),
    (_Habit(2 * DAY, 15 * DAY), 170_000),
    (_Habit(9 * DAY, 10 * DAY, pays=False), 70_000),
)


class Billing:
    """Draws contracts and writes their bills."""

    def __init__(
        self, journal: Journal, truths: Truths, chance: Random, *, since: Second, until: Second
    ) -> None:
        self._journal = journal
        self._truths = truths
        self._chance = chance
        self._since = since
        self._until = until
        self._contracts = count(300_001)
        self._bills = count(1)

    def sign(
        self, customer: Customer, line: Line, *, services: str = "", site: str | None = None
    ) -> Contract:
        """Write one contract, signed before the start, with its bills; return it."""
        chance = self._chance
        terms = TERMS[line]
        tariff, cents = one_of(chance, terms.tariffs)
        signed = self._since - between(chance, DAY, 500 * DAY)
        contract = Contract(
            contract_no=next(self._contracts),
            person_no=customer.number,
            firm_no=customer.row.firm_no if line is Line.SOFTWARE else None,
            sparte=line.value,
            tariff=tariff,
            state="test" if line is Line.SOFTWARE and happens(chance, _TRIAL_PPM) else "laufend",
            renews_on=stamp(signed + 730 * DAY),
            price_cents=cents * customer.place.price_percent // 100,
            currency=customer.place.currency,
            einzug=int(happens(chance, terms.collected_ppm)),
            dienste=services,
            standort=site,
        )
        self._journal.write(contract, signed)
        for due in self._due_days(terms.zone):
            self._bill(contract, terms.zone, due)
        return contract

    def _due_days(self, zone: str) -> list[date]:
        """Return a contract's due days, a month apart, of all bills to be sent by the last day."""
        first = local_day(self._since, zone) + timedelta(days=between(self._chance, 0, _MONTH))
        last = local_day(self._until, zone) + timedelta(days=_BILLED_AHEAD)
        return [first + timedelta(days=days) for days in range(0, (last - first).days + 1, _MONTH)]

    def _bill(self, contract: Contract, zone: str, due: date) -> None:
        chance = self._chance
        until = day_end(due, zone)
        usual = contract.price_cents
        amount = usual if happens(chance, 700_000) else usual * between(chance, 80, 190) // 100
        number = next(self._bills)
        bill = Bill(
            bill_no=f"R{due:%y%m}-{number:06}",
            person_no=contract.person_no,
            contract_no=contract.contract_no,
            state="offen",
            due_day=due.isoformat(),
            due_until=stamp(until),
            amount_cents=amount,
            usual_cents=usual,
            currency=contract.currency,
            einzug=contract.einzug,
            strittig=0,
            pay_link=f"https://pay.example.com/b/{number:x}",
        )
        issued = until - _BILLED_AHEAD * DAY + between(chance, -6 * HOUR, 6 * HOUR)
        if happens(chance, _DRAFT_PPM):
            self._journal.write(bill._replace(state="entwurf"), issued - 5 * HOUR)
        self._journal.write(bill, issued)
        bill = self._amended(bill, issued)
        self._settled(bill, until)

    def _amended(self, bill: Bill, issued: Second) -> Bill:
        """Correct some amounts, open some disputes and let some customers switch to collection."""
        chance = self._chance
        at = issued + between(chance, DAY, 9 * DAY)
        if happens(chance, _CORRECTED_PPM):
            bill = bill._replace(amount_cents=max(bill.amount_cents * between(chance, 50, 120) // 100, 1))
        elif happens(chance, _DISPUTED_PPM):
            bill = bill._replace(strittig=1)
        elif happens(chance, _COLLECT_LATER_PPM):
            bill = bill._replace(einzug=1)
        elif happens(chance, _VOID_PPM):
            bill = bill._replace(state="storno")
        else:
            return bill
        self._journal.write(bill, at)
        return bill

    def _settled(self, bill: Bill, until: Second) -> None:
        """Write what becomes of a bill around its due day; `until` is the exclusive end of that day."""
        chance = self._chance
        paid_bill = bill._replace(state="bezahlt", strittig=0, amount_cents=0)
        if bill.state == "storno":
            return
        if bill.strittig:
            self._journal.write(paid_bill, until + between(chance, DAY, 20 * DAY))
            return
        if bill.einzug:
            self._journal.write(paid_bill, until - between(chance, 14 * HOUR, 18 * HOUR))
            return
        habit = weighted(chance, _HABITS)
        paid = until + between(chance, habit.earliest, habit.latest)
        if paid > until:
            self._journal.write(bill._replace(state="mahnung"), until + between(chance, HOUR, 8 * HOUR))
        if habit.pays:
            self._journal.write(paid_bill, paid)
            if happens(chance, _CORRECTED_PPM):
                self._journal.write(paid_bill, paid + between(chance, HOUR, 30 * HOUR))  # again, unchanged
        if paid > until - _REMINDED_BEFORE:
            about = About(BILL, bill.bill_no)
            since = until - _REMINDED_BEFORE + HOUR
            self._truths.trouble(bill.person_no, about, Cause.BILL_DUE, since=since, until=paid)
