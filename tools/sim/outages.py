"""Outages of services and sites, from the first alarm to the last word, some told wrongly at first."""

from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Final

from tools.sim.chance import between, happens, one_of, weighted
from tools.sim.journal import Journal
from tools.sim.moments import DAY, HOUR, MINUTE, Second, stamp
from tools.sim.names import HOSTILE_OUTAGE_TITLE
from tools.sim.people import Line
from tools.sim.rows import Outage
from tools.sim.truth import About, Cause, Truths

OUTAGE: Final = "stoerung"
"""The company's word for an outage in `about_kind`."""
SERVICES: Final = ("login", "api", "reports", "mailer", "files")
SITES: Final = tuple(f"{town}-{number:02}" for town in ("BER", "LON", "NYC", "SAO") for number in (1, 2, 3))

_MEAN_GAP: Final = 30 * HOUR
_HOSTILE: Final = 3
_REOPENED: Final = 2
_REOPENED_EVERY: Final = 9
_GRADES: Final = (("gross", 420_000), ("kritisch", 180_000), ("klein", 400_000))
_FALSE_ALARM_PPM: Final = 150_000
_PLANNED_EVERY: Final = 8
_ETA_KNOWN_PPM: Final = 550_000
_WIDER_PPM: Final = 200_000
_POSTCODES_HIT: Final = 8
_SHORTEST_TOLD: Final = 6 * MINUTE


@dataclass(slots=True)
class Reach:
    """Who hangs on what: persons with a contract by service, site and postcode."""

    by_service: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    by_site: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    by_postcode: dict[str, list[int]] = field(default_factory=dict[str, list[int]])

    def touched(self, outage: Outage) -> list[int]:
        """Return the persons in the scope of an outage, each once, sorted."""
        found = {int(person) for person in _items(outage.personen)}
        for index, listed in ((self.by_service, outage.dienste), (self.by_site, outage.standorte)):
            for key in _items(listed):
                found.update(index.get(key, ()))
        return sorted(found)


