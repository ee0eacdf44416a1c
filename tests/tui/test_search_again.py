"""A search reads every text of the queue, so it is repeated only when there may be something new."""

# pyright: reportUnknownMemberType=false
# Textual does not say of what its App and Worker are generic.

from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from agent.clock import SimulatedClock
from agent.store.audit_log import events_so_far
from agent.store.transaction import Store
from agent.tui.queue_screen import QueueScreen
from tests.sending_bench import Bench
from tests.tui.desks import Desk, desk_with
from tests.tui.snapshots import text_of
from tests.tui.test_screens import rest


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = await desk_with(tmp_path, 2)
    yield made
    made.installation.stop_all()


@contextmanager
def searches(desk: Desk) -> Generator[list[str]]:
    """Count what looks through texts."""
    seen: list[str] = []

    def see(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "LIKE" in statement:
            seen.append(statement)

    event.listen(desk.app.store.reader, "before_cursor_execute", see)
    yield seen
    event.remove(desk.app.store.reader, "before_cursor_execute", see)


async def test_a_search_is_repeated_when_something_changed_or_after_a_while(desk: Desk) -> None:
    terminal = desk.terminal()
    async with terminal.run_test(size=(120, 40)) as pilot:
        await rest(pilot)
        with searches(desk) as seen:
            await pilot.press("slash", *"c0000001", "enter")
            await rest(pilot)
            queue = terminal.screen
            assert isinstance(queue, QueueScreen)
            assert len(seen) == 1

            for _ in range(3):
                queue.look_again()
                await rest(pilot)
            assert len(seen) == 1, "nothing has changed"

            (item,) = queue.held.items
            desk.app.desk.claim(item.draft_id, reviewer="bob")
            queue.look_again()
            await rest(pilot)
            assert len(seen) == 2, "bob took it"
            assert "bob" in text_of(terminal.screen)

            desk.installation.clock.advance(timedelta(seconds=29))
            queue.look_again()
            await rest(pilot)
            assert len(seen) == 2
            desk.installation.clock.advance(timedelta(minutes=20))
            queue.look_again()
            await rest(pilot)
            assert len(seen) == 3, "bob's claim has run out by the clock"
            assert "bob" not in text_of(terminal.screen)


async def test_without_a_search_the_queue_is_always_read(desk: Desk) -> None:
    terminal = desk.terminal()
    async with terminal.run_test(size=(120, 40)) as pilot:
        await rest(pilot)
        queue = terminal.screen
        assert isinstance(queue, QueueScreen)
        before = queue.held
        desk.installation.clock.advance(timedelta(seconds=1))
        queue.look_again()
        await rest(pilot)

        assert queue.held is not before


def test_every_change_counts_and_sealing_does_not(any_store: Store, clock: SimulatedClock) -> None:
    bench = Bench(store=any_store, clock=clock)

    def so_far() -> int:
        with any_store.read() as conn:
            return events_so_far(conn)

    counts = [so_far()]
    draft = bench.in_review()
    counts.append(so_far())
    bench.desk.claim(draft.id, reviewer="ann")
    counts.append(so_far())
    any_store.seal_pending()
    counts.append(so_far())

    assert counts[0] < counts[1] < counts[2] == counts[3], "sealing is no change"
