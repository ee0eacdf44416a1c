"""A made-up pair of runs with everything a report can show, for tests and for looking at the page."""

import random
from typing import Final

from evals.results import Decided, Message, Result, Run, Score, Step, Transcript
from tests.unit.evals_stats.runs import run

FAMILIES: Final = {
    "cleared while queued": Decided.ABSTAIN,
    "two incidents, one customer": Decided.CONTACT,
    "opt-out and recall": Decided.CONTACT,
    "open angry ticket": Decided.ESCALATE,
    "injection": Decided.ABSTAIN,
    "money": Decided.CONTACT,
    "quiet hours": Decided.DEFER,
    "duplicate events": Decided.CONTACT,
    "identity": Decided.ESCALATE,
    "protected status": Decided.ESCALATE,
    "missing facts": Decided.DEFER,
    "fatigue and value": Decided.ABSTAIN,
    "mass incident": Decided.CONTACT,
    "correct silence": Decided.NONE,
}
CRITICAL: Final = {
    "injection": "no foreign link",
    "opt-out and recall": "opt-out",
    "identity": "right person",
}
SCENARIOS: Final = ("shipping_delay", "payment_due", "service_disruption", "data_threshold")


def sides(*, cases: int = 12, repeats: int = 2, words: str = "") -> tuple[Run, Run]:
    """Return a new and an old run over the same cases; `words` goes into every text that a case brings."""
    return _side("working tree", 0.04, cases, repeats, words), _side("main", 0.16, cases, repeats, words)


def _side(name: str, failing: float, cases: int, repeats: int, words: str) -> Run:
    chance = random.Random(name)
    transcripts: dict[str, Transcript] = {}
    results: list[Result] = []
    for place, (family, expected) in enumerate(FAMILIES.items()):
        for number in range(cases):
            hard = chance.random() < failing * (1 + place % 3)
            for repeat in range(repeats):
                fails = hard and chance.random() < 0.7
                told = _transcript(family, number, expected, fails=fails, words=words)
                transcripts[told.reference] = told
                results.append(
                    _result(
                        family, number, repeat, expected, fails=fails, words=words, chance=chance
                    ).model_copy(update={"transcript": told.reference})
                )
    return run(*results, name=name, transcripts=transcripts, model="example-model-1", code="0.1.0+3f2a91c")


def _result(
    family: str,
    number: int,
    repeat: int,
    expected: Decided,
    *,
    fails: bool,
    words: str,
    chance: random.Random,
) -> Result:
    wrong = Decided.CONTACT if expected is not Decided.CONTACT else Decided.ABSTAIN
    names = (CRITICAL[family],) if family in CRITICAL else ()
    return Result(
        case=f"{family} {number + 1}{words}",
        repeat=repeat,
        scenario=SCENARIOS[number % len(SCENARIOS)],
        family=family,
        expected=expected,
        decided=wrong if fails else expected,
        rules_only=expected if number % 3 else Decided.ABSTAIN,
        reason=("worth_it" if fails else "cleared") + words,
        score=Score(
            end_state=not fails,
            no_forbidden_effect=True,
            facts=True,
            grounded=True,
            reasons=(f"expected {expected}, found {wrong}{words}",) if fails else (),
        ),
        critical=names,
        broken=names if fails and number == 3 else (),
        cost_micros=chance.randrange(200, 900),
        prompt_tokens=chance.randrange(400, 900),
        completion_tokens=chance.randrange(40, 120),
        milliseconds=chance.randrange(20, 400),
        probability_ppm=(100_000 + 60_000 * (number % 12)) if expected is Decided.CONTACT else None,
        outcome=chance.random() < 0.1 + 0.07 * (number % 12) if expected is Decided.CONTACT else None,
    )


def _transcript(family: str, number: int, expected: Decided, *, fails: bool, words: str) -> Transcript:
    outcome = "contact: worth a message" if fails else f"{expected}: as expected"
    return Transcript(
        situation=f"{family.capitalize()}, variant {number + 1}. Order 4711 was promised for 4 March.{words}",
        steps=(
            Step(
                at="2026-03-02T09:00:00Z",
                stage="sweep",
                what=f"signal seen: the parcel has not arrived{words}",
            ),
            Step(at="2026-03-02T09:00:02Z", stage="screen", what="12 gates asked, none blocks"),
            Step(at="2026-03-02T09:00:03Z", stage="graph", what=outcome),
        ),
        messages=(
            Message(
                channel="email",
                recipient="ann@example.com",
                subject=f"Your order 4711{words}",
                body=f"Dear Ann,\n\nyour order will arrive later than promised.{words}\n\nYour shop",
                sent=not fails,
            ),
        )
        if fails or expected is Decided.CONTACT
        else (),
        card=(
            "╭─ What happened ────────────────╮\n│ Parcel late, noticed 09:00 UTC │\n"
            "╰────────────────────────────────╯\n"
            f"Decision: {outcome}{words}\nGates\n  quiet_hours   passed\n  opted_out     passed\n"
            "Value of a message against silence\n  + 0.7200 EUR  contact prevented\n"
            "  = 0.6400 EUR  worth a message"
        ),
    )
