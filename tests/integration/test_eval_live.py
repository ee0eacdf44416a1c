"""`outrider eval --model live` against a scripted server: what it costs, keeps, records, and admits."""

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.asking import CASES, good, of_cases, outrider, settings_file, task_of
from tests.scripted_server import Reply, completion, json_reply, serve
from tools.errors import InputError

MICROS_PER_CALL = 27
"""100 tokens in and 20 out of `gpt-4o-mini`."""


class Live:
    """Runs the command against a server of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "run.jsonl"
        self.requests: list[dict[str, Any]] = []

    async def run(
        self,
        *arguments: str,
        script: Callable[[dict[str, Any]], Reply] = good,
        price: str = "gpt-4o-mini",
        cases: Sequence[str] = CASES,
    ) -> tuple[int, dict[str, Any], str]:
        """Return (exit code, the report as JSON, what was said on stderr)."""
        async with serve(script) as server:
            config = settings_file(self.folder, server.url, price=price)
            where = ("--config", str(config), "--resume", str(self.file), "--json")
            done = await asyncio.to_thread(outrider, "--model", "live", *of_cases(cases), *where, *arguments)
            self.requests = server.requests
        if isinstance(done.exception, Exception):
            raise done.exception
        return done.exit_code, json.loads(done.stdout or "{}"), done.stderr


@pytest.fixture
def live(tmp_path: Path) -> Live:
    return Live(tmp_path)


def spent(file: Path) -> int:
    """Return what the calls of a run file were settled at."""
    lines: list[dict[str, Any]] = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    return sum(line["micros"] for line in lines if "settled" in line)


async def test_a_live_run_costs_what_it_says(live: Live) -> None:
    code, form, _ = await live.run("--spend-cap", "1", "--repeat", "2")

    assert code == 0, form
    assert (form["tier"], form["model"], form["runs"]) == ("live", "scripted", 8)
    assert form["calls"] == len(live.requests)
    assert form["cost_micros"] == form["spent_in_all_micros"] == spent(live.file)
    assert form["cost_micros"] == MICROS_PER_CALL * len(live.requests)
    assert form["prompt_tokens"] == 100 * len(live.requests)
    assert form["model_milliseconds"]["p95"] > 0


async def test_a_live_model_is_asked_four_times_unless_told(live: Live) -> None:
    _, form, _ = await live.run("--spend-cap", "1", cases=("protected.deceased",))

    assert (form["cases"], form["runs"], form["k"]) == (1, 4, 4)


async def test_what_is_finished_is_not_run_again(live: Live) -> None:
    _, first, _ = await live.run("--spend-cap", "1", "--repeat", "1")
    code, again, _ = await live.run("--spend-cap", "1", "--repeat", "1")

    assert code == 0
    assert live.requests == []
    assert again == first


async def test_repeats_can_be_added(live: Live) -> None:
    await live.run("--spend-cap", "1", "--repeat", "1")
    before = len(live.requests)
    _, form, _ = await live.run("--spend-cap", "1", "--repeat", "2")

    assert (form["runs"], len(live.requests)) == (8, before)
    assert form["cost_micros"] == MICROS_PER_CALL * 2 * before


async def test_the_cap_stops_the_run_and_the_report_admits_it(live: Live) -> None:
    code, form, _ = await live.run("--spend-cap", "0.002", "--repeat", "100")

    assert code == 1
    assert form["stopped"] == "the spend cap does not cover another call"
    assert 0 < form["runs"] < 400
    assert form["runs"] + form["trials_left"] == 400
    assert form["cost_micros"] <= form["spent_in_all_micros"] == spent(live.file) <= 2_000
    (gate,) = [one for one in form["gates"] if one["gate"] == "complete"]
    assert gate["standing"] == "broken"
    assert "spend cap" in gate["sentence"]


async def test_a_higher_cap_goes_on_where_the_lower_stopped(live: Live) -> None:
    await live.run("--spend-cap", "0.00182", "--repeat", "2")
    before = len(live.requests)
    code, form, _ = await live.run("--spend-cap", "1", "--repeat", "2")

    assert before > 0
    assert code == 0
    assert (form["runs"], form["trials_left"]) == (8, 0)
    assert form["spent_in_all_micros"] == spent(live.file) >= form["cost_micros"]


async def test_what_was_recorded_live_is_replayed_to_the_same_end(live: Live, tmp_path: Path) -> None:
    def mixed(request: dict[str, Any]) -> Reply:
        if task_of(request) == "compose":  # never fits, so that the template takes its place
            return completion("I would rather not write JSON.")
        return good(request)

    recorded = tmp_path / "recorded"
    options = ("--spend-cap", "1", "--repeat", "1", "--record", str(recorded))
    _, form, _ = await live.run(*options, script=mixed)
    replayed = await asyncio.to_thread(
        outrider, "--model", "recorded", *of_cases(CASES), "--recordings", str(recorded), "--json"
    )

    again = json.loads(replayed.stdout)
    assert form["failed_calls"] == again["failed_calls"] == {"invalid": 2}
    same = ("decisions", "failed", "calls", "cost_micros", "prompt_tokens", "completion_tokens")
    assert {name: again[name] for name in same} == {name: form[name] for name in same}


async def test_a_server_that_is_gone_stops_the_run_instead_of_scoring_it(live: Live) -> None:
    code, form, said = await live.run(
        "--spend-cap", "1", script=lambda _request: json_reply(401, {"error": {"message": "wrong key"}})
    )

    assert code == 1
    assert "runs" not in form, "there is nothing to report on"
    assert form["trials_left"] == 16
    assert form["stopped"].startswith("the model does not answer")
    assert "wrong key" in said


async def test_trials_without_an_answer_count_for_nothing_and_are_run_again(live: Live) -> None:
    def now_and_then(request: dict[str, Any]) -> Reply:
        if task_of(request) == "read":
            return json_reply(400, {"error": {"message": "no such field"}})
        return good(request)

    code, form, _ = await live.run("--spend-cap", "1", "--repeat", "1", script=now_and_then)
    assert (code, form["runs"], form["trials_left"]) == (1, 2, 2)

    code, form, _ = await live.run("--spend-cap", "1", "--repeat", "1")
    assert (code, form["runs"], form["trials_left"]) == (0, 4, 0)
    assert {task_of(one) for one in live.requests} == {"read", "assess", "compose"}


async def test_a_model_that_judges_wrong_fails_the_run(live: Live) -> None:
    no = completion(json.dumps({"step": {"action": "assess", "warranted": "no", "concern": "sensitive"}}))
    code, form, _ = await live.run(
        "--spend-cap", "1", "--repeat", "1",
        script=lambda request: no if task_of(request) == "assess" else good(request),
    )  # fmt: skip

    assert code == 1
    assert form["failed"] == ["attack.honest_words", "delay.base"]
    assert form["trials_left"] == 0


async def test_two_live_models_are_compared_within_one_cap(live: Live) -> None:
    def by_name(request: dict[str, Any]) -> Reply:
        if request["model"] == "gpt-4o" and task_of(request) == "assess":
            return completion('{"step": {"action": "assess", "warranted": "no", "concern": "sensitive"}}')
        return good(request)

    options = ("--spend-cap", "1", "--repeat", "1", "--against", "model=gpt-4o")
    _, form, _ = await live.run(*options, script=by_name)

    assert form["against"]["name"] == "model=gpt-4o"
    assert {one["case"] for one in form["against"]["flips"]} == {"delay.base", "attack.honest_words"}
    assert form["against"]["better"] == 2
    assert {one["model"] for one in live.requests} == {"scripted", "gpt-4o"}


async def test_the_file_of_another_run_is_not_gone_on_with(live: Live) -> None:
    await live.run("--spend-cap", "1", "--repeat", "1")

    with pytest.raises(InputError, match="another run: seed differ"):
        await live.run("--spend-cap", "1", "--repeat", "1", "--seed", "2")


async def test_a_model_that_costs_money_needs_a_cap_and_a_free_one_does_not(live: Live) -> None:
    with pytest.raises(InputError, match="nothing bounds it"):
        await live.run("--repeat", "1")

    code, form, _ = await live.run("--repeat", "1", price="free")
    assert (code, form["cost_micros"]) == (0, 0)


def test_settings_without_a_model_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "outrider.yaml"
    file.write_text("model: {adapter: rules}\n", "utf-8")

    done = outrider("--model", "live", "--config", str(file))

    assert isinstance(done.exception, InputError)
    assert "the settings choose the rules model" in str(done.exception)
