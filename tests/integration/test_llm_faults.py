"""Whatever an endpoint does wrong ends in a typed failure or a repaired answer, with bounded requests."""

import asyncio
import json
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from agent.clock import SimulatedClock
from agent.errors import ModelError
from agent.llm.budget import SCOPE
from agent.llm.compatible import LARGEST_REPLY, CompatibleTransport
from agent.llm.retries import RetryRules
from agent.store.budgets import Balance, balance, held_amounts
from agent.store.llm_calls import CallStatus, LlmCall, get_calls
from agent.store.tables.ledger import LlmCallRow
from agent.store.transaction import Store
from tests.conftest import START
from tests.llm_builders import CALM, READ, Bench, template_store
from tests.scripted_server import Reply, completion, json_reply, serve
from tools.errors import InputError

GOOD = completion(CALM.model_dump_json())
BAD = completion('{"mood": "joyful"}')
ERROR_500 = json_reply(500, {"error": {"message": "boom"}})
SHORT = RetryRules(deadline=timedelta(seconds=0.4))


@pytest.fixture
async def bench(store: Store, clock: SimulatedClock, tmp_path: Path) -> AsyncGenerator[Bench]:
    bench = Bench(store, clock, template_store(tmp_path / "templates"))
    yield bench
    for transport in bench.opened:
        await transport.aclose()


def calls(store: Store) -> list[LlmCall]:
    with store.read() as conn:
        return get_calls(conn, list(conn.execute(select(LlmCallRow.id)).scalars()))


def books(store: Store) -> Balance | None:
    with store.read() as conn:
        found = balance(conn, scope=SCOPE, period=START.date().isoformat())
        assert found is None or found.held == held_amounts(conn, scope=SCOPE, period=START.date().isoformat())
        return found


async def test_a_good_answer_takes_one_request_and_is_billed_by_its_usage(bench: Bench, store: Store) -> None:
    async with serve([GOOD]) as server:
        answer = await bench.model(server.url).read(READ)

    assert answer.value == CALM
    assert answer.use.cost_micros == 100 + 2 * 20
    assert len(server.requests) == 1
    [call] = calls(store)
    assert (call.status, call.reply, call.cost_micros) == (CallStatus.SUCCEEDED, CALM.model_dump_json(), 140)
    assert books(store) == Balance(cap=1_000_000, held=0, spent=140)


async def test_cached_tokens_are_billed_at_their_own_price(bench: Bench, store: Store) -> None:
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "prompt_tokens_details": {"cached_tokens": 80},
    }
    async with serve([completion(CALM.model_dump_json(), usage=usage)]) as server:
        answer = await bench.model(server.url).read(READ)

    assert answer.use.cost_micros == 20 + 40 + 40
    assert calls(store)[0].usage.cached_tokens == 80


async def test_an_answer_that_does_not_fit_is_repaired_once(bench: Bench, store: Store) -> None:
    async with serve([BAD, GOOD]) as server:
        answer = await bench.model(server.url).read(READ)

    assert answer.value == CALM
    roles = [message["role"] for message in server.requests[1]["messages"]]
    assert roles == ["user", "assistant", "user"]
    assert "asks_for_person: Field required" in server.requests[1]["messages"][2]["content"]
    [call] = calls(store)
    assert call.status is CallStatus.SUCCEEDED
    assert call.usage.prompt_tokens == 200
    assert answer.use.cost_micros == call.cost_micros == 280


@pytest.mark.parametrize("text", ['{"mood": "joyful"}', "Sorry, no.", "", "[]", "null", '{"mood":"calm"'])
async def test_two_bad_answers_are_a_failure_whose_tokens_are_kept(
    bench: Bench, store: Store, text: str
) -> None:
    async with serve([completion(text)]) as server:
        with pytest.raises(ModelError) as caught:
            await bench.model(server.url).read(READ)

    assert caught.value.kind == "invalid"
    assert len(server.requests) == 2
    [call] = calls(store)
    assert (call.status, call.reply, call.usage.completion_tokens) == (CallStatus.FAILED, text, 40)
    assert call.error.startswith("invalid: ")
    assert books(store) == Balance(cap=1_000_000, held=0, spent=280)


