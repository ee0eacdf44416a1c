"""Where customers live: languages, zones, currencies, postcodes, and telephone numbers nobody has.

Numbers come from ranges that regulators keep free for fiction: +1 area code 555 01xx (NANPA), UK drama
numbers (Ofcom), German media numbers (Bundesnetzagentur), +33 6 39 98 (Arcep), +61 5550 and 7010 (ACMA).
Where a country has no such range, its customers have a French number, as people who moved do, or none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from random import Random
from typing import Final

from tools.sim.chance import between


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One kind of home."""

    country: str
    locale: str
    zone: str
    weight: int
    """How many of a hundred customers live there."""
    currency: str
    price_percent: int
    """How many of the currency's smallest units make one hundred euro cents."""
    postcode: str
    """A pattern with `{n}` for a number from 0 to 39."""
    phones: tuple[str, ...]
    """Ranges: every `#` stands for any digit."""


_EASTERN: Final = ("212", "305", "315", "404", "412", "585", "603", "617", "704", "716", "802", "860")
_CENTRAL: Final = ("312", "504", "512", "612", "816")
_MOUNTAIN: Final = ("303", "505", "801")
_PACIFIC: Final = ("213", "310", "415", "503", "619", "702")
_DRAMA_DE: Final = ("+4917139200##", "+49176040690##", "+493023125###", "+494066969###", "+496990009###")
_DRAMA_GB: Final = ("+447700900###", "+442079460###", "+441134960###", "+441144960###", "+441154960###")
_DRAMA_FR: Final = ("+336399800##", "+336399802##", "+336399804##", "+336399806##", "+336399808##")
_MOVED: Final = ("+336399810##", "+336399812##", "+336399814##", "+336399816##", "+336399818##")


def _american(zone: str, weight: int, postcode: str, areas: tuple[str, ...]) -> Place:
    return Place(
        country="US",
        locale="en_US",
        zone=zone,
        weight=weight,
        currency="USD",
        price_percent=110,
        postcode=postcode,
        phones=tuple(f"+1{area}55501##" for area in areas),
    )


def _european(
    country: str, locale: str, zone: str, weight: int, postcode: str, phones: tuple[str, ...]
) -> Place:
    return Place(
        country=country,
        locale=locale,
        zone=zone,
        weight=weight,
        currency="GBP" if country == "GB" else "EUR",
        price_percent=86 if country == "GB" else 100,
        postcode=postcode,
        phones=phones,
    )


def _distant(
    country: str, locale: str, zone: str, weight: int, money: tuple[str, int], postcode: str, *phones: str
) -> Place:
    currency, price_percent = money
    return Place(
        country=country,
        locale=locale,
        zone=zone,
        weight=weight,
        currency=currency,
        price_percent=price_percent,
        postcode=postcode,
        phones=phones or _MOVED,
    )


PLACES: Final = (
    _european("DE", "de_DE", "Europe/Berlin", 32, "10{n:03}", _DRAMA_DE),
    _european("AT", "de_DE", "Europe/Vienna", 2, "10{n:02}", _DRAMA_DE),
    _american("America/New_York", 12, "100{n:02}", _EASTERN),
    _american("America/Chicago", 4, "606{n:02}", _CENTRAL),
    _american("America/Denver", 2, "802{n:02}", _MOUNTAIN),
    _american("America/Los_Angeles", 5, "900{n:02}", _PACIFIC),
    _european("GB", "en_GB", "Europe/London", 12, "N{n} 1AA", _DRAMA_GB),
    _european("FR", "fr_FR", "Europe/Paris", 7, "750{n:02}", _DRAMA_FR),
    _european("ES", "es_ES", "Europe/Madrid", 5, "280{n:02}", _MOVED),
    _european("ES", "es_ES", "Atlantic/Canary", 1, "350{n:02}", _MOVED),
    _distant("BR", "pt_BR", "America/Sao_Paulo", 7, ("BRL", 620), "013{n:02}-100"),
    _distant("BR", "pt_BR", "America/Manaus", 1, ("BRL", 620), "690{n:02}-000"),
    _distant("IN", "en_GB", "Asia/Kolkata", 5, ("INR", 9800), "5600{n:02}"),
    _distant("AU", "en_GB", "Australia/Sydney", 3, ("AUD", 165), "20{n:02}", "+6125550####"),
    _distant("AU", "en_GB", "Australia/Lord_Howe", 1, ("AUD", 165), "2898", "+6127010####"),
    _distant("JP", "en_US", "Asia/Tokyo", 1, ("JPY", 162), "100-00{n:02}"),
)
"""The yen has no smaller unit, so an amount in JPY is whole yen."""


def postcode_of(place: Place, chance: Random) -> str:
    """Draw one of a place's forty postcodes."""
    return place.postcode.format(n=between(chance, 0, 40))


class PhoneBook:
    """Hands out each number once."""

    def __init__(self) -> None:
        self._free: dict[tuple[str, ...], Iterator[str]] = {}

    def number(self, place: Place) -> str | None:
        """Return an unused E.164 number, or None when the ranges of the place are used up."""
        if place.phones not in self._free:
            self._free[place.phones] = _numbers(place)
        return next(self._free[place.phones], None)


def _numbers(place: Place) -> Iterator[str]:
    """Yield the ranges in turn, so that neighbours differ in more than the last digit."""
    ranges = [_range(pattern) for pattern in place.phones]
    return (number for turn in zip_longest(*ranges) for number in turn if number is not None)


def _range(pattern: str) -> Iterator[str]:
    stem, width = pattern.rstrip("#"), pattern.count("#")
    return (f"{stem}{line:0{width}}" for line in range(10**width))
