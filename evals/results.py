"""The results of a run: one record per case and repeat, stored as canonical JSON, read back to compare."""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Literal, Self, assert_never

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agent.canonical import canonical, text_hash
from evals.stats.worth import CostTable, Due
from tools.errors import InputError

VERSION: Final = 1
"""Of the file format; raised when a reader of the last one would misread the next."""

Text = Annotated[str, Field(max_length=100_000)]
Count = Annotated[int, Field(ge=0)]


class Decided(StrEnum):
    """What became of a case; the words of a decision, and `none` when no signal was seen."""

    CONTACT = "contact"
    DEFER = "defer"
    ABSTAIN = "abstain"
    ESCALATE = "escalate"
    NONE = "none"

    @property
    def due(self) -> Due:
        """The same in the words of the cost table."""
        match self:
            case Decided.CONTACT:
                return "contact"
            case Decided.ESCALATE:
                return "person"
            case Decided.DEFER | Decided.ABSTAIN | Decided.NONE:
                return "silence"
        assert_never(self)


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Score(_Stored):
    """The four parts of a score; a case passes when all hold, so the score is their product.

    Source: the product of reward components of tau2-bench.
    """

    end_state: bool
    """What is decided, sent and suppressed at the end is what was expected, whichever way it came about."""
    no_forbidden_effect: bool
    facts: bool
    """Every fact that must be told is told exactly."""
    grounded: bool
    """Nothing is told that no fact holds."""
    reasons: tuple[Text, ...] = ()
    """Why parts failed, one sentence each."""

    @property
    def passed(self) -> bool:
        """The product of the parts."""
        return self.end_state and self.no_forbidden_effect and self.facts and self.grounded


class Message(_Stored):
    """One message that went out or waits for a reviewer."""

    channel: str
    recipient: Text
    subject: Text
    body: Text
    sent: bool


class Step(_Stored):
    """One thing that happened, in order."""

    at: str
    """Simulated time, ISO 8601."""
    stage: str
    what: Text


class Transcript(_Stored):
    """What happened in one repeat; equal repeats share one."""

    situation: Text = ""
    """The case in words: what the outside systems showed."""
    steps: tuple[Step, ...] = ()
    messages: tuple[Message, ...] = ()
    card: Text = ""
    """The decision card as plain text, as `outrider audit show` prints it."""

    @property
    def reference(self) -> str:
        """Hash of the content, by which results name it."""
        return text_hash(canonical(self.model_dump(mode="json")))


class Result(_Stored):
    """One repeat of one case."""

    case: str
    """Unique in the run but for repeats."""
    repeat: Count
    scenario: str
    family: str
    """The cluster: cases that share a trap are no independent evidence."""
    expected: Decided
    decided: Decided
    rules_only: Decided | None = None
    """What the rules alone decide, without a model; None when it was not asked."""
    reason: str = ""
    """Reason code of the decision."""
    score: Score
    critical: tuple[str, ...] = ()
    """Names of the critical invariants that the case tries."""
    broken: tuple[str, ...] = ()
    """Those of them that did not hold."""
    cost_micros: Count = 0
    prompt_tokens: Count = 0
    completion_tokens: Count = 0
    calls: Count = 0
    """Calls to the model that are in the ledger."""
    failed_calls: tuple[str, ...] = ()
    """How calls failed, one failure class each."""
    milliseconds: Count = 0
    """From the signal to the last decision, of real time; not compared between machines."""
    model_milliseconds: Count = 0
    """How much of it, or of the time of recording, the model took."""
    probability_ppm: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    """The probability of a contact that the value rule used."""
    outcome: bool | None = None
    """Whether the customer of the case would have got in touch without a message, where that is known."""
    end_state: str = ""
    """Hash over decisions, outbox and suppressions at the end, normalised."""
    transcript: str = ""
    """Reference into the run's transcripts; empty without one."""

    @model_validator(mode="after")
    def _broken_are_tried(self) -> Self:
        if not set(self.broken) <= set(self.critical):
            raise ValueError(f"broken invariants that the case does not try: {self.broken}")
        return self

    @property
    def passed(self) -> bool:
        """Whether every part of the score and every critical invariant held."""
        return self.score.passed and not self.broken


