"""The hidden truth: when each person would contact the company, and whether a message in time prevents it."""

from collections.abc import Iterator
from enum import StrEnum
from random import Random
from typing import Final, NamedTuple

from tools.sim.chance import MILLION, between, clipped_normal, happens, one_of
from tools.sim.moments import HOUR, MINUTE, Second


class Cause(StrEnum):
    """Why a person would contact the company."""

    LATE_PARCEL = "late_parcel"
    BILL_DUE = "bill_due"
    OUTAGE = "outage"
    DATA_LOW = "data_low"
    OTHER = "other"
    """Something no message of ours prevents."""


class About(NamedTuple):
    """A business object in the company's words."""

    kind: str
    key: str


class Truth(NamedTuple):
    """One trouble of one person and what follows from it unless a message comes first."""

    truth_no: int
    person_no: int
    about_kind: str | None
    about_key: str | None
    cause: str
    grund: str
    """The contact's reason in the company's codes."""
    trouble_at: Second
    would_contact_at: Second | None
    """None when this person would not contact the company about it."""
    prevent_ppm: int
    """Probability that a message sent before `would_contact_at` prevents the contact."""
    induced_ppm: int
    """Probability that a message makes this person contact the company."""
    draw_ppm: int
    """The draw that decides: prevented when told in time and below `prevent_ppm`."""


class _Habit(NamedTuple):
    contact_ppm: int
    wait: Second
    """Mean time from the trouble to the contact."""
    prevent_ppm: int
    grund: tuple[str, ...]


_HABITS: Final[dict[Cause, _Habit]] = {
    Cause.LATE_PARCEL: _Habit(
        300_000, 20 * HOUR, 420_000, ("wo_ist_paket", "lieferung_spaet", "nicht_erhalten")
    ),
    Cause.BILL_DUE: _Habit(120_000, 36 * HOUR, 400_000, ("faellig_wann", "mahngebuehr", "wie_bezahlen")),
    Cause.OUTAGE: _Habit(200_000, 70 * MINUTE, 450_000, ("dienst_weg", "login_geht_nicht", "status_frage")),
    Cause.DATA_LOW: _Habit(150_000, 30 * HOUR, 450_000, ("daten_stand", "daten_langsam", "hohe_rechnung")),
}
_PREVENT_SPREAD: Final = 120_000
_INDUCED: Final = 25_000
_INDUCED_SPREAD: Final = 8_000
_OTHER_PER_PREVENTABLE: Final = 65 / 35
_OTHER_REASONS: Final = (
    "adresse_aendern",
    "ruecksendung",
    "produktfrage",
    "kuendigen",
    "lob",
    "sonstiges",
    "rechnung_kopie",
)


class Truths:
    """Draws what people would do, one trouble after another."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._drawn: list[Truth] = []

    def __iter__(self) -> Iterator[Truth]:
        """Iterate over what was drawn so far, in the order drawn."""
        return iter(self._drawn)

    def trouble(self, person_no: int, about: About, cause: Cause, *, since: Second, until: Second) -> None:
        """Draw whether and when a person contacts the company about a trouble.

        Args:
            person_no: Who has the trouble.
            about: The object in trouble.
            cause: What kind of trouble.
            since: From when the person may notice.
            until: When it is over; a contact comes before that.
        """
        chance = self._chance
        habit = _HABITS[cause]
        contact = None
        if happens(chance, habit.contact_ppm):
            contact = since + int(chance.expovariate(1 / habit.wait))
            if contact >= until:
                contact = between(chance, since, max(until, since + 1))
        self._draw(person_no, about, cause, one_of(chance, habit.grund), since, contact)

    def others(self, people: list[int], *, since: Second, until: Second) -> None:
        """Draw the contacts nobody can prevent: 65 of 100, spread evenly over the time."""
        chance = self._chance
        preventable = sum(truth.would_contact_at is not None for truth in self._drawn)
        for _ in range(round(preventable * _OTHER_PER_PREVENTABLE)):
            at = between(chance, since, until)
            self._draw(one_of(chance, people), None, Cause.OTHER, one_of(chance, _OTHER_REASONS), at, at)

    def _draw(
        self,
        person_no: int,
        about: About | None,
        cause: Cause,
        grund: str,
        since: Second,
        contact: Second | None,
    ) -> None:
        chance = self._chance
        mean = _HABITS[cause].prevent_ppm if cause in _HABITS else 0
        self._drawn.append(
            Truth(
                truth_no=len(self._drawn) + 1,
                person_no=person_no,
                about_kind=about.kind if about else None,
                about_key=about.key if about else None,
                cause=cause.value,
                grund=grund,
                trouble_at=since,
                would_contact_at=contact,
                prevent_ppm=clipped_normal(chance, mean, _PREVENT_SPREAD) if mean else 0,
                induced_ppm=clipped_normal(chance, _INDUCED, _INDUCED_SPREAD) if about else 0,
                draw_ppm=between(chance, 0, MILLION),
            )
        )
