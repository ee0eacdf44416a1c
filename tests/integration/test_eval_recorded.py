"""`outrider eval --model recorded`: the shipped replies, and what a changed prompt asks for anew."""

import json
import shutil
from pathlib import Path

import pytest

from evals.models.recorded import RecordedAsking
from evals.models.recordings import HEAD_FILE, RECORDINGS, SHIPPED, load_set
from evals.suites import Wanted, choose
from evals.trials import Plan, run_trials
from evals.world.deciding import Deciding
from prompts.folders import LIBRARY_FOLDER
from tests.asking import CASES, of_cases, outrider
from tests.evals_running import no_progress
from tools.errors import InputError

RECORDED = ("--model", "recorded", *of_cases(CASES))


@pytest.fixture
def new_writer(tmp_path: Path) -> Path:
    """A folder of prompts with another version of the one that writes."""
    shutil.copytree(LIBRARY_FOLDER, tmp_path / "prompts")
    old = (tmp_path / "prompts" / "compose" / "v1.md").read_text("utf-8")
    new = old.replace("version: 1", "version: 2").replace("Plain, warm, short.", "Plain and short.")
    (tmp_path / "prompts" / "compose" / "v2.md").write_text(new, "utf-8")
    return tmp_path / "prompts"


def test_recorded_replies_go_through_everything_and_cost_nothing() -> None:
    form = json.loads(outrider(*RECORDED, "--json").stdout)

    assert form["ok"] is True, form
    assert (form["tier"], form["model"], form["cases"]) == ("recorded", "written", 4)
    assert form["calls"] >= 8
    assert form["cost_micros"] == 0
    assert form["prompts"]["compose"].startswith("1:")


def test_what_rules_alone_decide_stands_beside_a_models_decisions() -> None:
    form = json.loads(outrider(*RECORDED, "--json").stdout)
    rules = json.loads(outrider(*of_cases(CASES), "--json").stdout)

    assert form["worth_micros"]["rules_only"] == rules["worth_micros"]["decided"]


def test_every_text_that_was_written_by_hand_passes_guards_and_gates() -> None:
    cases = sorted({one.case for one in load_set(SHIPPED).recordings if one.task == "compose"})
    form = json.loads(outrider("--model", "recorded", *of_cases(cases), "--json").stdout)

    assert form["ok"] is True, form
    assert len(cases) > 10
    assert (form["needs_recording"], form["failed"]) == ([], [])


def test_noise_breaks_nothing_that_must_never_break() -> None:
    noise = RECORDINGS / "noise"
    where = ("--recordings", str(noise), "--gate", str(noise / "gate.yaml"), "--jobs", "1")
    done = outrider("--model", "recorded", *where, "--family", "protected", "--json")

    form = json.loads(done.stdout)
    assert (done.exit_code, form["needs_recording"]) == (0, [])
    assert form["critical"] == [
        {"invariant": "protected_people_are_left_alone", "cases": 21, "broken": 0, "bound": 0.142857}
    ]
    assert form["prompt_tokens"] > 10_000, "what was used when it was recorded is told again"


def test_a_changed_prompt_names_exactly_the_cases_that_ask_it(new_writer: Path) -> None:
    done = outrider(*RECORDED, "--json", "--prompts", str(new_writer))

    form = json.loads(done.stdout)
    assert done.exit_code == 1
    assert {one["case"] for one in form["needs_recording"]} == {"delay.base", "attack.honest_words"}
    assert {one["task"] for one in form["needs_recording"]} == {"compose"}
    for one in form["needs_recording"]:
        assert one["why"].startswith("the prompt changed: it is compose@2:")
    assert form["cases"] == 2, "cases without a recording are in no figure"
    assert "2 cases need new recordings" in json.dumps(form["gates"])


def test_every_report_lists_them(new_writer: Path, tmp_path: Path) -> None:
    html, junit = tmp_path / "page.html", tmp_path / "report.xml"
    files = ("--html", str(html), "--junit", str(junit))
    done = outrider(*RECORDED, "--prompts", str(new_writer), *files)

    for text in (done.stdout, html.read_text("utf-8"), junit.read_text("utf-8")):
        assert "attack.honest_words" in text
        assert "the prompt changed: it is compose@2" in text
    assert "recorded replies of written" in done.stdout