@pytest.mark.parametrize(
    ("header", "value", "least"),
    [
        ("retry-after", "7", 7.0),
        ("retry-after-ms", "2500", 2.5),
        ("retry-after", "Mon, 02 Nov 2026 12:00:09 GMT", 9.0),
        ("retry-after", "soon", 0.0),
        ("retry-after", "-3", 0.0),
        ("retry-after", "nan", 0.0),
    ],
    ids=["seconds", "milliseconds", "date", "nonsense", "negative", "nan"],
)
async def test_the_wait_after_a_429_is_never_shorter_than_the_server_asks(
    bench: Bench, header: str, value: str, least: float
) -> None:
    limited = json_reply(429, {"error": {"message": "slow down"}}, **{header.replace("-", "_"): value})
    async with serve([limited, GOOD]) as server:
        await bench.model(server.url).read(READ)

    assert len(server.requests) == 2
    [wait] = bench.waits.seconds
    assert least <= wait <= max(least, 0.5)


async def test_a_wait_beyond_the_deadline_is_not_begun(bench: Bench) -> None:
    limited = json_reply(429, {"error": {"message": "tomorrow"}}, retry_after="86400")
    async with serve([limited, GOOD]) as server:
        with pytest.raises(ModelError) as caught:
            await bench.model(server.url).read(READ)

    assert (caught.value.kind, caught.value.retryable) == ("down", True)
    assert len(server.requests) == 1
    assert bench.waits.seconds == []


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504])
async def test_a_passing_fault_is_tried_again(bench: Bench, status: int) -> None:
    fault = json_reply(status, {"error": {"message": "later"}})
    async with serve([fault, fault, GOOD]) as server:
        answer = await bench.model(server.url).read(READ)

    assert answer.value == CALM
    assert len(server.requests) == 3


async def test_a_lasting_fault_ends_after_three_requests_and_costs_nothing(
    bench: Bench, store: Store
) -> None:
    async with serve([ERROR_500]) as server:
        with pytest.raises(ModelError) as caught:
            await bench.model(server.url).read(READ)

    assert caught.value.kind == "down"
    assert len(server.requests) == 3
    assert books(store) == Balance(cap=1_000_000, held=0, spent=0)
    assert calls(store)[0].error.startswith("down: the model endpoint answered 500: ")


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, {"message": "no", "code": "context_length_exceeded"}, "too_long"),
        (400, {"message": "no", "code": 400, "type": "exceed_context_size_error"}, "too_long"),
        (413, {"message": "no"}, "too_long"),
        (400, {"message": "no"}, "refused"),
        (401, {"message": "bad key"}, "refused"),
        (404, {"message": "no such model"}, "refused"),
        (302, {"message": "elsewhere"}, "refused"),
        (429, {"message": "pay", "code": "insufficient_quota"}, "budget"),
    ],
)
async def test_a_fault_that_no_retry_mends_is_asked_once(
    bench: Bench, status: int, error: object, kind: str
) -> None:
    elsewhere = json_reply(status, {"error": error}, location="http://127.0.0.1:9/elsewhere")
    async with serve([elsewhere]) as server:
        with pytest.raises(ModelError) as caught:
            await bench.model(server.url).read(READ)

    assert (caught.value.kind, caught.value.retryable) == (kind, False)
    assert len(server.requests) == 1


@pytest.mark.parametrize("fault", ["drop", "drop_midway"])
async def test_a_dropped_connection_is_tried_again_and_counted_as_billed(
    bench: Bench, store: Store, fault: str
) -> None:
    dropped = Reply(fault=fault, body=b"x" * 1000)  # type: ignore[arg-type]  # one of its literals
    async with serve([dropped, GOOD]) as server:
        answer = await bench.model(server.url).read(READ)

    assert len(server.requests) == 2
    after = books(store)
    assert after is not None
    assert after.spent == answer.use.cost_micros > 140  # the answer that got lost may be on the bill


async def test_nobody_listening_is_down_and_costs_nothing(bench: Bench, store: Store) -> None:
    with pytest.raises(ModelError) as caught:
        await bench.model("http://127.0.0.1:1/v1").read(READ)

    assert caught.value.kind == "down"
    assert len(bench.waits.seconds) == 2
    assert books(store) == Balance(cap=1_000_000, held=0, spent=0)


