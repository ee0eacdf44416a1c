"""One case, once: served by a system of its own, scored, and told."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from agent.clock import system_monotonic
from agent.errors import OutriderError
from evals.cases.model import Case
from evals.models.asked import Asked, read_asked
from evals.models.asking import Tier
from evals.replay.measure import cpu_seconds
from evals.results import Decided, Result, Score, Step, Transcript
from evals.scoring.ending import Ending, read_ending
from evals.scoring.score import broken_invariants, decided, expected, score
from evals.scoring.story import tell_story
from evals.world.databases import Scratch
from evals.world.deciding import Deciding
from evals.world.happenings import serve_case
from evals.world.system import CaseSystem
from tools.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The result of one repeat, and its story."""

    result: Result
    transcript: Transcript
    asked: Asked = field(default_factory=Asked)
    """What it asked its model."""


async def run_case(
    case: Case, deciding: Deciding, scratch: Scratch, *, repeat: int, seed: int, cards: bool
) -> Judged:
    """Serve a case and judge what came of it; a system that fails is a failed case, not a failed run.

    Args:
        case: The case.
        deciding: What decides.
        scratch: A database for it.
        repeat: Number of the repeat, from 0.
        seed: Makes ids; repeats of a case differ in it.
        cards: Whether to draw the decision card also of cases that pass.
    """
    system = CaseSystem(case, deciding, scratch, seed=seed + repeat)
    begun = _seconds(deciding)
    try:
        await serve_case(system)
        ending = read_ending(system)
        taken = _seconds(deciding) - begun
        judged = score(case, ending)
        asked = _asked(system)
        result = _result(case, ending, judged, deciding, repeat=repeat)
        result = result.model_copy(update={"milliseconds": round(taken * 1_000), **_figures(asked)})
        story = tell_story(system, ending, with_card=cards or not result.passed)
        return Judged(result=result, transcript=story, asked=asked)
    except (OutriderError, InputError) as exc:
        broken = failed(case, str(exc), steps=system.steps, repeat=repeat)
        return replace(broken, asked=_asked(system)) if system.started else broken
    finally:
        system.close()


def failed(case: Case, problem: str, *, repeat: int, steps: Sequence[Step] = ()) -> Judged:
    """Return the result of a system that broke down: nothing of what was expected can be said to hold."""
    result = Result(
        case=case.id,
        repeat=repeat,
        scenario=case.scenario,
        family=family_name(case),
        expected=case.expect.decisions[0],
        decided=Decided.NONE,
        score=Score(
            end_state=False,
            no_forbidden_effect=False,
            facts=False,
            grounded=False,
            reasons=(f"the system failed: {problem}",),
        ),
        critical=case.critical,
        broken=case.critical,
    )
    return Judged(result=result, transcript=Transcript(situation=case.title, steps=tuple(steps)))


def _seconds(deciding: Deciding) -> float:
    """Return the time by which decisions are measured: of the processor where nobody outside is asked."""
    return system_monotonic() if deciding.tier is Tier.LIVE else cpu_seconds()


def family_name(case: Case) -> str:
    """Return the family with its number, so that reports list families in order."""
    return f"{case.family.number:02} {case.family.value}"


def _asked(system: CaseSystem) -> Asked:
    with system.app.store.read() as conn:
        return read_asked(conn, system.case.id, system.deciding.asking)


def _figures(asked: Asked) -> dict[str, object]:
    return {
        "calls": asked.calls,
        "failed_calls": asked.failed,
        "cost_micros": asked.cost_micros,
        "prompt_tokens": asked.usage.prompt_tokens,
        "completion_tokens": asked.usage.completion_tokens,
        "model_milliseconds": asked.milliseconds,
    }


def _result(case: Case, ending: Ending, judged: Score, deciding: Deciding, *, repeat: int) -> Result:
    done, reason = decided(case, ending)
    subject = ending.subject(case.scenario)
    valuation = next(
        (one.valuation for one in reversed(subject.decisions) if one.valuation) if subject else iter(()), None
    )
    return Result(
        case=case.id,
        repeat=repeat,
        scenario=case.scenario,
        family=family_name(case),
        expected=expected(case, done),
        decided=done,
        rules_only=done if deciding.tier is Tier.RULES else None,
        reason=reason,
        score=judged,
        critical=case.critical,
        broken=broken_invariants(case, judged, ending),
        probability_ppm=valuation.p_contact_ppm if valuation else None,
        end_state=ending.digest,
    )
