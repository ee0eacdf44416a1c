"""The suites that are made on request, by name."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from evals.cases.model import Case
from evals.generated.critical import identities, injections, opt_outs, protected_people, repeated_events
from evals.generated.varied import (
    varied_currency,
    varied_locale,
    varied_order,
    varied_together,
    varied_zone,
)
from evals.redteam.suites import harmless, redteam
from evals.suites import Made, Make


def _generated(make: Callable[[int], tuple[Case, ...]]) -> Make:
    return lambda seed, _: Made(cases=make(seed))


def _varied(make: Callable[[int, Sequence[Case]], tuple[Case, ...]]) -> Make:
    return lambda seed, by_hand: Made(cases=make(seed, by_hand))


MADE_SUITES: Final[Mapping[str, Make]] = {
    "generated_opt_out": _generated(opt_outs),
    "generated_injection": _generated(injections),
    "generated_repeated_events": _generated(repeated_events),
    "generated_identity": _generated(identities),
    "generated_protected": _generated(protected_people),
    "varied_locale": _varied(varied_locale),
    "varied_currency": _varied(varied_currency),
    "varied_zone": _varied(varied_zone),
    "varied_order": _varied(varied_order),
    "varied_together": _varied(varied_together),
    "redteam": lambda seed, _: redteam(seed),
    "harmless": lambda seed, _: harmless(seed),
}
