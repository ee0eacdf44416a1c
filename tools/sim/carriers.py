"""Carriers: what their scans say, how late the shop hears of them, and when one falls silent."""

from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Final

from tools.sim.chance import between, happens, one_of
from tools.sim.journal import Journal
from tools.sim.moments import DAY, HOUR, MINUTE, Second, day_end, local_day, stamp
from tools.sim.names import HOSTILE_SCANS
from tools.sim.rows import Parcel, ParcelScan

SHOP_ZONE: Final = "Europe/Berlin"
CARRIERS: Final = ("Gelbpost", "Rotkurier", "Parcelo", "Northway")
_SILENT_CARRIER: Final = "Rotkurier"
_SILENCE: Final = 36 * HOUR
_SILENCE_EVERY: Final = 18 * DAY
_FIRST_SILENCE: Final = 3 * DAY + 6 * HOUR
_STATES: Final = {
    "angemeldet": "Shipment data received",
    "unterwegs": "Abgeholt beim Versender",
    "HUB": "Sorted",
    "verspaetet": "Zustellung verzoegert sich",
    "in_zustellung": "Out for delivery",
    "gescheitert": "Empfaenger nicht angetroffen",
    "abholbereit": "Liegt in der Filiale bereit",
    "zugestellt": "Delivered",
    "ruecksendung": "Return to sender",
    "klaerung": "Address query",
    "DROHNE": "Handed to pilot project",
}
_PLACES: Final = ("Leipzig", "Köln", "Lyon", "Memphis", "Swindon", "Cajamar", "Sydney Gateway", None)
_SWAPPED_PPM: Final = 25_000
_TWICE_PPM: Final = 12_000
_HOSTILE_PPM: Final = 2_000
_UNMAPPED_EVERY: Final = 180
_FIRST_UNMAPPED: Final = 25
ETA_BEFORE_DAY_END: Final = 4 * HOUR
"""An expected time is eight in the evening of the expected day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One scan to come: when, what state, and the expected day's end if it changes."""

    at: Second
    state: str
    eta: Second | None = None


class Carriers:
    """Writes parcels and their scans as the shop receives them."""

    def __init__(self, journal: Journal, chance: Random, *, since: Second) -> None:
        self._journal = journal
        self._chance = chance
        self._since = since
        self._scans = count(1)
        self._new_parcels = count(1)

    def heard(self, carrier: str, at: Second) -> Second | None:
        """Return when the shop hears of a scan during a silence; None outside of one."""
        if carrier != _SILENT_CARRIER or at < self._since + _FIRST_SILENCE:
            return None
        into = (at - self._since - _FIRST_SILENCE) % _SILENCE_EVERY
        if into >= _SILENCE:
            return None
        return at - into + _SILENCE + between(self._chance, 0, 20 * MINUTE)

    def carry(self, parcel: Parcel, stages: list[Stage]) -> None:
        """Write a parcel through its stages: its row, touched by each scan, and the scans."""
        if stages[0].at >= self._since and next(self._new_parcels) % _UNMAPPED_EVERY == _FIRST_UNMAPPED:
            stages = _with_unmapped(stages)
        for number, stage in enumerate(stages):
            first = parcel.eta_first or _text(stage.eta)
            eta = _text(stage.eta) or parcel.eta_now
            parcel = parcel._replace(
                state=stage.state if stage.state != "verspaetet" else "HUB",
                needs_action=int(stage.state in {"abholbereit", "klaerung"}),
                eta_first=first,
                eta_now=eta,
                eta_day=local_day(stage.eta - 1, SHOP_ZONE).isoformat() if stage.eta else parcel.eta_day,
            )
            heard = self.heard(parcel.carrier, stage.at)
            at = stage.at if heard is None else heard
            visible = self._journal.write(parcel, at, visible=heard)
            if heard is None and number + 1 < len(stages) and happens(self._chance, _SWAPPED_PPM):
                at = visible = stages[number + 1].at + between(self._chance, HOUR, 3 * HOUR)
            self._scan(parcel, stage, at, visible)

    def _scan(self, parcel: Parcel, stage: Stage, at: Second, visible: Second) -> None:
        """Write a scan, never before its parcel; some carriers send the same scan twice."""
        chance = self._chance
        words = one_of(chance, HOSTILE_SCANS) if happens(chance, _HOSTILE_PPM) else _STATES[stage.state]
        row = ParcelScan(
            scan_no=next(self._scans),
            parcel_no=parcel.parcel_no,
            scanned_on=stamp(stage.at),
            code=stage.state,
            place=one_of(chance, _PLACES),
            words=words,
        )
        self._journal.write(row, at, visible=visible)
        if happens(chance, _TWICE_PPM):
            again = row._replace(scan_no=next(self._scans))
            self._journal.write(again, visible + between(chance, 5, 10 * MINUTE))


def _text(day_end_second: Second | None) -> str | None:
    return None if day_end_second is None else stamp(day_end_second - ETA_BEFORE_DAY_END)


def _with_unmapped(stages: list[Stage]) -> list[Stage]:
    """Put a state that no mapping knows between the first scans of a parcel."""
    if len(stages) < 2:  # noqa: PLR2004  # it needs two neighbours
        return stages
    before, after = stages[0], stages[1]
    return [before, Stage(at=(before.at + after.at) // 2, state="DROHNE"), *stages[1:]]


def day_end_of(second: Second) -> Second:
    """Return the exclusive end of the day a second falls on, in the shop's zone."""
    return day_end(local_day(second, SHOP_ZONE), SHOP_ZONE)
