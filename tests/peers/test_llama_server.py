"""The OpenAI-compatible model against llama.cpp's own server: plumbing, schema and books, not quality."""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from sqlmodel import select

from agent.clock import SimulatedClock
from agent.domain.model import Composition, LookUp, LookUpResult, LookUpTool, Reading, Step
from agent.errors import ModelError
from agent.llm.budget import SCOPE
from agent.llm.ledgered import LedgeredModel
from agent.llm.retries import RetryRules
from agent.store.budgets import balance
from agent.store.llm_calls import CallStatus, LlmCall, get_calls
from agent.store.tables.ledger import LlmCallRow
from agent.store.transaction import Store
from tests.conftest import START
from tests.llm_builders import ASSESS, CALM, COMPOSE, READ, Bench, template_store

pytestmark = pytest.mark.peers


@pytest.fixture
async def bench(store: Store, clock: SimulatedClock, tmp_path: Path) -> AsyncGenerator[Bench]:
    bench = Bench(store, clock, template_store(tmp_path / "templates"))
    yield bench
    for transport in bench.opened:
        await transport.aclose()


def patient(bench: Bench, url: str, **changes: Any) -> LedgeredModel:
    """Return a model that waits for a server on a busy machine: how long it takes is not what is tested."""
    rules = RetryRules(deadline=timedelta(seconds=100))
    return bench.model(url, rules=rules, timeout=timedelta(seconds=100), **changes)


def calls(store: Store) -> list[LlmCall]:
    with store.read() as conn:
        return get_calls(conn, list(conn.execute(select(LlmCallRow.id)).scalars()))


async def test_texts_are_read_into_the_closed_form(bench: Bench, llama_server: str) -> None:
    answer = await patient(bench, llama_server, seed=1).read(READ)

    assert isinstance(answer.value, Reading)
    [call] = calls(bench.store)
    assert call.usage.prompt_tokens > 100
    assert answer.use.cost_micros == call.cost_micros > 0


async def test_both_branches_of_a_step_come_through_the_grammar(bench: Bench, llama_server: str) -> None:
    request = replace(
        ASSESS,
        readings=(CALM,),
        results=(LookUpResult(tool=LookUpTool.ORDER, facts=ASSESS.facts),),
    )

    steps = [(await patient(bench, llama_server, seed=seed).assess(request)).value for seed in range(12)]

    assert all(isinstance(step, Step) for step in steps)
    assert {type(step.step) is LookUp for step in steps} == {True, False}


async def test_texts_are_written_or_properly_refused(bench: Bench, llama_server: str) -> None:
    results: Counter[str] = Counter()
    for seed in range(8):
        try:
            answer = await patient(bench, llama_server, seed=seed).compose(COMPOSE)
        except ModelError as exc:
            results[exc.kind] += 1
        else:
            assert isinstance(answer.value, Composition)
            results["written"] += 1

    assert results["written"] > 0
    assert set(results) <= {"written", "invalid", "too_long"}


async def test_the_same_seed_gives_the_same_answer_and_the_ledger_asks_once(
    bench: Bench, llama_server: str
) -> None:
    first = await patient(bench, llama_server, seed=3).assess(ASSESS)
    again = await patient(bench, llama_server, seed=3).assess(ASSESS)

    assert again.value == first.value
    assert len(calls(bench.store)) == 1


async def test_an_answer_that_is_cut_off_is_too_long_and_its_tokens_are_kept(
    bench: Bench, llama_server: str
) -> None:
    with pytest.raises(ModelError) as caught:
        await patient(bench, llama_server, max_tokens=10).read(READ)

    assert caught.value.kind == "too_long"
    [call] = calls(bench.store)
    assert (call.status, call.usage.completion_tokens) == (CallStatus.FAILED, 10)


async def test_a_prompt_beyond_the_context_is_too_long(bench: Bench, llama_server: str) -> None:
    # a byte vocabulary makes three tokens of each of these signs
    request = replace(READ, texts=("\u754c" * 8_000,) * 4)
    with pytest.raises(ModelError) as caught:
        await patient(bench, llama_server, max_tokens=300).read(request)

    assert caught.value.kind == "too_long"


async def test_the_price_bound_holds_for_a_vocabulary_of_bytes(bench: Bench, llama_server: str) -> None:
    """The worst tokenizer there is: what is billed never passes what was reserved."""
    await patient(bench, llama_server, seed=1, cap=7_000).read(replace(READ, texts=("\u754c" * 500,)))

    with bench.store.read() as conn:
        after = balance(conn, scope=SCOPE, period=START.date().isoformat())
    assert after is not None
    assert after.spent <= 7_000


async def test_many_at_once_all_end_well(
    bench: Bench, llama_server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    model = patient(bench, llama_server, seed=5)
    seconds: list[float] = []

    async def read(number: int) -> Reading:
        begun = time.perf_counter()
        answer = await model.read(replace(READ, texts=(f"Text {number}: where is it?",)))
        seconds.append(time.perf_counter() - begun)
        return answer.value

    begun = time.perf_counter()
    readings = await asyncio.gather(*map(read, range(20)))
    took = time.perf_counter() - begun

    assert len(readings) == len(calls(bench.store)) == 20
    with capsys.disabled():
        middle, most = (f"{value * 1000:.0f} ms" for value in (median(seconds), max(seconds)))
        sys.stdout.write(f"\n20 questions at once in {took:.2f} s: median {middle}, longest {most}\n")