async def test_a_server_that_hangs_ends_at_the_total_deadline(bench: Bench, store: Store) -> None:
    async with serve([Reply(fault="hang")]) as server:
        with pytest.raises(ModelError) as caught:
            await bench.model(server.url, rules=SHORT).read(READ)

    assert (caught.value.kind, caught.value.retryable) == ("slow", True)
    assert len(server.requests) == 1
    [call] = calls(store)
    assert call.status is CallStatus.FAILED
    after = books(store)
    assert after is not None
    assert after.held == 0
    assert after.spent == call.cost_micros > 0


async def test_an_attempt_that_hangs_is_tried_again_within_the_deadline(bench: Bench) -> None:
    async with serve([Reply(fault="hang"), GOOD]) as server:
        answer = await bench.model(server.url, timeout=timedelta(seconds=0.2)).read(READ)

    assert answer.value == CALM
    assert len(server.requests) == 2


async def test_stopping_the_process_settles_what_is_under_way(bench: Bench, store: Store) -> None:
    async with serve([Reply(fault="hang")]) as server:
        task = asyncio.create_task(bench.model(server.url).read(READ))
        await server.asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    [call] = calls(store)
    assert call.error == "cancelled: this process stopped"
    after = books(store)
    assert after is not None
    assert after.held == 0


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (completion(None, refusal="I cannot help with that."), "refused"),
        (completion("", finish="content_filter"), "refused"),
        (completion('{"mood": "ca', finish="length"), "too_long"),
    ],
    ids=["refusal", "filter", "length"],
)
async def test_an_answer_that_is_none_is_not_repaired(
    bench: Bench, store: Store, reply: Reply, kind: str
) -> None:
    async with serve([reply]) as server:
        with pytest.raises(ModelError) as caught:
            await bench.model(server.url).read(READ)

    assert caught.value.kind == kind
    assert len(server.requests) == 1
    assert calls(store)[0].usage.prompt_tokens == 100


async def test_without_usage_the_whole_reserve_counts_as_spent(bench: Bench, store: Store) -> None:
    body = json.loads(GOOD.body)
    del body["usage"]
    async with serve([json_reply(200, body)]) as server:
        answer = await bench.model(server.url).read(READ)

    after = books(store)
    assert after is not None
    assert answer.value == CALM
    assert after.spent == answer.use.cost_micros > 1_000


@pytest.mark.parametrize(
    "reply",
    [
        Reply(headers={"content-type": "application/json"}, body=b"[" * (LARGEST_REPLY + 1)),
        Reply(status=500, body=b"x" * (LARGEST_REPLY + 1)),
        Reply(headers={"content-encoding": "gzip"}, body=b"\x1f\x8b"),
    ],
    ids=["answer", "error", "compressed"],
)
async def test_a_reply_of_unbounded_size_is_cut_off(bench: Bench, reply: Reply) -> None:
    async with serve([reply]) as server:
        with pytest.raises(ModelError) as caught:
            await bench.model(server.url).read(READ)

    assert caught.value.kind == "too_long"
    assert len(server.requests) == 1


@pytest.mark.parametrize("body", [b"<html>login</html>", b"{}", b'{"choices": 3}', b"\xff\xfe"])
async def test_an_answer_from_something_else_is_down(bench: Bench, body: bytes) -> None:
    async with serve([Reply(headers={"content-type": "text/html"}, body=body)]) as server:
        with pytest.raises(ModelError) as caught:
            await bench.model(server.url).read(READ)

    assert caught.value.kind == "down"
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("base_url", "model", "api_key", "field"),
    [
        ("api.openai.com/v1", "m", "k", "base_url"),
        ("ftp://host/v1", "m", "k", "base_url"),
        ("https:///v1", "m", "k", "base_url"),
        ("http://host:port/v1", "m", "k", "base_url"),
        ("https://host/v1", "m", "", "api_key"),
        ("https://host/v1", "", "k", "model"),
        ("https://host/v1", "rules", "k", "model"),
    ],
)
def test_settings_that_cannot_work_are_refused_before_any_call(
    clock: SimulatedClock, base_url: str, model: str, api_key: str, field: str
) -> None:
    with pytest.raises(InputError) as caught:
        CompatibleTransport(base_url=base_url, model=model, api_key=api_key, clock=clock)

    assert caught.value.field == field
