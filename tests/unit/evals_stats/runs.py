"""Builders of results and runs."""

from typing import Any

from evals.results import Decided, Message, Result, Run, Score, Step, Transcript
from evals.stats.worth import CostTable

GOOD = Score(end_state=True, no_forbidden_effect=True, facts=True, grounded=True)
COSTS = CostTable(currency="EUR", reached=4_000_000, false_alarm=500_000, missed=0, person=800_000)


def result(case: str = "late parcel 1", **changes: Any) -> Result:
    """Return a repeat that passed."""
    fields: dict[str, Any] = {
        "case": case,
        "repeat": 0,
        "scenario": "shipping_delay",
        "family": "cleared while queued",
        "expected": Decided.CONTACT,
        "decided": Decided.CONTACT,
        "score": GOOD,
    }
    return Result(**{**fields, **changes})


def failed(case: str = "late parcel 1", **changes: Any) -> Result:
    """Return a repeat that did not pass."""
    score = GOOD.model_copy(update={"end_state": False, "reasons": ("the outbox is empty",)})
    return result(case, **{"score": score, "decided": Decided.ABSTAIN, **changes})


def run(*results: Result, **changes: Any) -> Run:
    """Return a run of these results."""
    fields: dict[str, Any] = {
        "name": "working tree",
        "suites": ("families",),
        "dataset_hash": "d" * 64,
        "code": "0.1.0",
        "model": "rules",
        "repeats": max((one.repeat for one in results), default=0) + 1,
        "seed": 1,
        "at": "2026-11-28T08:00:00Z",
        "costs": COSTS,
        "results": results,
    }
    return Run(**{**fields, **changes})


def transcript(words: str = "Your parcel is late.") -> Transcript:
    """Return a transcript with one message."""
    return Transcript(
        situation=f"A parcel is late. {words}",
        steps=(Step(at="2026-11-28T08:00:00Z", stage="screen", what=words),),
        messages=(
            Message(channel="email", recipient="ann@example.com", subject="Late", body=words, sent=True),
        ),
        card=f"Decision: contact\n{words}",
    )
