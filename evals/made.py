"""The suites that are made on request, by name."""

from collections.abc import Callable, Mapping
from typing import Final

from evals.cases.model import Case
from evals.generated.critical import identities, injections, opt_outs, protected_people, repeated_events
from evals.redteam.suites import harmless, redteam
from evals.suites import Made, Make


def _generated(make: Callable[[int], tuple[Case, ...]]) -> Make:
    return lambda seed: Made(cases=make(seed))


MADE_SUITES: Final[Mapping[str, Make]] = {
    "generated_opt_out": _generated(opt_outs),
    "generated_injection": _generated(injections),
    "generated_repeated_events": _generated(repeated_events),
    "generated_identity": _generated(identities),
    "generated_protected": _generated(protected_people),
    "redteam": redteam,
    "harmless": harmless,
}
