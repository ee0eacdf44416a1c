"""Hand-made cases in other languages, currencies, zones and orders of events, with answers that are known."""

import json
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Final

from evals.cases.loading import check_worlds
from evals.cases.model import Case
from evals.generated.by_currency import in_currency, other_currencies
from evals.generated.by_locale import in_locale, other_locales
from evals.generated.by_order import reorder, ways_to_reorder
from evals.generated.elsewhere import live_by, live_in, windows, zones_by_day
from evals.generated.moved import move, ways_to_move
from evals.generated.spelled import Spelled, spell

Vary = Callable[[Spelled], bool]
"""Varies a case; False when there is nothing to vary in it."""
_EACH: Final = 2
"""Variants of a case in one suite, at most."""


def varied_locale(seed: int, cases: Sequence[Case]) -> tuple[Case, ...]:
    """Return the cases with customers of two other locales each."""
    return _varied("varied_locale", [_locale] * _EACH, seed, cases)


def varied_currency(seed: int, cases: Sequence[Case]) -> tuple[Case, ...]:
    """Return the cases that have amounts with the amounts in another currency."""
    return _varied("varied_currency", [_currency], seed, cases)


def varied_zone(seed: int, cases: Sequence[Case]) -> tuple[Case, ...]:
    """Return the cases moved as a whole, and those with customers who alone live elsewhere."""
    return _varied("varied_zone", [_moved, _elsewhere], seed, cases)


def varied_order(seed: int, cases: Sequence[Case]) -> tuple[Case, ...]:
    """Return the cases with their events in two other orders each."""
    return _varied("varied_order", [_order] * _EACH, seed, cases)


def varied_together(seed: int, cases: Sequence[Case]) -> tuple[Case, ...]:
    """Return the cases varied in everything that can be varied in them at once."""
    return _varied("varied_together", [_together], seed, cases)


def _varied(suite: str, ways: Sequence[Vary], seed: int, cases: Sequence[Case]) -> tuple[Case, ...]:
    found = tuple(one for case in cases if not case.known_gap for one in _variants(suite, ways, seed, case))
    check_worlds(found)
    return found


def _variants(suite: str, ways: Sequence[Vary], seed: int, case: Case) -> Iterator[Case]:
    seen: set[str] = set()
    for number, vary in enumerate(ways):
        spelled = spell(case, Random(f"{suite} {seed} {case.id} {number}"))  # noqa: S311  # variety, not secrecy
        if not vary(spelled):
            continue
        how = "-".join(spelled.how)
        if how in seen:
            continue
        seen.add(how)
        fields = spelled.fields | {
            "id": f"{suite}.{case.id}.{how}",
            "title": f"{case.title} Varied: {'; '.join(spelled.told)}.",
        }
        yield Case.model_validate_json(json.dumps(fields))


def _locale(spelled: Spelled) -> bool:
    locales = other_locales(spelled)
    if locales:
        in_locale(spelled, spelled.random.choice(locales))
    return bool(locales)


def _currency(spelled: Spelled) -> bool:
    currencies = other_currencies(spelled)
    if currencies:
        in_currency(spelled, spelled.random.choice(currencies))
    return bool(currencies)


def _moved(spelled: Spelled) -> bool:
    ways = ways_to_move(spelled)
    if ways:
        move(spelled, spelled.random.choice(ways))
    return bool(ways)


def _elsewhere(spelled: Spelled) -> bool:
    if open_later := windows(spelled):
        live_by(spelled, spelled.random.choice(open_later))
        return True
    if zones := zones_by_day(spelled):
        live_in(spelled, spelled.random.choice(zones))
    return bool(zones)


def _order(spelled: Spelled) -> bool:
    reorder(spelled, spelled.random.choice(list(ways_to_reorder(spelled))))
    return True


def _together(spelled: Spelled) -> bool:
    # amounts and orders before languages, which translate what is then expected
    varied = [vary(spelled) for vary in (_order, _currency, _moved, _locale)]
    return sum(varied) > 1
