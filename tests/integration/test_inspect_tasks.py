"""The same cases as Inspect tasks end as they do in `outrider eval`; skipped without the extra `inspect`."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from policies.loader import PLAYBOOK_FOLDER
from tests.architecture.tree import ROOT

pytest.importorskip("inspect_ai", reason="needs the extra `inspect`")

# in a process of its own: Inspect keeps state in the user's folders and takes the event loop over
PROGRAM = """
import json, sys
from inspect_ai import eval
from evals.inspect_tasks import decisions

(log,) = eval(decisions(**json.loads(sys.argv[1])), model=None, display="none", log_dir=sys.argv[2])
print(json.dumps({
    "status": log.status,
    "accuracy": log.results.scores[0].metrics["accuracy"].value,
    "scores": {
        f"{one.id} {one.epoch}": [one.scores["end_state"].value, one.scores["end_state"].explanation]
        for one in log.samples
    },
    "told": [message.text for message in log.samples[0].messages],
}))
"""


class Scored(NamedTuple):
    value: str
    why: str


class Log(NamedTuple):
    status: str
    accuracy: float
    scores: dict[str, Scored]
    told: list[str]


def run(folder: Path, **arguments: object) -> Log:
    """Evaluate the task and return what its log says."""
    env = os.environ | {"XDG_DATA_HOME": str(folder / "state"), "XDG_CACHE_HOME": str(folder / "cache")}
    command = [sys.executable, "-c", PROGRAM, json.dumps(arguments), str(folder / "logs")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env=env)
    found = json.loads(done.stdout.splitlines()[-1])
    scores = {name: Scored(*score) for name, score in found["scores"].items()}
    return Log(found["status"], found["accuracy"], scores, found["told"])


def test_cases_pass_in_every_epoch_and_are_told(tmp_path: Path) -> None:
    log = run(tmp_path, suite="quiet_hours", case="quiet.evening,quiet.before_nine", repeat=2)

    assert (log.status, log.accuracy) == ("success", 1.0)
    assert set(log.scores) == {f"quiet.{one} {at}" for one in ("evening", "before_nine") for at in (1, 2)}
    assert any("worth_it" in words for words in log.told)


def test_a_broken_policy_fails_with_the_reason(tmp_path: Path) -> None:
    shutil.copytree(PLAYBOOK_FOLDER, tmp_path / "policies")
    file = tmp_path / "policies/shop/shipping_delay.yaml"
    file.write_text(file.read_text("utf-8").replace('status in ["open", ', "status in ["), "utf-8")

    log = run(tmp_path, suite="shipping_delay", policies=str(tmp_path / "policies"))

    failed = {name: one.why for name, one in log.scores.items() if one.value == "I"}
    assert log.status == "success"
    assert 0 < len(failed) < len(log.scores)
    assert all(why != "as expected" for why in failed.values())
