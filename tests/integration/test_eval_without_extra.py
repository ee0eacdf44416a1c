"""Whoever installed Outrider to run it, without what judging needs, is told so in one line."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT

WITHOUT = """
import sys
sys.modules.update(dict.fromkeys(["numpy", "pydantic_evals", "matplotlib"]))  # as if they were not installed
from agent.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def outrider(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT, *arguments], capture_output=True, text=True, check=False, cwd=ROOT
    )


@pytest.mark.parametrize(
    "arguments", [(), ("--suite", "olist"), ("--model", "recorded", "--against", "HEAD")]
)
def test_the_missing_extra_is_named_with_the_remedy(arguments: tuple[str, ...]) -> None:
    done = outrider("eval", *arguments)

    assert done.returncode == 2
    assert "pip install 'outrider[evals]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_judge_says_the_same(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    results.write_text("{}", encoding="utf-8")

    done = outrider("eval", "judge", str(results))

    assert (done.returncode, "pip install 'outrider[evals]'" in done.stderr) == (2, True), done.stderr


def test_suites_are_listed_all_the_same() -> None:
    done = outrider("eval", "--list")

    assert done.returncode == 0, done.stderr
    assert "regression" in done.stdout
