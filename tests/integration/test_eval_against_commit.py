"""`outrider eval --against COMMIT` with a model: recorded replies, and a live model within one spend cap."""

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from evals.models.spending import file_beside
from tests.asking import CASES, good, of_cases, outrider, settings_file
from tests.eval_process import ROOT, eval_process, killed, lines_of, spent, trials_of
from tests.scripted_server import Reply, serve
from tools.errors import InputError


def commit() -> str:
    """Return the present commit; empty where there is no repository to check it out from."""
    if shutil.which("git") is None:
        return ""
    done = subprocess.run(
        ["git", "rev-parse", "--verify", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


COMMIT = commit()
MICROS_PER_CALL = 27
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not COMMIT, reason="needs the git repository of the project"),
]


class Against:
    """Runs the command live against the present commit, with a server of its own for both sides."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "run.jsonl"
        self.beside = file_beside(self.file, COMMIT)
        self.calls = 0

    async def run(
        self, cap: str, *arguments: str, cases: Sequence[str] = CASES, file: str = "run.jsonl"
    ) -> tuple[dict[str, Any], BaseException | None]:
        """Return the report as JSON and what was raised."""
        async with serve(good) as server:
            config = settings_file(self.folder, server.url)
            where = (
                "--config",
                str(config),
                "--resume",
                str(self.folder / file),
                "--spend-cap",
                cap,
                "--json",
            )
            asked = ("--model", "live", "--repeat", "1", "--against", "HEAD", *of_cases(cases))
            done = await asyncio.to_thread(outrider, *asked, *of_cases(cases), *where, *arguments)
            self.calls = len(server.requests)
        return json.loads(done.stdout or "{}"), done.exception


def forget_checkouts(folder: Path) -> None:
    """Remove what a killed run had checked out in a folder."""
    for tree in folder.glob("outrider-ref-*/tree"):
        subprocess.run(["git", "worktree", "remove", "--force", str(tree)], cwd=ROOT, check=True)


@pytest.fixture
def against(tmp_path: Path) -> Against:
    return Against(tmp_path)


async def test_another_commit_is_asked_live_within_the_cap_and_told_apart(against: Against) -> None:
    form, _ = await against.run("1")

    assert form["against"]["name"] == "HEAD"
    assert (form["against"]["code"], form["against"]["tier"]) == (COMMIT, "live")
    assert (form["against"]["shared"], form["against"]["flips"]) == (4, [])
    ours, theirs = lines_of(against.file), lines_of(against.beside)
    assert sorted(trials_of(ours)) == sorted(trials_of(theirs))
    assert form["spent_in_all_micros"] == spent(ours) == form["cost_micros"]
    assert form["against"]["cost_micros"] == spent(theirs) == spent(ours)
    assert spent(ours) + spent(theirs) == MICROS_PER_CALL * against.calls

    again, _ = await against.run("1")

    assert against.calls == 0, "both sides were finished"
    assert again["against"] == form["against"]


async def test_both_sides_together_stay_below_the_cap_and_go_on_with_a_higher_one(against: Against) -> None:
    cases = ("delay.base", "attack.honest_words", "delay.german", "delay.french")
    form, _ = await against.run("0.0028", cases=cases)

    assert form["trials_left"] == 0
    assert 0 < form["against"]["trials_left"] < 4, "the cap is for both"
    ours, theirs = spent(lines_of(against.file)), spent(lines_of(against.beside))
    assert 0 < theirs < ours
    assert ours + theirs <= 2_800

    form, _ = await against.run("1", cases=cases)

    assert form["against"]["trials_left"] == 0
    assert spent(lines_of(against.file)) == ours, "what was finished here is not paid for twice"
    assert spent(lines_of(against.beside)) >= ours, "what was cut off there is asked again"


async def test_what_another_commit_has_spent_is_gone_for_this_side_too(against: Against) -> None:
    await against.run("1")
    shutil.copyfile(against.beside, file_beside(against.folder / "third.jsonl", "before"))

    for file in ("second.jsonl", "third.jsonl"):
        await against.run("0.002", "--repeat", "40", cases=("delay.base",), file=file)

    second, third = (spent(lines_of(against.folder / file)) for file in ("second.jsonl", "third.jsonl"))
    assert 0 < third < second


async def test_without_anything_left_the_other_commit_is_not_begun(against: Against) -> None:
    _, raised = await against.run("0", cases=("protected.deceased",))  # asks no model here

    assert isinstance(raised, InputError)
    assert "nothing of the spend cap is left" in str(raised)
    assert not against.beside.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="finds the processes of a run in /proc")
async def test_the_run_of_another_commit_ends_with_a_run_that_is_killed(
    against: Against, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    hangs = asyncio.Event()

    def stalls(request: dict[str, Any]) -> Reply:
        if not trials_of(lines_of(against.file)):
            return good(request)
        hangs.set()
        return Reply(fault="hang")

    async with serve(stalls) as server:
        config = settings_file(against.folder, server.url)
        where = ("--config", str(config), "--resume", str(against.file), "--spend-cap", "1")
        only = ("--case", "delay.base", "--repeat", "1", "--jobs", "1")
        async with eval_process(*only, *where, "--against", "HEAD") as process:
            await asyncio.wait_for(hangs.wait(), 60)
            await killed(process)

    assert trials_of(lines_of(against.file)) == [("delay.base", 0)]
    assert trials_of(lines_of(against.beside)) == []
    assert spent(lines_of(against.beside)) > 0, "whether the call under way was billed is not known"
    await asyncio.to_thread(forget_checkouts, tmp_path)


def test_another_commit_replays_its_own_recordings() -> None:
    done = outrider("--model", "recorded", *of_cases(CASES), "--against", "HEAD", "--json")

    form = json.loads(done.stdout)
    assert (form["against"]["code"], form["against"]["tier"]) == (COMMIT, "recorded")
    assert (form["against"]["shared"], form["against"]["flips"]) == (4, [])
