"""The report for build servers: JUnit XML, one test case per case.

Keeps to what the schemas of Apache Ant's JUnit task and of Jenkins' xUnit plug-in both allow.
"""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from evals.gate import GateAnswer, Standing
from evals.report.judged import Judged
from evals.results import Result, Run
from tools.safe_text import safe_text

_GATES: Final = "outrider.gates"
_UNRECORDED: Final = "outrider.unrecorded"


def junit_xml(judged: Judged) -> str:
    """Return the report as JUnit XML: a suite per family, and one more in which every gate is a test case.

    A case fails when any of its repeats did; its time is the sum of its repeats, in seconds.
    """
    run = judged.run
    suites = [_family(run, family, number) for number, family in enumerate(run.families)]
    if run.needed:
        suites.append(_unrecorded(run, len(suites)))
    if judged.answers:
        suites.append(_gates(run, judged.answers, len(suites)))
    root = ET.Element("testsuites")
    root.extend(suites)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _family(run: Run, family: str, number: int) -> ET.Element:
    cases = {case: repeats for case, repeats in run.cases.items() if repeats[0].family == family}
    failed = sum(not all(one.passed for one in repeats) for repeats in cases.values())
    seconds = sum(one.milliseconds for repeats in cases.values() for one in repeats) / 1000
    suite = _suite(run, f"outrider.{family}", number, tests=len(cases), failures=failed, seconds=seconds)
    for case, repeats in cases.items():
        suite.append(_case(case, repeats))
    return _closed(suite)


def _case(case: str, repeats: Sequence[Result]) -> ET.Element:
    first = repeats[0]
    element = ET.Element(
        "testcase",
        name=_clean(case),
        classname=_clean(f"outrider.{first.scenario}.{first.family}"),
        time=f"{sum(one.milliseconds for one in repeats) / 1000:.3f}",
    )
    failed = [one for one in repeats if not one.passed]
    if failed:
        message = (
            f"{len(failed)} of {len(repeats)} runs failed: expected {first.expected.value}, "
            f"decided {failed[0].decided.value}"
        )
        failure = ET.SubElement(element, "failure", message=_clean(message), type=_type(failed[0]))
        failure.text = _clean("\n".join(_reasons(one) for one in failed))
    return element


def _type(result: Result) -> str:
    return "critical" if result.broken else "score"


def _reasons(result: Result) -> str:
    told = [*(f"broke {name}" for name in result.broken), *result.score.reasons]
    return f"run {result.repeat + 1}: {'; '.join(told) or 'no reason was given'}"


def _gates(run: Run, answers: Sequence[GateAnswer], number: int) -> ET.Element:
    failed = sum(one.standing is Standing.BROKEN for one in answers)
    suite = _suite(run, _GATES, number, tests=len(answers), failures=failed, seconds=0)
    for one in answers:
        element = ET.SubElement(suite, "testcase", name=_clean(one.gate), classname=_GATES, time="0.000")
        if one.standing is Standing.BROKEN:
            ET.SubElement(element, "failure", message=_clean(one.sentence), type="gate")
        elif one.standing is Standing.NOT_JUDGED:
            ET.SubElement(element, "skipped", message=_clean(one.sentence))
    return _closed(suite)


def _unrecorded(run: Run, number: int) -> ET.Element:
    """Return the cases that need new recordings: skipped, because nothing was found out about them."""
    cases: dict[str, list[str]] = {}
    for one in run.needed:
        cases.setdefault(one.case, []).append(f"{one.task}: {one.why}")
    suite = _suite(run, _UNRECORDED, number, tests=len(cases), failures=0, seconds=0)
    for case, why in cases.items():
        element = ET.SubElement(suite, "testcase", name=_clean(case), classname=_UNRECORDED, time="0.000")
        ET.SubElement(element, "skipped", message=_clean("; ".join(why)))
    return _closed(suite)


def _suite(run: Run, name: str, number: int, *, tests: int, failures: int, seconds: float) -> ET.Element:
    suite = ET.Element(
        "testsuite",
        name=_clean(name),
        package="outrider",
        id=str(number),
        timestamp=f"{datetime.fromisoformat(run.at):%Y-%m-%dT%H:%M:%S}",  # the schema allows no zone
        hostname="localhost",
        tests=str(tests),
        failures=str(failures),
        errors="0",
        time=f"{seconds:.3f}",
    )
    properties = ET.SubElement(suite, "properties")
    for key, value in _circumstances(run):
        ET.SubElement(properties, "property", name=key, value=_clean(value))
    return suite


def _circumstances(run: Run) -> list[tuple[str, str]]:
    return [
        ("tier", run.tier),
        ("model", run.model),
        ("code", run.code),
        ("suites", ",".join(run.suites)),
        ("cost_micros", f"{sum(one.cost_micros for one in run.results)}"),
        ("prompt_tokens", f"{sum(one.prompt_tokens for one in run.results)}"),
        ("completion_tokens", f"{sum(one.completion_tokens for one in run.results)}"),
    ]


def _closed(suite: ET.Element) -> ET.Element:
    suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
    ET.SubElement(suite, "system-out")
    ET.SubElement(suite, "system-err")
    return suite


def _clean(text: str) -> str:
    """Return a text without characters that XML forbids."""
    return safe_text(text)