class Outages:
    """Draws outages of the software and the network line in turn."""

    def __init__(
        self, journal: Journal, truths: Truths, chance: Random, reach: Reach, *, since: Second, until: Second
    ) -> None:
        self._journal = journal
        self._truths = truths
        self._chance = chance
        self._reach = reach
        self._since = since
        self._until = until
        self._numbers = count(9001)

    def draw(self) -> None:
        """Write all outages; the first begins on the second day."""
        at = self._since + DAY + between(self._chance, 0, 12 * HOUR)
        number = 0
        while at < self._until:
            line = Line.SOFTWARE if number % 2 == 0 else Line.NETWORK
            if number % _PLANNED_EVERY == _PLANNED_EVERY - 1:
                self._planned(self._new(line, at, number), at)
            else:
                self._outage(self._new(line, at, number), at, number)
            number += 1
            at += _MEAN_GAP // 2 + between(self._chance, 0, _MEAN_GAP)

    def _new(self, line: Line, at: Second, number: int) -> Outage:
        chance = self._chance
        service, site, persons = "", "", ""
        if line is Line.SOFTWARE:
            service = one_of(chance, SERVICES)
            title = f"{service}: erhöhte Fehlerrate"
        elif number % 4 == 1 or not self._reach.by_postcode:
            site = one_of(chance, SITES)
            title = f"Standort {site} ohne Verbindung"
        else:
            known = sorted(self._reach.by_postcode)
            hit = {one_of(chance, known) for _ in range(_POSTCODES_HIT)}
            persons = ",".join(str(person) for plz in sorted(hit) for person in self._reach.by_postcode[plz])
            title = "Kabelschaden"
        outage_no = next(self._numbers)
        return Outage(
            outage_no=outage_no,
            art="dienst" if service else "netz",
            title=HOSTILE_OUTAGE_TITLE if number == _HOSTILE else title,
            state="gemeldet",
            # the first ones are serious, so that a short demo has something to tell
            grad=weighted(chance, _GRADES) if number > 1 else "gross",
            bestaetigt=0,
            dienste=service,
            standorte=site,
            personen=persons,
            began_on=stamp(at),
            eta_on=None,
            solved_on=None,
            next_word_on=None,
            link=f"https://status.example.com/{outage_no}",
        )

    def _planned(self, outage: Outage, at: Second) -> None:
        """Planned work: announced days before, never a surprise."""
        outage = outage._replace(state="geplant", grad="keine", art="wartung", title="Wartungsarbeiten")
        self._journal.write(outage, max(self._since, at - 2 * DAY))
        end = at + between(self._chance, HOUR, 4 * HOUR)
        self._journal.write(outage._replace(state="behoben", solved_on=stamp(end)), end)

    def _outage(self, outage: Outage, at: Second, number: int) -> None:
        chance = self._chance
        self._journal.write(outage, at + between(chance, 0, 3 * MINUTE))
        confirmed = at + between(chance, 4 * MINUTE, 25 * MINUTE)
        if number > 1 and happens(chance, _FALSE_ALARM_PPM):
            self._journal.write(outage._replace(state="behoben", solved_on=stamp(confirmed)), confirmed)
            return
        end = confirmed + between(chance, 40 * MINUTE, 7 * HOUR)
        outage = outage._replace(
            state="bestaetigt",
            bestaetigt=1,
            eta_on=stamp(end + between(chance, -20 * MINUTE, HOUR))
            if happens(chance, _ETA_KNOWN_PPM)
            else None,
            next_word_on=stamp(confirmed + HOUR),
        )
        self._journal.write(outage, confirmed)
        middle = (confirmed + end) // 2
        outage = self._wider(outage)._replace(state="ursache_bekannt", next_word_on=stamp(middle + HOUR))
        self._journal.write(outage, middle)
        if number % _REOPENED_EVERY == _REOPENED:
            outage, end = self._reopened(outage, middle, end)
        watching = end - between(chance, 5 * MINUTE, 15 * MINUTE)
        self._journal.write(outage._replace(state="beobachtung", next_word_on=None), watching)
        solved = outage._replace(state="behoben", solved_on=stamp(end), next_word_on=None)
        self._journal.write(solved, end)
        self._trouble(outage, at, end)

    def _wider(self, outage: Outage) -> Outage:
        """Find now and then that a second service or site is touched, too."""
        chance = self._chance
        if not happens(chance, _WIDER_PPM):
            return outage
        if outage.dienste:
            return outage._replace(dienste=_joined(outage.dienste, one_of(chance, SERVICES)))
        if outage.standorte:
            return outage._replace(standorte=_joined(outage.standorte, one_of(chance, SITES)))
        return outage

    def _reopened(self, outage: Outage, middle: Second, end: Second) -> tuple[Outage, Second]:
        """Say it is solved when it is not, and take that back half an hour later."""
        wrong = (middle + end) // 2
        self._journal.write(
            outage._replace(state="behoben", solved_on=stamp(wrong), next_word_on=None), wrong
        )
        again = wrong + 35 * MINUTE
        outage = outage._replace(state="bestaetigt", eta_on=None, next_word_on=stamp(again + HOUR))
        self._journal.write(outage, again)
        return outage, max(end, again) + 2 * HOUR

    def _trouble(self, outage: Outage, at: Second, end: Second) -> None:
        if outage.grad == "klein":
            return
        for person_no in self._reach.touched(outage):
            self._truths.trouble(
                person_no,
                About(OUTAGE, str(outage.outage_no)),
                Cause.OUTAGE,
                since=at + _SHORTEST_TOLD,
                until=end,
            )


def _items(listed: str) -> list[str]:
    return [item for item in listed.split(",") if item]


def _joined(listed: str, more: str) -> str:
    return ",".join(sorted({*listed.split(","), more}))
