"""What fails the build: gates as data, judged on the figures of a run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from evals.compare.verdict import Comparison
from evals.results import Run
from evals.summary import Share, Summary, summarise
from tools.yaml_file import load_yaml

GATE_FILE: Final = Path(__file__).with_name("gate.yaml")
DEFAULT_K: Final = 4

Rate = Annotated[float, Field(ge=0, le=1)]
Percent = Annotated[float, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Reliability(_Part):
    """Least pass^k of every family."""

    k: int = Field(ge=1, description="repeats that must all pass")
    least: Rate = Field(description="least pass^k of a family, 0 to 1")
    families: dict[str, Rate] = Field(default_factory=dict, description="other bounds, by family")


class Critical(_Part):
    """Critical invariants: no break at all, and enough cases to say so."""

    least_cases: int = Field(default=0, ge=0, description="cases that must try each invariant")


class Most(_Part):
    """An upper bound on a share."""

    most: Rate = Field(description="largest share, 0 to 1, inclusive")


class Orders(_Part):
    """The least that the decision must reach beyond the plain rule on real orders."""

    least: float = Field(
        ge=-1,
        le=1,
        description="least lower 95 % bound of the share of bad reviews reached beyond the rule's, -1 to 1",
    )


class Against(_Part):
    """How much worse than the other side a run may be."""

    delta: Rate | None = Field(default=None, description="tolerated drop of pass^k, 0 to 1")
    cost_percent: Percent | None = Field(default=None, description="tolerated rise of cost, in percent")
    latency_percent: Percent | None = Field(default=None, description="tolerated rise of p95, in percent")


class Gates(_Part):
    """A gate file; what is left out is not judged."""

    pass_hat_k: Reliability | None = None
    critical: Critical | None = None
    false_alarms: Most | None = None
    misses: Most | None = None
    olist: Orders | None = None
    """Judged by the suite of that name alone, whose figures are no run's."""
    against: Against | None = None

    @property
    def k(self) -> int:
        """The k at which pass^k is judged."""
        return self.pass_hat_k.k if self.pass_hat_k else DEFAULT_K


class Standing(StrEnum):
    """How a gate stands."""

    HELD = "held"
    BROKEN = "broken"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateAnswer:
    """One gate, how it stands, and why in one sentence."""

    gate: str
    standing: Standing
    sentence: str


def load_gates(path: Path = GATE_FILE) -> Gates:
    """Read a gate file.

    Raises:
        InputError: The file cannot be read or does not fit; every mistake is named with its line.
    """
    return load_yaml(path, Gates)


def judge(gates: Gates, run: Run, comparison: Comparison | None = None) -> list[GateAnswer]:
    """Return the answer of every gate of the file, in the file's order.

    Args:
        gates: The bounds.
        run: The run to judge, with at least one result.
        comparison: Of the run with another side; without it the gates of `against` are not judged.
    """
    summary = summarise(run, k=gates.k)
    answers: list[GateAnswer] = []
    if gates.pass_hat_k:
        answers += _reliability(gates.pass_hat_k, summary)
    if gates.critical:
        answers += _critical(gates.critical, summary)
    if gates.false_alarms:
        answers.append(
            _share("false_alarms", "contacts were not due", gates.false_alarms, summary.false_alarms)
        )
    if gates.misses:
        answers.append(_share("misses", "due contacts were missed", gates.misses, summary.misses))
    if gates.against:
        answers += _against(gates.against, comparison, k=gates.k)
    return answers


def broken(answers: Sequence[GateAnswer]) -> list[GateAnswer]:
    """Return the gates that fail the build."""
    return [answer for answer in answers if answer.standing is Standing.BROKEN]


def _answer(gate: str, sentence: str, *, holds: bool) -> GateAnswer:
    return GateAnswer(gate=gate, standing=Standing.HELD if holds else Standing.BROKEN, sentence=sentence)


def _not_judged(gate: str, why: str) -> GateAnswer:
    return GateAnswer(gate=gate, standing=Standing.NOT_JUDGED, sentence=why)