class Needed(_Stored):
    """A question of a case that no recording answers."""

    case: str
    task: str
    prompt: str
    """`id@version:hash`."""
    request: str
    """The ledger's hash of the request."""
    why: Text
    """What has changed since the replies were recorded."""


class Run(_Stored):
    """All results of one run of one or more suites, with what they were made by."""

    version: Literal[1] = VERSION
    name: str
    """Which side of a comparison it is, in a person's words: `working tree`, `main`, a model's name."""
    suites: tuple[str, ...]
    dataset_hash: str
    """Over the cases; runs of different cases are compared on the cases they share."""
    code: str
    """Version or commit of the system that decided."""
    model: str
    """`rules` names the offline rules model."""
    tier: Literal["rules", "recorded", "live"] = "rules"
    """Whom it asked."""
    prompts: dict[str, str] = Field(default_factory=dict)
    """Prompt id → `version:hash`; empty for the rules model."""
    policies_hash: str = ""
    repeats: Annotated[int, Field(ge=1)]
    seed: int
    at: str
    """When it ran, ISO 8601 in UTC."""
    costs: CostTable
    results: tuple[Result, ...]
    needed: tuple[Needed, ...] = ()
    """Questions without a recording; their cases are in no figure."""
    left: Count = 0
    """Trials that were to be run and have no result, those of `needed` not counted."""
    stopped: Text = ""
    """Why they have none, in a sentence without its full stop."""
    spent_micros: Count = 0
    """What a live run spent in all, trials that were cut off included."""
    transcripts: dict[str, Transcript] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        twice = [
            key for key, number in Counter((r.case, r.repeat) for r in self.results).items() if number > 1
        ]
        if twice:
            raise ValueError(f"the same repeat twice: {twice[0]}")
        lost = {r.transcript for r in self.results} - set(self.transcripts) - {""}
        if lost:
            raise ValueError(f"transcripts that are named and missing: {sorted(lost)[:3]}")
        return self

    @property
    def cases(self) -> dict[str, tuple[Result, ...]]:
        """Case → its repeats in order; cases in order of appearance."""
        found: dict[str, list[Result]] = {}
        for result in self.results:
            found.setdefault(result.case, []).append(result)
        return {
            case: tuple(sorted(repeats, key=lambda result: result.repeat)) for case, repeats in found.items()
        }

    @property
    def families(self) -> dict[str, tuple[Result, ...]]:
        """Family → its results; families in order of their names."""
        found: dict[str, list[Result]] = {}
        for result in self.results:
            found.setdefault(result.family, []).append(result)
        return {family: tuple(found[family]) for family in sorted(found)}


def dump(run: Run) -> str:
    """Return a run as canonical JSON: equal runs are equal texts."""
    return canonical(run.model_dump(mode="json")) + "\n"


def write_run(run: Run, path: Path) -> None:
    """Write a run to a file; its folder is created.

    Raises:
        InputError: The file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dump(run), "utf-8")
    except OSError as exc:
        raise InputError(
            f"the results cannot be written: {exc.strerror}", path=path, remedy="check its folder"
        ) from exc


def read_run(path: Path) -> Run:
    """Read a run from a file.

    Raises:
        InputError: There is no such file, or it holds no run of this version.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise InputError("the results cannot be read", path=path, remedy="give a file of --out") from exc
    try:
        return Run.model_validate_json(text)
    except ValidationError as exc:
        first = exc.errors(include_url=False)[0]
        raise InputError(
            f"no results of version {VERSION}: {first['msg']}",
            path=path,
            field=".".join(map(str, first["loc"])) or None,
            remedy="write them again with --out",
        ) from exc


def successes(repeats: Sequence[Result]) -> tuple[int, int]:
    """Return how many repeats passed, and how many there are."""
    return sum(result.passed for result in repeats), len(repeats)