def test_a_run_in_which_no_case_counts_says_so_and_fails(new_writer: Path) -> None:
    done = outrider("--model", "recorded", *of_cases(["delay.base"]), "--prompts", str(new_writer))

    assert done.exit_code == 1
    assert "1 case needs new recordings" in done.stderr


def test_what_is_missing_can_be_written_by_hand(tmp_path: Path) -> None:
    """The file of --unrecorded becomes a set of recordings by filling in the replies."""
    one = ("--model", "recorded", *of_cases(["delay.base"]))
    mine = tmp_path / "mine"
    mine.mkdir()
    shutil.copyfile(SHIPPED / HEAD_FILE, mine / HEAD_FILE)
    by_hand = {one.request: one.reply for one in load_set(SHIPPED).recordings}
    asked = mine / "answered_later.txt"
    done = outrider(*one, "--recordings", str(mine), "--unrecorded", str(asked))
    while lines := [json.loads(line) for line in asked.read_text("utf-8").splitlines()]:
        assert all(line["reply"] == "" and line["question"] for line in lines)
        filled = [line | {"reply": by_hand[line["request"]]} for line in lines]
        with (mine / "mine.jsonl").open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line in filled)
        done = outrider(*one, "--recordings", str(mine), "--unrecorded", str(asked))

    assert done.exit_code == 0, done.output
    assert "Every gate holds" in done.stdout


def test_two_sets_are_compared_case_by_case(tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(SHIPPED, other)
    file = other / "shipping_delay.jsonl"
    lines = file.read_text("utf-8").replace('"warranted": "yes"', '"warranted": "no"')
    file.write_text(lines, "utf-8")

    form = json.loads(outrider(*RECORDED, "--json", "--against", f"model={other}").stdout)

    assert {flip["case"] for flip in form["against"]["flips"]} == {"delay.base", "attack.honest_words"}
    assert form["against"]["better"] == 2


def test_the_other_side_may_be_the_rules_model() -> None:
    form = json.loads(outrider(*RECORDED, "--json", "--against", "model=rules").stdout)

    assert form["against"]["shared"] == 4
    assert form["against"]["flips"] == []


def test_another_prompt_on_the_other_side_needs_recordings_there(new_writer: Path) -> None:
    prompt = f"prompt=compose:{new_writer / 'compose' / 'v2.md'}"
    form = json.loads(outrider(*RECORDED, "--json", "--against", prompt).stdout)

    assert form["against"]["shared"] == 2, "only cases that both sides could decide are compared"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--model", "recorded", "--recordings", "nowhere"), f"{HEAD_FILE} is missing"),
        (("--model", "recorded", "--prompts", "nowhere"), "there is no prompt 'read'"),
        (("--prompts", "nowhere"), "means nothing to the rules model"),
        (("--model", "recorded", "--spend-cap", "1"), "means nothing to recorded replies"),
        (("--against", "prompt=nowhere"), "names no prompt"),
        (("--against", "model=gpt-4o"), "the rules model cannot be compared"),
    ],
)
def test_bad_input_names_a_remedy(arguments: tuple[str, ...], problem: str) -> None:
    done = outrider("--case", "protected.deceased", "--jobs", "1", *arguments)

    assert isinstance(done.exception, InputError)
    assert problem in str(done.exception)


@pytest.mark.slow
def test_what_a_model_is_asked_depends_on_the_case_alone() -> None:
    """Recordings are found again whatever the ids are: other seeds ask the same questions."""
    asking = RecordedAsking(load_set(SHIPPED))
    cases = choose(Wanted(), {}).cases

    for seed in (1, 977):
        plan = Plan(cases=cases, deciding=Deciding(asking=asking), seed=seed)
        outcomes = run_trials(plan, progress=no_progress)
        assert [one.result.case for one in outcomes if not one.asked.counts] == []
