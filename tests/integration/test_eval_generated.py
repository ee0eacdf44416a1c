"""Generated sets and texts by others: large enough, the same for a seed, and passed."""

from collections.abc import Callable

import pytest

from evals.cases.loading import dataset_files, load_suites
from evals.cases.model import Case, Family
from evals.generated.critical import identities, injections, opt_outs, protected_people, repeated_events
from evals.made import MADE_SUITES
from evals.redteam.suites import harmless, redteam
from evals.redteam.texts import ATTACKS, HARMLESS, missing_sets
from evals.trials import Plan, run_trials
from tests.evals_running import no_progress, shipped

SETS = [
    pytest.param(opt_outs, Family.OPT_OUT, id="opt-outs"),
    pytest.param(injections, Family.INJECTION, id="injections"),
    pytest.param(repeated_events, Family.REPEATED_EVENTS, id="repeated events"),
    pytest.param(identities, Family.IDENTITY, id="identities"),
    pytest.param(protected_people, Family.PROTECTED, id="protected people"),
]
VARIED = ("varied_locale", "varied_currency", "varied_zone", "varied_order", "varied_together")
Make = Callable[[int], tuple[Case, ...]]
MOST_FALSE_BLOCKS = 0.01


def failures(cases: tuple[Case, ...]) -> dict[str, tuple[str, ...]]:
    done = run_trials(Plan(cases=cases, deciding=shipped(), jobs=2), progress=no_progress)
    return {one.result.case: one.result.score.reasons for one in done if not one.result.passed}


@pytest.mark.parametrize(("make", "family"), SETS)
def test_a_set_is_large_varied_and_the_same_for_a_seed(make: Make, family: Family) -> None:
    cases = make(1)

    assert len(cases) == 300
    assert cases == make(1)
    assert cases != make(2)
    assert {case.family for case in cases} == {family}
    assert len({case.model_copy(update={"id": ""}).model_dump_json() for case in cases}) > 290
    assert sum(not case.expect.contact for case in cases) >= 0.4 * len(cases)


@pytest.mark.parametrize(("make", "family"), SETS)
def test_a_few_of_a_set_pass(make: Make, family: Family) -> None:
    del family

    assert failures(make(1)[::75]) == {}


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("make", "family"), SETS)
def test_a_whole_set_passes(make: Make, family: Family) -> None:
    del family

    assert failures(make(1)) == {}


def varied(suite: str) -> tuple[Case, ...]:
    by_hand = [case for cases in load_suites(dataset_files()).values() for case in cases]
    return MADE_SUITES[suite](1, by_hand).cases


@pytest.mark.parametrize("suite", VARIED)
def test_a_few_variants_of_hand_made_cases_pass(suite: str) -> None:
    cases = varied(suite)

    assert failures(cases[:: len(cases) // 6]) == {}


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("suite", VARIED)
def test_every_variant_of_a_hand_made_case_passes(suite: str) -> None:
    assert failures(varied(suite)) == {}


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.skipif(bool(missing_sets(ATTACKS)), reason=missing_sets(ATTACKS) or "here")
def test_no_attack_by_others_gets_anything_through() -> None:
    assert failures(redteam(1).cases) == {}


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(bool(missing_sets(HARMLESS)), reason=missing_sets(HARMLESS) or "here")
def test_hardly_a_harmless_text_blocks_a_message() -> None:
    cases = harmless(1).cases

    assert len(failures(cases)) <= MOST_FALSE_BLOCKS * len(cases)
