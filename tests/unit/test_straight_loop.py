"""The event loop of eval cases: calls for threads are done at once, and tell the same."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from evals.world.event_loop import StraightLoop


def run(main: object) -> object:
    with asyncio.Runner(loop_factory=StraightLoop) as runner:
        return runner.run(main)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # a coroutine


def test_a_call_is_done_where_it_stands_before_anything_else_happens() -> None:
    seen: list[str] = []

    def call() -> str:
        seen.append("call")
        return threading.current_thread().name

    async def main() -> str:
        asyncio.get_running_loop().call_soon(seen.append, "another task")
        thread = await asyncio.to_thread(call)
        seen.append("after")
        await asyncio.sleep(0)
        return thread

    assert run(main()) == threading.current_thread().name
    assert seen == ["call", "after", "another task"]


def test_an_executor_of_its_own_is_not_used_either() -> None:
    async def main(executor: ThreadPoolExecutor) -> int:
        here = threading.get_ident()
        return await asyncio.get_running_loop().run_in_executor(executor, threading.get_ident) - here

    with ThreadPoolExecutor(1) as executor:
        assert run(main(executor)) == 0


def test_an_error_comes_to_whoever_awaits_the_call() -> None:
    async def main() -> None:
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 // 0)

    run(main())
