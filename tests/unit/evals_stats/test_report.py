"""The report in the terminal, for scripts and for build servers."""

import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from rich.console import Console

from agent.canonical import canonical
from evals.compare.verdict import compare
from evals.gate import Gates, Most, load_gates
from evals.report.form import report_form
from evals.report.judged import Judged, judged
from evals.report.junit import junit_xml
from evals.report.outputs import Outputs, conclude
from evals.report.terminal import report_view
from evals.results import Decided, read_run
from tests.unit.evals_stats.runs import failed, result, run
from tests.unit.evals_stats.sample import sides
from tools.errors import InputError


@pytest.fixture(scope="module")
def compared() -> Judged:
    new, old = sides(cases=6)
    return judged(new, load_gates(), compare(new, old, k=4))


def shown(report: Judged) -> str:
    """Return the terminal report as text."""
    text = io.StringIO()
    Console(file=text, width=120).print(report_view(report))
    return text.getvalue()


def test_the_terminal_tells_the_verdict_first_and_every_table(compared: Judged) -> None:
    text = shown(compared)

    assert text.strip().startswith(compared.headline)
    for words in ("Against main", "pass^2", "Decisions (runs)", "false alarms:", "Critical invariants"):
        assert words in text
    for words in ("Net value per decision", "always contact", "Cost", "Calibration", "failed in some run"):
        assert words in text


def test_a_terminal_is_not_fooled_by_texts_of_cases() -> None:
    text = shown(judged(run(failed("evil \x1b[2J\u202e [bold]markup[/]", family="[red]x")), Gates()))

    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[bold]markup[/]" in text
    assert "[red]x" in text


@pytest.mark.parametrize(
    ("gates", "new", "words"),
    [
        pytest.param(Gates(), failed(), "No gate was asked.", id="no gates"),
        pytest.param(Gates(misses=Most(most=1.0)), failed(), "Every gate holds.", id="held"),
        pytest.param(Gates(misses=Most(most=0.5)), failed(), "1 gate broken.", id="broken"),
    ],
)
def test_the_headline_is_the_verdict(gates: Gates, new: object, words: str) -> None:
    assert judged(run(new), gates).headline == words  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_scripts_get_the_same_figures(compared: Judged) -> None:
    form = json.loads(json.dumps(report_form(compared)))

    assert form["ok"] is compared.ok
    assert form["false_alarms"]["of"] == compared.summary.false_alarms.n
    assert form["against"]["judgement"] == "better"
    assert len(form["families"]) == 14
    assert set(form["failed"]) == {one.case for one in compared.run.results if not one.passed}


def test_a_run_without_contacts_probabilities_or_comparison_is_reported() -> None:
    silent = judged(run(result(expected=Decided.NONE, decided=Decided.NONE)), load_gates())

    assert "none" in shown(silent)
    assert report_form(silent)["calibration"] is None
    assert report_form(silent)["against"] is None


def test_junit_has_a_test_case_for_every_case_and_gate(compared: Judged) -> None:
    root = ET.fromstring(junit_xml(compared))  # noqa: S314  # our own text
    gates = root.findall("testsuite[@name='outrider.gates']/testcase")

    assert len(root.findall("testsuite/testcase")) == len(compared.run.cases) + len(gates)
    assert len(gates) == len(compared.answers)
    failing = {case for case, repeats in compared.run.cases.items() if not all(one.passed for one in repeats)}
    assert {
        case.get("name") for case in root.findall("testsuite/testcase[failure]") if case not in gates
    } == failing


def test_junit_survives_what_xml_forbids() -> None:
    nasty = "a\x00b\x1b]]>&<x attr='\"'>\ufffe\U0001f4e6\n"
    score = result().score.model_copy(update={"grounded": False, "reasons": (nasty,)})
    text = junit_xml(judged(run(result(nasty, family=nasty, score=score, reason=nasty)), Gates()))

    root = ET.fromstring(text)  # noqa: S314  # our own text
    failure = root.find("testsuite/testcase/failure")
    assert failure is not None
    assert "\\u0000" in (failure.text or "")


def test_results_and_reports_say_the_same_twice(compared: Judged) -> None:
    again = judged(compared.run, load_gates(), compared.comparison)

    assert canonical({"text": shown(again)}) == canonical({"text": shown(compared)})
    assert junit_xml(again) == junit_xml(compared)


def test_reports_are_written_where_they_are_wanted(
    compared: Judged, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = Outputs(
        as_json=True,
        out=tmp_path / "a" / "run.json",
        html=tmp_path / "page.html",
        junit=tmp_path / "junit.xml",
    )

    code = conclude(compared, wanted)

    said = capsys.readouterr()
    assert code == (0 if compared.ok else 1)
    assert json.loads(said.out)["verdict"] == compared.headline
    assert "Results are in" in said.err
    assert read_run(tmp_path / "a" / "run.json") == compared.run
    assert (tmp_path / "page.html").read_text("utf-8").startswith("<!DOCTYPE html>")
    assert ET.fromstring((tmp_path / "junit.xml").read_text("utf-8")).tag == "testsuites"  # noqa: S314


@pytest.mark.parametrize(("most", "code"), [(1.0, 0), (0.5, 1)])
def test_a_broken_gate_is_exit_code_1(most: float, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert conclude(judged(run(failed()), Gates(misses=Most(most=most))), Outputs()) == code
    assert "misses: 100.0%" in capsys.readouterr().out


def test_a_report_that_cannot_be_written_is_bad_input(compared: Judged, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")

    with pytest.raises(InputError, match="cannot be written"):
        conclude(compared, Outputs(junit=tmp_path / "file" / "junit.xml"))
