"""The Olist suite as `outrider eval --suite olist` runs it: figures, one gate, and a page."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.cli.output import console, narrate, print_json
from evals.gate import GateAnswer, Gates, Standing
from evals.olist.report import olist_form, olist_view
from evals.olist.suite import OlistScore, score_olist
from evals.olist.web_page import olist_page
from evals.redteam.texts import OLIST, missing_sets, texts_folder
from evals.report.outputs import write_text
from evals.report.words import points
from tools.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a person asked of the suite."""

    gates: Gates
    playbook: Path
    """Of shipping delays; it decides when to write."""
    as_json: bool = False
    html: Path | None = None


def why_not_here() -> str:
    """Return why the suite cannot be scored here; empty when it can."""
    return missing_sets((OLIST,))


def refuse_others(suites: Sequence[str], options: dict[str, object]) -> None:
    """Refuse what makes no sense for orders.

    Args:
        suites: All that were named.
        options: Option → what was given; None and an empty list are nothing.

    Raises:
        InputError: Another suite was named too, or an option for cases was given.
    """
    if set(suites) != {OLIST}:
        raise InputError(
            "the Olist suite scores orders, not cases", field="--suite", remedy="run it by itself"
        )
    for option, given in options.items():
        if given:
            raise InputError(
                f"the Olist suite knows no {option}: it scores orders, not cases",
                field=option,
                remedy="leave it away; --json and --html give the figures",
            )


def score_asked(asked: Asked) -> int:
    """Score the suite, print it, write the page, and return the exit code: 1 when its gate is broken.

    Where the files are not here, that is said, and the exit code is 0.

    Raises:
        InputError: A file is missing or cannot be written, or the reader of parquet files is not installed.
    """
    if why := why_not_here():
        narrate(f"Skipped {OLIST}: {why}.")
        if asked.as_json:
            print_json({"suite": OLIST, "skipped": why})
        return 0
    narrate("Scoring the orders; this takes some ten seconds.")
    score = score_olist(texts_folder() / OLIST, playbook=asked.playbook)
    answer = olist_answer(asked.gates, score)
    if asked.html:
        write_text(asked.html, olist_page(score, answer))
    if asked.as_json:
        print_json(_form(score, answer))
    else:
        console().print(olist_view(score, answer))
    sys.stdout.flush()
    return int(answer is not None and answer.standing is Standing.BROKEN)


def olist_answer(gates: Gates, score: OlistScore) -> GateAnswer | None:
    """Return how the suite's gate stands; None when the file has none."""
    if gates.olist is None:
        return None
    found = score.advantages[0].difference
    return GateAnswer(
        gate="olist.least",
        standing=Standing.HELD if found.low >= gates.olist.least else Standing.BROKEN,
        sentence=(
            f"bad reviews reached beyond the rule at equal notices: {points(found.estimate)}, "
            f"at worst {points(found.low)}; at least {points(gates.olist.least)} is wanted"
        ),
    )


def _form(score: OlistScore, answer: GateAnswer | None) -> dict[str, object]:
    gates = [answer] if answer else []
    return {
        "suite": OLIST,
        **olist_form(score),
        "ok": all(one.standing is Standing.HELD for one in gates),
        "gates": [
            {"gate": one.gate, "standing": one.standing.value, "sentence": one.sentence} for one in gates
        ],
    }
