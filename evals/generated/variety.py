"""What varies in generated cases: scenario, language, zone, date, and how customers can be reached."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

from evals.cases.loading import check_worlds
from evals.cases.model import Case, Family

SCENARIOS: Final = ("shipping_delay", "payment_due", "service_disruption", "data_threshold")
CHANNELS: Final = {
    "shipping_delay": ("email", "sms"),
    "payment_due": ("email", "sms"),
    "service_disruption": ("email", "push"),
    "data_threshold": ("sms", "email"),
}
OBJECTS: Final = {
    "shipping_delay": "order",
    "payment_due": "invoice",
    "service_disruption": "incident",
    "data_threshold": "usage",
}
OVER: Final[dict[str, dict[str, Any]]] = {
    "shipping_delay": {"order": {"status": "delivered"}, "shipment": {"status": "delivered"}},
    "payment_due": {"invoice": {"status": "paid"}},
    "service_disruption": {"incident": {"status": "resolved"}},
    "data_threshold": {"usage": {"value": 100}},
}
"""Records with which there is nothing to tell."""
REVIEWED: Final = ("shipping_delay", "payment_due", "service_disruption")
TWINS: Final = {
    "shipping_delay": ("delay.base", "delay.delivered"),
    "payment_due": ("payment.base", "payment.paid"),
    "service_disruption": ("disruption.base", "disruption.resolved"),
    "data_threshold": ("data.base", "data.far_from_it"),
}
"""Scenario → the hand-made cases with a contact and without one."""
_LOCALES: Final = ("en_US", "en_GB", "de_DE", "pt_BR", "es_ES", "fr_FR", "nl_NL", "ja_JP")
_ZONES: Final = (
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
)
_NAMES: Final = ("Ada Lovelace", "Zoë Müller", "José da Silva", "李 娜", "O'Neil", "Anne-Marie Dupont")
_FIRST_DAY: Final = datetime(2026, 1, 2, tzinfo=UTC)
_HALF: Final = 0.5
NUMBER: Final = 300
"""Cases of a set: without a failure, the true rate of failures is below 1 per cent at 95 % (3/n)."""


@dataclass(frozen=True, slots=True)
class Sketch:
    """A case about to be written, as plain data."""

    random: Random
    scenario: str
    fields: dict[str, Any]
    records: dict[str, Any]

    def one_of(self, *values: Any) -> Any:  # noqa: ANN401  # whatever is chosen from
        """Return one of the values at random."""
        return self.random.choice(values)

    def coin(self) -> bool:
        """Return heads or tails."""
        return self.random.random() < _HALF

    def delay(self) -> str:
        """Return a wait of one to fifty minutes, within the life of every draft."""
        return f"{self.random.randint(1, 50)}m"


Draw = Callable[[Sketch], dict[str, Any]]
"""Fills in a sketch and returns what is expected."""


def generate(family: Family, draw: Draw, seed: int, number: int = NUMBER) -> tuple[Case, ...]:
    """Return cases of a family; the same seed gives the same cases.

    Args:
        family: Of all of them.
        draw: Decides what each case is about.
        seed: Of the set.
        number: How many.
    """
    cases = tuple(_cases(family, draw, seed, number))
    check_worlds(cases)
    return cases


def _cases(family: Family, draw: Draw, seed: int, number: int) -> Iterator[Case]:
    for place in range(number):
        random = Random(f"{family} {seed} {place}")  # noqa: S311  # variety, not secrecy
        scenario = SCENARIOS[place % len(SCENARIOS)]
        sketch = _sketch(random, scenario)
        expected = draw(sketch)
        contact = _first(expected["decision"]) == "contact" and expected.get("messages") != 0
        written = {
            "id": f"generated.{family.value}.{place}",
            "scenario": sketch.fields.pop("scenario", scenario),
            "family": family.value,
            "twin": TWINS[scenario][int(contact)],
            "records": sketch.records,
            "expect": expected,
            **sketch.fields,
        }
        yield Case.model_validate_json(json.dumps(written))


def _sketch(random: Random, scenario: str) -> Sketch:
    """Return a case at noon or later of the customer's day, in which everything speaks for a message."""
    zone = random.choice(_ZONES)
    local = datetime.combine(
        (_FIRST_DAY + timedelta(days=random.randint(0, 360))).date(),
        datetime.min.time(),
        ZoneInfo(zone),
    ) + timedelta(hours=random.randint(9, 17), minutes=random.randint(0, 59))
    customer = {
        "name": random.choice(_NAMES),
        "locale": random.choice(_LOCALES),
        "tz": zone,
        "push_tokens": ["token-c1"],
    }
    fields = {"now": local.astimezone(UTC).isoformat()}
    return Sketch(random, scenario, fields, {"customer": customer})


def _first(decision: str | Sequence[str]) -> str:
    return decision if isinstance(decision, str) else decision[0]
