"""Spent and held never pass the cap, whoever asks at the same time and whoever dies."""

import asyncio
import multiprocessing
import threading
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.clock import SimulatedClock
from agent.errors import ModelError
from agent.llm.budget import SCOPE, ModelBudget
from agent.llm.ledgered import LedgeredModel
from agent.llm.prices import Price
from agent.store.budgets import Balance, balance, held_amounts, release_dead, reserve, settle
from agent.store.transaction import Store
from tests.budget_spender import CAP, PERIOD, START, books, pay, spend, take
from tests.llm_builders import CALM, READ, Bench, template_store
from tests.scripted_server import completion, serve

GOOD = completion(CALM.model_dump_json())


def clear_and_check(store: Store, paid: int) -> None:
    abandoned = books(store).held
    with store.read() as conn:
        assert held_amounts(conn, scope=SCOPE, period=PERIOD) == abandoned
    with store.write() as tx:
        cleared = release_dead(tx, before=START + timedelta(seconds=1))
    after = books(store)
    assert cleared > 0
    assert after.held == 0
    assert after.spent == paid + abandoned <= CAP


def test_eight_threads_at_once_never_overshoot(any_store: Store, database_url: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        paid = sum(pool.map(spend, [database_url] * 8, range(8)))

    clear_and_check(any_store, paid)


def test_processes_at_once_never_overshoot(store: Store, tmp_path: Path) -> None:
    """SQLite locks files per process, so threads prove nothing there; PostgreSQL sees connections."""
    url = f"sqlite:///{tmp_path / 'outrider.db'}"
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        paid = sum(pool.starmap(spend, [(url, seed) for seed in range(2)]))

    clear_and_check(store, paid)


def test_the_last_money_goes_to_one_of_two(any_store: Store) -> None:
    assert take(any_store, 6_000) is not None
    assert take(any_store, 4_001) is None
    assert take(any_store, 4_000) is not None
    assert books(any_store).left == 0


def test_a_hold_is_settled_once(any_store: Store) -> None:
    hold = take(any_store, 100)
    assert hold is not None

    assert pay(any_store, hold, 70)
    assert not pay(any_store, hold, 70)

    assert books(any_store) == Balance(cap=CAP, held=0, spent=70)


def test_money_beyond_two_thousand_fits(any_store: Store) -> None:
    cap = 5_000 * 10**6
    hold = take(any_store, cap - 1, cap=cap)
    assert hold is not None

    assert pay(any_store, hold, cap - 1)

    assert books(any_store) == Balance(cap=cap, held=0, spent=cap - 1)


def test_a_hold_that_many_settle_at_once_is_booked_once(any_store: Store) -> None:
    holds = [hold for _ in range(6) if (hold := take(any_store, 100)) is not None]
    together = threading.Barrier(4)

    def pay_all(_: int) -> int:
        paid = 0
        for hold in holds:
            together.wait()
            paid += pay(any_store, hold, 70)
        return paid

    with ThreadPoolExecutor(4) as pool:
        settled = sum(pool.map(pay_all, range(4)))

    assert settled == len(holds)
    assert books(any_store) == Balance(cap=CAP, held=0, spent=70 * len(holds))


def test_a_lowered_cap_counts_at_once(any_store: Store) -> None:
    assert take(any_store, 100) is not None

    assert take(any_store, 1, cap=50) is None
    assert take(any_store, 100, cap=200) is not None

    assert books(any_store) == Balance(cap=200, held=200, spent=0)


def test_only_the_named_owners_old_holds_are_released(any_store: Store) -> None:
    take(any_store, 1, owner="a")
    take(any_store, 2, owner="b")

    with any_store.write() as tx:
        assert release_dead(tx, before=START) == 0
        assert release_dead(tx, before=START + timedelta(seconds=1), owner="b") == 1

    assert books(any_store) == Balance(cap=CAP, held=1, spent=2)


@pytest.mark.parametrize("amount", [-1, -1_000])
def test_negative_money_is_refused(store: Store, amount: int) -> None:
    with pytest.raises(ValueError, match="cannot reserve"):
        take(store, amount)
    with pytest.raises(ValueError, match="cannot settle"):
        pay(store, "hold_x", amount)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 100)), max_size=15), cap=st.integers(0, 900)
)
def test_any_order_of_calls_keeps_the_books(store: Store, steps: list[tuple[int, int]], cap: int) -> None:
    period = f"{cap}-{hash(tuple(steps))}"
    for amount, percent in steps:
        with store.write() as tx:
            hold = reserve(tx, scope=SCOPE, period=period, amount=amount, cap=cap, owner="test", at=START)
            if hold is not None and percent > 20:
                settle(tx, hold, cost=amount * percent // 100)
        with store.read() as conn:
            found = balance(conn, scope=SCOPE, period=period)
            assert found is not None
            assert found.spent + found.held <= cap
            assert found.held == held_amounts(conn, scope=SCOPE, period=period)


@pytest.fixture
async def bench(store: Store, clock: SimulatedClock, tmp_path: Path) -> AsyncGenerator[Bench]:
    bench = Bench(store, clock, template_store(tmp_path / "templates"))
    yield bench
    for transport in bench.opened:
        await transport.aclose()


async def test_a_question_beyond_the_budget_is_not_sent(bench: Bench) -> None:
    async with serve([GOOD]) as server:
        with pytest.raises(ModelError) as caught:
            await bench.model(server.url, cap=500).read(READ)

    assert (caught.value.kind, caught.value.retryable) == ("budget", False)
    assert server.requests == []


async def test_the_next_utc_day_has_its_own_money(store: Store, clock: SimulatedClock) -> None:
    budget = ModelBudget(store=store, cap_micros=100, owner="test", clock=clock)
    await budget.reserve(100)
    with pytest.raises(ModelError):
        await budget.reserve(1)

    clock.advance(timedelta(hours=12))

    assert await budget.reserve(100) is not None


async def test_a_repair_that_the_budget_does_not_cover_is_not_asked_for(bench: Bench) -> None:
    bound = 10_000  # far above the first turn's reserve, so only the bill of that turn can stop the second
    usage = {"prompt_tokens": bound - 1_000, "completion_tokens": 0, "total_tokens": 0}
    async with serve([completion("no", usage=usage)]) as server:
        with pytest.raises(ModelError) as caught:
            await bench.model(server.url, cap=bound).read(READ)

    assert caught.value.kind == "budget"
    assert len(server.requests) == 1


async def test_a_free_model_needs_no_budget(bench: Bench, store: Store) -> None:
    free = Price(prompt=0, cached=0, completion=0, currency="XXX")
    async with serve([GOOD]) as server:
        answer = await bench.model(server.url, price=free, cap=0).read(READ)

    assert answer.use.cost_micros == 0
    with store.read() as conn:
        assert balance(conn, scope=SCOPE, period=PERIOD) is None


@pytest.mark.parametrize("cap", [4_000, 9_000])
async def test_many_questions_at_once_stay_within_the_budget(bench: Bench, store: Store, cap: int) -> None:
    model_price = Price(prompt=1_000_000, cached=0, completion=1_000_000, currency="USD")
    async with serve([GOOD]) as server:
        model = bench.model(server.url, cap=cap, price=model_price)
        kinds = await _ask_many(model, 12)

    after = books(store)
    assert after.held == 0
    assert after.spent == 120 * len(server.requests) <= cap
    assert set(kinds) <= {"", "budget"}
    assert kinds.count("") == len(server.requests)


async def _ask_many(model: LedgeredModel, number: int) -> list[str]:
    """Ask different questions at once; return how each failed, empty for an answer."""

    async def ask(question: int) -> str:
        try:
            await model.read(replace(READ, texts=(f"text {question}",)))
        except ModelError as exc:
            return exc.kind
        return ""

    return list(await asyncio.gather(*map(ask, range(number))))
