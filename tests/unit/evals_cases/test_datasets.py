"""The shipped datasets: large enough, silent enough, every case with its clean twin."""

from collections import Counter
from functools import cache

from evals.cases.loading import dataset_files, load_suites
from evals.cases.model import Case, Family
from evals.cases.world import OF_SCENARIO
from evals.schema.draw import SCHEMA_FILE, schema_text
from evals.suites import always_and_never
from policies.loader import PLAYBOOK_FOLDER, load_playbooks

LEAST_CASES = 250
LEAST_OF_A_FAMILY = 10
LEAST_SILENCE = 0.4


@cache
def cases() -> tuple[Case, ...]:
    return tuple(case for suite in load_suites(dataset_files()).values() for case in suite)


def test_the_schema_file_is_current() -> None:
    remedy = "run python -m evals.schema.draw"

    assert SCHEMA_FILE.read_text("utf-8") == schema_text(), remedy


def test_there_are_enough_cases_of_every_family_and_scenario() -> None:
    families = Counter(case.family for case in cases())

    assert len(cases()) >= LEAST_CASES
    assert {family: families[family] for family in Family if families[family] < LEAST_OF_A_FAMILY} == {}
    assert {case.scenario for case in cases()} == set(load_playbooks(PLAYBOOK_FOLDER)) >= set(OF_SCENARIO)


def test_silence_is_right_often_enough() -> None:
    silent = sum(not case.expect.contact for case in cases())

    assert LEAST_SILENCE <= silent / len(cases()) < 1


def test_a_twin_is_as_alike_as_its_scenario_and_the_answer_flips() -> None:
    by_id = {case.id: case for case in cases()}

    assert [case.id for case in cases() if by_id[case.twin].expect.contact == case.expect.contact] == []


def test_no_plain_policy_gets_half_of_the_cases_right_by_contacting() -> None:
    assert always_and_never(cases())["always"] < 0.5
