"""The report for build servers, judged by a schema validator: whatever was run, any of them can read it."""

import xml.etree.ElementTree as ET
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

import pytest
import xmlschema

from evals.compare.verdict import compare
from evals.gate import Gates, load_gates
from evals.report.judged import Judged, judged
from evals.report.junit import junit_xml
from evals.results import Needed
from tests.unit.evals_stats.runs import failed, result, run
from tests.unit.evals_stats.sample import sides

SCHEMA: Final = Path(__file__).with_name("junit.xsd")
NASTY: Final = "a\x00b\x1b]]>&<x attr='\"'>\ufffe\U0001f4e6\n"


@cache
def schema() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(SCHEMA)


def flaws(text: str) -> list[str]:
    """Return what the validator finds."""
    return [f"{error.path}: {error.reason}" for error in schema().iter_errors(text)]


def compared() -> Judged:
    new, old = sides(cases=6)
    return judged(new, load_gates(), compare(new, old, k=4))


def nasty() -> Judged:
    score = result().score.model_copy(update={"grounded": False, "reasons": (NASTY,)})
    return judged(run(result(NASTY, family=NASTY, score=score, reason=NASTY), model=NASTY), load_gates())


def unrecorded() -> Judged:
    needed = Needed(
        case="late parcel 2",
        task="compose",
        prompt="compose@2:6a",
        request="r",
        why=f"the prompt changed {NASTY}",
    )
    return judged(run(result(), tier="recorded", needed=(needed,), left=2, stopped=NASTY), load_gates())


def critical() -> Judged:
    names = ("nothing_after_opt_out",)
    return judged(run(failed(critical=names, broken=names), failed(repeat=1)), Gates())


@pytest.mark.parametrize("report", [compared, nasty, unrecorded, critical])
def test_a_report_keeps_to_the_common_schema(report: Callable[[], Judged]) -> None:
    assert flaws(junit_xml(report())) == []


@pytest.mark.parametrize("report", [compared, nasty, unrecorded, critical])
def test_a_suite_counts_what_it_holds(report: Callable[[], Judged]) -> None:
    root = ET.fromstring(junit_xml(report()))  # noqa: S314  # our own text

    for suite in root:
        assert int(suite.get("tests", "")) == len(suite.findall("testcase"))
        assert int(suite.get("failures", "")) == len(suite.findall("testcase/failure"))
        assert int(suite.get("skipped", "")) == len(suite.findall("testcase/skipped"))


def test_what_is_skipped_says_why() -> None:
    root = ET.fromstring(junit_xml(unrecorded()))  # noqa: S314  # our own text

    case = root.find("testsuite[@name='outrider.unrecorded']/testcase")
    assert case is not None
    assert case.get("name") == "late parcel 2"
    (skipped,) = case
    assert skipped.get("message", "").startswith("compose: the prompt changed")
    gates = root.findall("testsuite[@name='outrider.gates']/testcase/skipped")
    assert gates
    assert all(one.get("message") for one in gates)


@pytest.mark.parametrize(
    ("there", "instead"),
    [
        pytest.param('time="0.', 'seconds="0.', id="another attribute"),
        pytest.param("T08:00:00", "T08:00:00Z", id="a time with a zone"),
        pytest.param("<system-err />", "", id="a part is missing"),
        pytest.param('id="1"', 'id="0"', id="the same number twice"),
        pytest.param('tests="', 'tests="-', id="a number below zero"),
        pytest.param("<system-out />", "<output />", id="another element"),
        pytest.param('name="outrider.gates"', 'name=" "', id="no name"),
    ],
)
def test_the_schema_finds_what_a_build_server_would_refuse(there: str, instead: str) -> None:
    text = junit_xml(compared())
    spoilt = text.replace(there, instead)

    assert spoilt != text
    assert flaws(spoilt)
