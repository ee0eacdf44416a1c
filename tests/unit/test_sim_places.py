import re
from itertools import islice
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from babel import Locale

from tools.sim.places import PLACES, PhoneBook, Place

FICTION = re.compile(
    r"\+1\d{3}55501\d\d"
    r"|\+44(7700900|2079460|11[345]4960)\d{3}"
    r"|\+49(17139200|176040690)\d\d"
    r"|\+49(3023125|4066969|6990009)\d{3}"
    r"|\+3363998\d{4}"
    r"|\+612(5550|7010)\d{4}"
)


def many_numbers(place: Place) -> list[str]:
    book = PhoneBook()
    numbers = (book.number(place) for _ in range(5_000))
    return [number for number in islice(numbers, 5_000) if number is not None]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.zone)
def test_telephone_numbers_are_possible_unique_and_kept_free_for_fiction(place: Place) -> None:
    numbers = many_numbers(place)

    assert len(numbers) >= 200
    assert len(set(numbers)) == len(numbers)
    assert all(phonenumbers.is_possible_number(phonenumbers.parse(number)) for number in numbers[::37])
    assert [number for number in numbers if FICTION.fullmatch(number) is None] == []


def test_used_up_ranges_give_no_number() -> None:
    book = PhoneBook()
    denver = next(place for place in PLACES if place.zone == "America/Denver")

    given = [book.number(denver) for _ in range(301)]

    assert given[299] is not None
    assert given[300] is None


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.zone)
def test_a_place_has_a_known_zone_and_language(place: Place) -> None:
    assert ZoneInfo(place.zone).key == place.zone
    assert Locale.parse(place.locale).territory


def test_weights_are_shares_of_a_hundred() -> None:
    assert sum(place.weight for place in PLACES) == 100
