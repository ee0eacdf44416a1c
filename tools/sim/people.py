"""The company's people: names, homes, addresses, and what changes about them later."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from random import Random
from typing import Final, NamedTuple

from tools.sim.chance import MILLION, between, happens, one_of, weighted
from tools.sim.journal import Journal
from tools.sim.moments import DAY, HOUR, Second
from tools.sim.names import FIRMS, HOSTILE_NAMES, name_of
from tools.sim.places import PLACES, PhoneBook, Place, postcode_of
from tools.sim.rows import Firm, Person


class Line(StrEnum):
    """The company's lines of business, in its own words."""

    SHOP = "laden"
    BANK = "bank"
    SOFTWARE = "software"
    NETWORK = "netz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A person with what the other parts of the simulation need to know."""

    row: Person
    place: Place
    lines: tuple[Line, ...]

    @property
    def number(self) -> int:
        """The person's number."""
        return self.row.person_no


FIRST_PERSON: Final = 100_001
_LINES: Final = (
    (Line.SHOP, 400_000),
    (Line.BANK, 240_000),
    (Line.NETWORK, 200_000),
    (Line.SOFTWARE, 160_000),
)
_SECOND_LINE_PPM: Final = 180_000
_FLAGS: Final = (
    "haertefall",
    "verstorben",
    "minderjaehrig",
    "insolvenz",
    "betrugssperre",
    "rechtsstreit",
    "gewaltschutz",
    "schutzbeduerftig",
)


class _Turn(NamedTuple):
    """Every so-manieth person is of a kind, so that a small company has some of each."""

    every: int
    first: int

    def has(self, index: int) -> bool:
        return index % self.every == self.first


_FLAGGED: Final = _Turn(97, 40)
_TEST: Final = _Turn(131, 50)
_STAFF: Final = _Turn(109, 60)
_CLOSED: Final = _Turn(61, 55)
_SHARES_PHONE: Final = _Turn(29, 28)
_HOSTILE: Final = _Turn(7, 3)
_HOSTILE_AGAIN: Final = _Turn(151, 150)
_NO_MAIL_PPM: Final = 40_000
_NO_PHONE_PPM: Final = 180_000
_ZONE_UNKNOWN_PPM: Final = 150_000
_VIP_PPM: Final = 30_000
_PUSH_PPM: Final = 450_000
_IN_FIRM_PPM: Final = 700_000
_MOVES_PER_DAY_PPM: Final = 350
_NIGHTLY_PPM: Final = 2_000


class People:
    """Draws the people and keeps them by line of business."""

    def __init__(self, journal: Journal, chance: Random, *, since: Second, until: Second) -> None:
        self._journal = journal
        self._chance = chance
        self._since = since
        self._until = until
        self._phones = PhoneBook()
        self._hostile = iter(HOSTILE_NAMES.values())
        self._homes = [(place, place.weight * MILLION // 100) for place in PLACES]

    def draw(self, customers: int) -> list[Customer]:
        """Draw that many customers and write them and their firms to the journal."""
        drawn: list[Customer] = []
        for index in range(customers):
            customer = self._customer(index, drawn)
            drawn.append(customer)
        drawn = self._employ(drawn)
        for customer in drawn:
            self._journal.write(customer.row, self._before())
            self._changes(customer)
        return drawn

    def _customer(self, index: int, drawn: Sequence[Customer]) -> Customer:
        chance = self._chance
        # every kind of home is lived in, also in a small company
        place = PLACES[index] if index < len(PLACES) else weighted(chance, self._homes)
        line = weighted(chance, _LINES)
        second = weighted(chance, _LINES)
        lines = (line, second) if second != line and happens(chance, _SECOND_LINE_PPM) else (line,)
        given, family = name_of(place.country, chance)
        number = FIRST_PERSON + index
        handy = None if happens(chance, _NO_PHONE_PPM) else self._phones.number(place)
        plz = postcode_of(place, chance)
        if _SHARES_PHONE.has(index) and (kin := drawn[index - 1]).row.handy:
            place, handy, plz = kin.place, kin.row.handy, kin.row.plz or plz
        hostile = self._hostile_name(index)
        host = one_of(chance, ("com", "org", "net"))
        row = Person(
            person_no=number,
            full_name=f"{given} {family}".strip() if hostile is None else hostile,
            mail=None if happens(chance, _NO_MAIL_PPM) else f"{_mailbox(given)}.{number}@example.{host}",
            handy=handy,
            push_id=f"push-{number:x}-{between(chance, 0, 1 << 24):06x}" if self._has_app(lines) else None,
            sprache=place.locale,
            zone=None if happens(chance, _ZONE_UNKNOWN_PPM) else place.zone,
            land=place.country,
            plz=plz,
            sparten=",".join(lines),
            firm_no=None,
            is_vip=int(happens(chance, _VIP_PPM)),
            schutz=_FLAGS[index // _FLAGGED.every % len(_FLAGS)] if _FLAGGED.has(index) else "",
            stand=_state(index),
        )
        return Customer(row=row, place=place, lines=lines)

    def _has_app(self, lines: tuple[Line, ...]) -> bool:
        return Line.SHOP not in lines and happens(self._chance, _PUSH_PPM)

    def _hostile_name(self, index: int) -> str | None:
        """Return the hostile names once each, then one now and then."""
        if _HOSTILE.has(index) and (name := next(self._hostile, None)) is not None:
            return name
        if _HOSTILE_AGAIN.has(index):
            return one_of(self._chance, tuple(HOSTILE_NAMES.values()))
        return None

    def _employ(self, drawn: Sequence[Customer]) -> list[Customer]:
        """Put most customers of the software line into firms of one to four contacts."""
        chance = self._chance
        firms = count(7001)
        employed: list[Customer] = []
        firm_no, seats = 0, 0
        for customer in drawn:
            if Line.SOFTWARE not in customer.lines or not happens(chance, _IN_FIRM_PPM):
                employed.append(customer)
                continue
            if seats == 0:
                firm_no, seats = next(firms), between(chance, 1, 5)
                name = f"{one_of(chance, FIRMS)} {firm_no}"
                firm = Firm(firm_no, name, one_of(chance, ("Team", "Scale")), customer.number, "laufend")
                self._journal.write(firm, self._before())
            seats -= 1
            row = customer.row._replace(firm_no=firm_no)
            employed.append(Customer(row=row, place=customer.place, lines=customer.lines))
        return employed

    def _before(self) -> Second:
        """Draw a second in the ninety days before the company's start."""
        return self._since - between(self._chance, HOUR, 90 * DAY)

    def _changes(self, customer: Customer) -> None:
        """Move a few people to another postcode, and re-write some rows at night without any change."""
        chance = self._chance
        days = (self._until - self._since) // DAY
        row = customer.row
        at = self._since
        for _ in range(days):
            at += DAY
            if happens(chance, _MOVES_PER_DAY_PPM):
                row = row._replace(plz=postcode_of(customer.place, chance))
                self._journal.write(row, at + between(chance, 6 * HOUR, 20 * HOUR))
            elif happens(chance, _NIGHTLY_PPM):
                self._journal.write(row, at + 2 * HOUR)


def _state(index: int) -> str:
    if _TEST.has(index):
        return "test"
    if _STAFF.has(index):
        return "mitarbeiter"
    return "gekuendigt" if _CLOSED.has(index) else "aktiv"


def _mailbox(given: str) -> str:
    """Return the plain letters of a given name, or a neutral word where there are none."""
    plain = unicodedata.normalize("NFKD", given).encode("ascii", "ignore").decode().lower()
    return "".join(char for char in plain if char.isalpha()) or "kontakt"