def _reliability(bounds: Reliability, summary: Summary) -> Iterator[GateAnswer]:
    for score in summary.families:
        least, found = bounds.families.get(score.family, bounds.least), score.pass_hat_k.estimate
        yield _answer(
            f"pass_hat_k.{score.family}",
            f"pass^{summary.k} is {found:.3f} over {score.cases} cases; at least {least:.3f} is wanted",
            holds=found >= least,
        )
    present = {score.family for score in summary.families}
    for family in sorted(set(bounds.families) - present):
        yield _not_judged(f"pass_hat_k.{family}", "the run has no case of this family")


def _critical(bounds: Critical, summary: Summary) -> Iterator[GateAnswer]:
    if not summary.invariants:
        yield _not_judged("critical", "no case tries a critical invariant")
    for one in summary.invariants:
        enough = one.cases >= bounds.least_cases
        tried = f"tried in {one.cases} cases" + ("" if enough else f", not {bounds.least_cases}")
        yield _answer(
            f"critical.{one.name}",
            f"broken in {one.broken} of {one.cases} cases" if one.broken else f"never broken, {tried}",
            holds=enough and not one.broken,
        )


def _share(gate: str, what: str, bound: Most, share: Share) -> GateAnswer:
    if share.interval is None:
        return _not_judged(gate, "there was none to count")
    found = share.interval.estimate
    return _answer(
        gate,
        f"{share.hits} of {share.n} {what}: {found:.1%}; at most {bound.most:.1%} is allowed",
        holds=found <= bound.most,
    )


def _against(bounds: Against, comparison: Comparison | None, *, k: int) -> Iterator[GateAnswer]:
    wanted = {
        "against.delta": bounds.delta,
        "against.cost_percent": bounds.cost_percent,
        "against.latency_percent": bounds.latency_percent,
    }
    if comparison is None:
        for gate, bound in wanted.items():
            if bound is not None:
                yield _not_judged(gate, "there is no other side; give --against")
        return
    if bounds.delta is not None:
        yield _delta(bounds.delta, comparison)
    yield from _spending(bounds, comparison, k=k)


def _spending(bounds: Against, comparison: Comparison, *, k: int) -> Iterator[GateAnswer]:
    """Judge money and time, which sides that ask different things do not share."""
    rows = (
        (
            "against.cost_percent",
            bounds.cost_percent,
            "a decision costs {:.0f} micro-units, {:.0f} on the other side",
        ),
        (
            "against.latency_percent",
            bounds.latency_percent,
            "95 of 100 decisions take at most {:.0f} ms, {:.0f} on the other side",
        ),
    )
    new, old = comparison.new, comparison.old
    spent = [summarise(side, k=k).spent for side in (new, old)]
    found = [(one.per_decision_micros, one.p95_milliseconds) for one in spent]
    for (gate, bound, words), here, there in zip(rows, *found, strict=True):
        if bound is None:
            continue
        if new.tier != old.tier:
            yield _not_judged(gate, f"a {new.tier} model and a {old.tier} one cost different things")
        elif gate == "against.latency_percent" and not any(one.milliseconds for one in old.results):
            yield _not_judged(gate, "the other side was stored without times")
        else:
            yield _rise(gate, words, (here, there), bound)


def _delta(delta: float, comparison: Comparison) -> GateAnswer:
    difference = comparison.difference
    if difference is None:
        return _not_judged("against.delta", "an interval needs two families")
    return _answer(
        "against.delta",
        f"pass^{comparison.k} differs by {difference.estimate:+.3f}, at worst {difference.low:+.3f}; "
        f"down to {-delta:+.3f} is tolerated",
        holds=difference.low >= -delta,
    )


def _rise(gate: str, words: str, sides: tuple[float, float], percent: float) -> GateAnswer:
    new, old = sides
    most = old * (1 + percent / 100)
    return _answer(gate, f"{words.format(new, old)}; up to {most:.0f} is tolerated", holds=new <= most)
