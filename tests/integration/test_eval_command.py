"""`outrider eval` on the command line: what it prints, and how it ends."""

import json
import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from evals.cases.loading import DATASETS
from evals.command import add_to
from policies.loader import PLAYBOOK_FOLDER
from tools.errors import InputError

FEW = ("--case", "delay.base", "--case", "delay.delivered", "--case", "protected.deceased", "--jobs", "1")


def outrider(*arguments: str) -> Result:
    app = typer.Typer()
    app.command("other")(lambda: None)
    add_to(app)
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, ["eval", *arguments])


def test_a_good_run_ends_with_zero_and_says_so() -> None:
    done = outrider(*FEW)

    assert done.exit_code == 0, done.output
    assert "Every gate holds" in done.stdout
    assert "protected_people_are_left_alone" in done.stdout
    assert "always contact" in done.stdout


def test_scripts_get_json() -> None:
    form = json.loads(outrider(*FEW, "--json", "--repeat", "2").stdout)

    assert form["cases"] == 3
    assert form["ok"] is True


@pytest.fixture
def later_notice(tmp_path: Path) -> Path:
    """A folder of policies in which nobody is told before the promise is over."""
    shutil.copytree(PLAYBOOK_FOLDER, tmp_path / "policies")
    file = tmp_path / "policies" / "shop" / "shipping_delay.yaml"
    file.write_text(file.read_text("utf-8").replace('status in ["open", ', "status in ["), "utf-8")
    file.write_text(file.read_text("utf-8").replace("notice_before: 1d", "notice_before: 0d"), "utf-8")
    return tmp_path / "policies"


def test_a_broken_gate_ends_with_one_and_v_tells_the_story(later_notice: Path) -> None:
    done = outrider(
        "--case", "delay.promise_ends_today", "--policies", str(later_notice), "-v", "--jobs", "1"
    )

    assert done.exit_code == 1, done.output
    assert "delay.promise_ends_today" in done.stdout
    assert "expected contact, decided none" in done.stdout
    assert "no signal: the trigger of shipping_delay looks at order, and its condition" in done.stdout
    assert "not judged" in done.stdout


def test_a_scenario_without_a_playbook_is_bad_input(tmp_path: Path) -> None:
    shutil.copytree(PLAYBOOK_FOLDER / "shop", tmp_path / "shop")

    done = outrider(*FEW, "--case", "payment.base", "--policies", str(tmp_path))

    assert isinstance(done.exception, InputError)
    assert "case payment.base: no playbook decides 'payment_due'" in str(done.exception)
    assert "--scenario: shipping_delay" in str(done.exception)


def test_a_world_without_what_the_trigger_looks_at_says_so(tmp_path: Path) -> None:
    shutil.copyfile(DATASETS / "shipping_delay.yaml", tmp_path / "shipping_delay.yaml")
    cases = tmp_path / "shipping_delay.yaml"
    base = "    twin: delay.delivered\n    expect: {decision: contact, channel"
    assert base in cases.read_text("utf-8")
    cases.write_text(cases.read_text("utf-8").replace(base, f"    records: {{order: []}}\n{base}"), "utf-8")

    done = outrider("--datasets", str(tmp_path), "--case", "delay.base", "-v", "--jobs", "1")

    assert "looks at order, and the world has none" in done.stdout


def test_the_other_side_is_named_case_by_case(later_notice: Path, tmp_path: Path) -> None:
    gates = tmp_path / "gates.yaml"
    gates.write_text("critical: {}\n", "utf-8")
    done = outrider(
        "--case", "delay.promise_ends_today", "--case", "protected.deceased", "--jobs", "1",
        "--against", f"policy={later_notice}", "--gate", str(gates),
    )  # fmt: skip

    assert "delay.promise_ends_today: none → contact" in done.stdout
    assert done.exit_code == 0, done.output


def test_known_gaps_are_shown_and_fail_nothing() -> None:
    done = outrider("--case", "mass.all_clear", "--case", "mass.all_affected", "--jobs", "1")

    assert done.exit_code == 0, done.output
    assert "Known gaps, not in any figure above: 1" in done.stdout


def test_a_gap_that_has_closed_ends_with_one(tmp_path: Path) -> None:
    shutil.copytree(DATASETS, tmp_path / "datasets")
    file = tmp_path / "datasets" / "shipping_delay.yaml"
    text = file.read_text("utf-8")
    expect = "    expect: {decision: contact, channel: email, tells: [order 1001,"
    file.write_text(text.replace(expect, f"    known_gap: It is none.\n{expect}"), "utf-8")

    done = outrider(
        "--case", "delay.base", "--case", "delay.delivered", "--datasets", str(file.parent), "--jobs", "1"
    )

    assert done.exit_code == 1, done.output
    assert "passes: remove the mark" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--suite", "shiping_delay"), "did you mean `shipping_delay`"),
        (("--family", "injektion"), "did you mean `injection`"),
        (("--case", "delay.bse"), "did you mean `delay.base`"),
        (("--policies", "nowhere"), "no such folder"),
        (("--datasets", "nowhere"), "no dataset"),
    ],
)
def test_bad_input_names_a_remedy(arguments: tuple[str, ...], problem: str) -> None:
    done = outrider(*arguments, "--jobs", "1")

    assert isinstance(done.exception, InputError)
    assert problem in str(done.exception)


def test_suites_are_listed_with_the_reason_why_one_is_not_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OUTRIDER_DATA_DIR", str(tmp_path))

    rows = {row["suite"]: row for row in json.loads(outrider("--list", "--json").stdout)}

    assert rows["generated_opt_out"]["cases"] == 300
    assert rows["redteam"]["cases"] == 0
    assert "OUTRIDER_DATA_DIR" in rows["redteam"]["skipped"]
    assert rows["injection"]["no_contact"] > 5


def test_a_suite_that_is_not_here_is_skipped_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OUTRIDER_DATA_DIR", str(tmp_path))

    done = outrider("--suite", "redteam")

    assert done.exit_code == 0, done.output
    assert "Skipped redteam: agentdojo, bipia not in" in done.stderr


def test_a_baseline_of_a_part_is_refused() -> None:
    done = outrider("--case", "delay.base", "--save-baseline", "--jobs", "1")

    assert isinstance(done.exception, InputError)
    assert "whole suites" in str(done.exception)


def test_a_run_is_compared_with_the_shipped_baseline() -> None:
    done = outrider(*FEW, "--against", "baseline", "--json")

    form = json.loads(done.stdout)
    assert form["ok"] is True, done.output
    assert form["against"]["name"] == "baseline"
    assert form["against"]["shared"] == 3
