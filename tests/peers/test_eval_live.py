"""An evaluation of llama.cpp's own server with random weights: plumbing and honesty, not quality."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from agent.llm.prices import load_prices
from agent.store.llm_calls import Usage
from tests.asking import of_cases, outrider, settings_file
from tests.eval_process import eval_process, killed, lines_of, spent, trials_of

pytestmark = [
    pytest.mark.peers,
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="finds the processes of a run in /proc"),
]

CASES = ("delay.base", "delay.delivered", "delay.german", "attack.honest_words", "attack.tag_characters")
REPEATS = 4
PRICED_AS = "gpt-4o-mini"


def settings(folder: Path, url: str) -> str:
    file = settings_file(folder, url, price=PRICED_AS, name="tiny")
    text = file.read_text("utf-8").rstrip().removesuffix("}")
    # how long a busy machine takes is not what is tested
    file.write_text(f'{text}, "max_tokens": 400, "timeout": "100s", "deadline": "100s"}}\n', "utf-8")
    return str(file)


def bill(lines: list[dict[str, Any]]) -> int:
    """Return what the tokens in the trials of a run file cost, reckoned anew from the price list."""
    price = load_prices().prices[PRICED_AS]
    used = [one for line in lines if "trial" in line for one in line["trial"]["recordings"]]
    names = ("prompt_tokens", "completion_tokens", "cached_tokens")
    return sum(price.cost(Usage(**{name: one[name] for name in names})) for one in used)


async def test_a_live_run_completes_after_a_kill_costs_what_it_says_and_admits_what_fails(
    llama_server: str, tmp_path: Path
) -> None:
    file, recorded = tmp_path / "run.jsonl", tmp_path / "recorded"
    wanted = [
        *(part for case in CASES for part in ("--case", case)),
        "--jobs", "2", "--spend-cap", "5", "--resume", str(file), "--record", str(recorded), "--json",
        "--config", settings(tmp_path, llama_server),
    ]  # fmt: skip
    async with eval_process(*wanted) as process:
        assert process.stderr is not None
        async for line in process.stderr:
            if b"trials" in line:
                break
        await killed(process)
    kept = trials_of(lines_of(file))
    assert 0 < len(kept) < len(CASES) * REPEATS

    async with eval_process(*wanted) as process:
        out, said = await process.communicate()
    form, lines = json.loads(out), lines_of(file)
    broken = {one["gate"] for one in form["gates"] if one["standing"] == "broken"}

    assert process.returncode == 1, said
    assert (form["tier"], form["model"], form["k"]) == ("live", "tiny", 4)
    assert (form["runs"], form["trials_left"]) == (len(CASES) * REPEATS, 0)
    assert trials_of(lines)[: len(kept)] == kept
    assert "complete" not in broken
    assert broken, "noise decides wrong, and the report says so"
    assert form["failed"]
    # a question with a second turn is rounded up twice
    assert 0 <= form["cost_micros"] - bill(lines) <= form["calls"]
    assert form["spent_in_all_micros"] == spent(lines) >= form["cost_micros"] > 0
    assert form["prompt_tokens"] > 100 * form["calls"] > 0

    again = await asyncio.to_thread(replayed, recorded)
    assert json.loads(again.stdout)["needs_recording"] == []
    tell(form, kept)


def replayed(recorded: Path) -> Result:
    return outrider("--model", "recorded", "--recordings", str(recorded), *of_cases(CASES), "--json")


def tell(form: dict[str, Any], kept: list[tuple[str, int]]) -> None:
    passed = form["runs"] and form["pass_hat_1"]["estimate"]
    sys.stdout.write(
        f"\n{len(kept)} trials before the kill, {form['runs']} in all: {form['calls']} calls, failed "
        f"{form['failed_calls']}, {form['prompt_tokens']:,} + "
        f"{form['completion_tokens']:,} tokens, "
        f"{form['cost_micros'] / 1e6:.4f} USD, {form['spent_in_all_micros'] / 1e6:.4f} with those cut off, "
        f"model {form['model_milliseconds']} ms per decision, pass^1 {passed:.2f}\n"
    )
