"""What people said about being contacted, before the company's start and later."""

from itertools import count
from random import Random
from typing import Final

from tools.sim.chance import between, happens, one_of
from tools.sim.journal import Journal
from tools.sim.moments import DAY, HOUR, Second, stamp
from tools.sim.people import Customer
from tools.sim.rows import Consent

_WAYS: Final = ("mail", "sms", "push")
_SILENT_PPM: Final = 90_000
_SERVICE_NO_PPM: Final = 60_000
_UNDECIDED_PPM: Final = 40_000
_ADVERTS_YES_PPM: Final = 350_000
_ADVERTS_ASKED_PPM: Final = 600_000
_LATER_PER_DAY_PPM: Final = 900


class Consents:
    """Draws what people said about being contacted, before the start and during the time."""

    def __init__(self, journal: Journal, chance: Random, *, since: Second, until: Second) -> None:
        self._journal = journal
        self._chance = chance
        self._since = since
        self._until = until
        self._entries = count(1)

    def draw(self, customer: Customer) -> None:
        """Write the answers of one customer; about one in eleven was never asked."""
        chance = self._chance
        if happens(chance, _SILENT_PPM):
            return
        asked = self._since - between(chance, DAY, 400 * DAY)
        reachable = (customer.row.mail, customer.row.handy, customer.row.push_id)
        for way, address in zip(_WAYS, reachable, strict=True):
            if address is None:
                continue
            answer = "nein" if happens(chance, _SERVICE_NO_PPM) else "ja"
            if happens(chance, _UNDECIDED_PPM):
                answer = "offen"
            self._say(customer.number, way, "service", answer, asked)
            if happens(chance, _ADVERTS_ASKED_PPM):
                self._say(
                    customer.number,
                    way,
                    "werbung",
                    "ja" if happens(chance, _ADVERTS_YES_PPM) else "nein",
                    asked,
                )
        self._change_of_mind(customer)

    def _change_of_mind(self, customer: Customer) -> None:
        """Let one in a thousand a day take back or give consent for one way."""
        chance = self._chance
        days = (self._until - self._since) // DAY
        for day in range(days):
            if happens(chance, _LATER_PER_DAY_PPM):
                at = self._since + day * DAY + between(chance, 6 * HOUR, 22 * HOUR)
                way = "mail" if customer.row.mail else "sms"
                self._say(customer.number, way, "service", one_of(chance, ("nein", "nein", "ja")), at)

    def _say(self, person_no: int, way: str, purpose: str, answer: str, at: Second) -> None:
        entry = next(self._entries)
        row = Consent(
            entry_no=entry,
            person_no=person_no,
            weg=way,
            zweck=purpose,
            antwort=answer,
            quelle=one_of(self._chance, ("web_formular", "hotline", "app", "vertrag")),
            said_on=stamp(at),
            beleg=f"form-{entry:06}" if answer == "ja" else None,
        )
        self._journal.write(row, at)
