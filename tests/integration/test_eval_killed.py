"""A live run that is killed: its processes end with it, and another goes on where it was."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.asking import CASES, good, settings_file
from tests.eval_process import eval_process, killed, lines_of, spent, trials_of
from tests.scripted_server import Reply, serve

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="finds the processes of a run in /proc"),
]

REPEATS = 6
STALLS_AFTER = 30
"""Calls that are answered before the server stalls; a repeat of all cases makes nine."""


async def test_a_killed_run_loses_only_what_was_running_and_is_gone_on_with(tmp_path: Path) -> None:
    stalled = asyncio.Event()
    calls = 0

    def stalls(request: dict[str, Any]) -> Reply:
        nonlocal calls
        calls += 1
        if calls == STALLS_AFTER + 2:  # both processes wait
            stalled.set()
        return Reply(fault="hang") if calls > STALLS_AFTER else good(request)

    file = tmp_path / "run.jsonl"
    wanted = [
        *(part for case in CASES for part in ("--case", case)),
        "--jobs", "2", "--repeat", str(REPEATS), "--spend-cap", "1", "--resume", str(file), "--json",
    ]  # fmt: skip
    async with serve(stalls) as server:
        config = str(settings_file(tmp_path, server.url))
        async with eval_process(*wanted, "--config", config) as process:
            await asyncio.wait_for(stalled.wait(), 60)
            await killed(process)

    before = lines_of(file)
    kept = trials_of(before)
    assert 0 < len(kept) < len(CASES) * REPEATS

    async with serve(good) as server:
        config = str(settings_file(tmp_path, server.url))
        async with eval_process(*wanted, "--config", config) as process:
            out, said = await process.communicate()

    form = json.loads(out)
    after = lines_of(file)
    assert process.returncode == 0, said
    assert (form["runs"], form["trials_left"]) == (len(CASES) * REPEATS, 0)
    assert after[: len(before)] == before, "what was kept stays"
    assert len(trials_of(after)) == len(set(trials_of(after))) == form["runs"], "no trial twice"
    assert form["cost_micros"] == sum(
        line["trial"]["result"]["cost_micros"] for line in after if "trial" in line
    )
    assert form["spent_in_all_micros"] == spent(after) > form["cost_micros"], "the killed calls count in full"
