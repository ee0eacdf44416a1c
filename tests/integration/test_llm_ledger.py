"""The same question is asked once: re-runs, replays and look-alikes are answered from the ledger."""

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from agent.canonical import canonical, text_hash
from agent.clock import SimulatedClock
from agent.errors import ModelError
from agent.llm.budget import SCOPE, clear_dead_calls
from agent.store.budgets import balance, reserve
from agent.store.llm_calls import CallStatus, LlmCall, find_succeeded, get_calls, start_call
from agent.store.tables.ledger import LlmCallRow
from agent.store.transaction import Store
from tests.conftest import START
from tests.llm_builders import CALM, COMPOSE, READ, Bench, template_store
from tests.scripted_server import completion, serve

GOOD = completion(CALM.model_dump_json())
TEXT = completion(json.dumps({"subject": "Order {order.number}", "body": "It is late."}))


@pytest.fixture
async def bench(store: Store, clock: SimulatedClock, tmp_path: Path) -> AsyncGenerator[Bench]:
    bench = Bench(store, clock, template_store(tmp_path / "templates"))
    yield bench
    for transport in bench.opened:
        await transport.aclose()


def calls(store: Store) -> list[LlmCall]:
    with store.read() as conn:
        return get_calls(conn, list(conn.execute(select(LlmCallRow.id)).scalars()))


async def test_a_question_asked_before_is_answered_from_the_ledger_at_no_cost(
    any_store: Store, clock: SimulatedClock, tmp_path: Path
) -> None:
    bench = Bench(any_store, clock, template_store(tmp_path / "templates"))
    async with serve([GOOD]) as server:
        first = await bench.model(server.url).read(READ)
        again = await bench.model(server.url).read(replace(READ, situation_id="sit_2"))
        for transport in bench.opened:
            await transport.aclose()

    assert len(server.requests) == 1
    assert again.value == first.value
    assert again.use.calls == first.use.calls
    assert (first.use.cost_micros, again.use.cost_micros) == (140, 0)


async def test_a_replay_needs_no_endpoint(bench: Bench) -> None:
    async with serve([GOOD]) as server:
        first = await bench.model(server.url).read(READ)

    again = await bench.model("http://127.0.0.1:1/v1").read(READ)

    assert again.value == first.value


async def test_the_same_question_many_times_at_once_is_asked_once(bench: Bench) -> None:
    async with serve([GOOD]) as server:
        model = bench.model(server.url)
        answers = await asyncio.gather(*(model.read(READ) for _ in range(10)))

    assert len(server.requests) == 1
    assert {answer.use.calls for answer in answers} == {answers[0].use.calls}
    assert sum(answer.use.cost_micros for answer in answers) == 140


async def test_another_question_model_parameter_or_limit_is_another_request(bench: Bench) -> None:
    async with serve([GOOD]) as server:
        await bench.model(server.url).read(READ)
        await bench.model(server.url).read(replace(READ, texts=("Another text",)))
        await bench.model(server.url, seed=1).read(READ)
        await bench.model(server.url, max_tokens=500).read(READ)

    assert len(server.requests) == 4
    assert len({call.request_hash for call in calls(bench.store)}) == 4


async def test_a_failure_is_asked_again(bench: Bench) -> None:
    async with serve([completion("no"), completion("no"), GOOD]) as server:
        model = bench.model(server.url)
        with pytest.raises(ModelError):
            await model.read(READ)
        answer = await model.read(READ)

    assert answer.value == CALM
    assert [call.status for call in calls(bench.store)] == [CallStatus.FAILED, CallStatus.SUCCEEDED]


async def test_the_ledger_keeps_the_exact_request_in_canonical_form(bench: Bench) -> None:
    async with serve([TEXT]) as server:
        await bench.model(server.url).compose(COMPOSE)

    [call] = calls(bench.store)
    record = json.loads(call.request)
    [sent] = server.requests
    assert call.request == canonical(record)
    assert call.request_hash == text_hash(call.request)
    assert record["messages"] == sent["messages"]
    assert record["schema"] == sent["response_format"]["json_schema"]["schema"]
    assert (call.task, call.model, call.situation_id) == ("compose", "scripted", "sit_1")
    assert record["prompt"].startswith("compose@")


async def test_a_reply_that_no_longer_passes_the_checks_is_asked_for_anew(bench: Bench) -> None:
    async with serve([TEXT]) as server:
        await bench.model(server.url).compose(COMPOSE)
        with bench.store.write() as tx:
            tx.conn.execute(update(LlmCallRow).values(reply='{"subject":"","body":""}'))
        answer = await bench.model(server.url).compose(COMPOSE)

    assert answer.value.body == "It is late."
    assert len(server.requests) == 2


def test_calls_and_holds_of_a_dead_process_are_cleared_and_count_as_spent(
    any_store: Store, clock: SimulatedClock
) -> None:
    period = START.date().isoformat()
    with any_store.write() as tx:
        for amount in (30, 40):
            reserve(tx, scope=SCOPE, period=period, amount=amount, cap=100, owner="dead", at=START)
        call_id = start_call(
            tx, request_hash="h", task="read", model="m", situation_id=None, request="{}", at=START
        )
    clock.advance(timedelta(minutes=10))
    with any_store.write() as tx:
        reserve(tx, scope=SCOPE, period=period, amount=5, cap=100, owner="alive", at=clock())

    cleared = clear_dead_calls(any_store, clock=clock, longest_call=timedelta(minutes=5))

    assert cleared == (2, 1)
    with any_store.read() as conn:
        after = balance(conn, scope=SCOPE, period=period)
        [call] = get_calls(conn, [call_id])
    assert after is not None
    assert (after.held, after.spent, after.left) == (5, 70, 25)
    assert call.status is CallStatus.LOST
    assert clear_dead_calls(any_store, clock=clock, longest_call=timedelta(minutes=5)) == (0, 0)


def test_only_calls_whose_reply_fits_are_found_and_the_first_of_them_counts(any_store: Store) -> None:
    with any_store.write() as tx:
        ids = [
            start_call(
                tx, request_hash="h", task="read", model="m", situation_id=None, request="{}", at=START
            )
            for _ in range(4)
        ]
        for call_id, status in zip(ids, ("failed", "succeeded", "succeeded", "lost"), strict=True):
            tx.conn.execute(update(LlmCallRow).where(col(LlmCallRow.id) == call_id).values(status=status))

    with any_store.read() as conn:
        found = find_succeeded(conn, "h")
        assert found is not None
        assert found.id == ids[1]
        assert find_succeeded(conn, "other") is None
        assert [call.id for call in get_calls(conn, [*reversed(ids), "llm_unknown"])] == ids
