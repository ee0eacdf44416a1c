"""Each screen at both sizes, as agreed; and every act through its keys on a real desk."""

# pyright: reportUnknownMemberType=false
# Textual does not say of what its App and Worker are generic.

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import event
from textual.pilot import Pilot
from textual.worker import WorkerCancelled

from agent.domain.drafts import DraftState, ReviewVerdict
from agent.domain.queue import QueueFilter
from agent.tui.app import ReviewApp
from agent.tui.dialogs import Choose
from agent.tui.draft_screen import DraftScreen
from agent.tui.lead_screen import LeadScreen
from agent.tui.queue_screen import QueueScreen
from agent.tui.row_list import RowList
from tests.running import settle
from tests.tui.desks import SIZES, Desk, desk_with
from tests.tui.snapshots import check, text_of
from tools.records.vocabulary import ChannelKind

FLOOR = timedelta(seconds=3)


async def rest(pilot: Pilot[None]) -> None:
    """Let everything that was asked of the desk arrive; a question that was overtaken counts as answered."""
    for _ in range(50):
        await pilot.pause()
        if all(worker.is_finished for worker in pilot.app.workers):
            break
        with suppress(WorkerCancelled):
            await pilot.app.workers.wait_for_complete()
    await pilot.pause()


async def opened(pilot: Pilot[None], desk: Desk) -> DraftScreen:
    """Open the first draft and read it."""
    await rest(pilot)
    await pilot.press("enter")
    await rest(pilot)
    desk.installation.clock.advance(FLOOR)
    screen = pilot.app.screen
    assert isinstance(screen, DraftScreen)
    return screen


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = await desk_with(tmp_path, 3)
    yield made
    made.installation.stop_all()


def verdicts(desk: Desk, draft_id: str) -> list[ReviewVerdict]:
    return [one.verdict for one in desk.app.desk.show(draft_id).reviews]


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "120x40"])
async def test_the_queue_and_a_draft_look_as_agreed(desk: Desk, size: tuple[int, int]) -> None:
    terminal: ReviewApp = desk.terminal()
    async with terminal.run_test(size=size) as pilot:
        await rest(pilot)
        check(terminal.screen, f"queue-{size[0]}x{size[1]}")
        await pilot.press("enter")
        await rest(pilot)
        for name, key in (("draft", "1"), ("facts", "2"), ("checks", "3"), ("value", "4"), ("past", "5")):
            await pilot.press(key)
            await rest(pilot)
            check(terminal.screen, f"{name}-{size[0]}x{size[1]}")
        await pilot.press("question_mark")
        await rest(pilot)
        check(terminal.screen, f"help-{size[0]}x{size[1]}")


async def test_four_keys_lead_from_the_queue_to_the_outbox(desk: Desk) -> None:
    terminal = desk.terminal()
    async with terminal.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot, desk)
        assert screen.view is not None
        draft = screen.view.draft
        await pilot.press("a")
        await pilot.pause()
        assert draft.content_hash[:6] in text_of(terminal.screen)
        await pilot.press("enter")
        await rest(pilot)
        assert screen.view.draft.draft.id != draft.draft.id, "the next draft opens by itself"

    desk.installation.clock.advance(timedelta(minutes=1))
    await settle(desk.app)
    assert [message.content_hash for message in desk.installation.sent()] == [draft.content_hash]


async def test_nothing_is_approved_without_the_second_key(desk: Desk) -> None:
    terminal = desk.terminal()
    async with terminal.run_test() as pilot:
        screen = await opened(pilot, desk)
        assert screen.view is not None
        draft_id = screen.view.draft.draft.id
        await pilot.press("a", "escape")
        await rest(pilot)

    assert desk.app.desk.show(draft_id).draft.draft.state is DraftState.PENDING


async def test_old_facts_lock_approving_until_they_are_read_again(desk: Desk) -> None:
    desk.installation.clock.advance(timedelta(hours=2))
    terminal = desk.terminal()
    async with terminal.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot, desk)
        assert screen.view is not None
        draft_id = screen.view.draft.draft.id
        await pilot.press("a", "enter")
        await rest(pilot)
        assert "Facts in the text are old" in text_of(terminal.screen)
        assert verdicts(desk, draft_id) == []
        await pilot.press("r")
        await rest(pilot)
        await pilot.press("a")
        await pilot.pause()
        await pilot.press("enter")
        await rest(pilot)

    assert verdicts(desk, draft_id) == [ReviewVerdict.APPROVE]


@pytest.mark.parametrize(
    ("keys", "verdict"),
    [
        (("x", "t", "enter"), ReviewVerdict.REJECT),
        (("d", *"shorter", "enter"), ReviewVerdict.REDRAFT),
        (("g", "p", *"call", "enter"), ReviewVerdict.ESCALATE),
        (("c", "s"), ReviewVerdict.CHANNEL),
    ],
    ids=["reject", "redraft", "escalate", "channel"],
)
async def test_each_verdict_has_its_keys_and_is_taken_back(
    desk: Desk, keys: tuple[str, ...], verdict: ReviewVerdict
) -> None:
    terminal = desk.terminal()
    async with terminal.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot, desk)
        assert screen.view is not None
        draft_id = screen.view.draft.draft.id
        for key in keys:
            await pilot.press(key)
            await rest(pilot)
        assert verdicts(desk, draft_id) == [verdict]
        await pilot.press("u")
        await rest(pilot)

    assert verdicts(desk, draft_id) == [verdict, ReviewVerdict.UNDO]
    assert desk.app.desk.show(draft_id).draft.draft.state is DraftState.PENDING


async def test_a_channel_that_cannot_be_used_says_why_and_has_no_key(desk: Desk) -> None:
    terminal = desk.terminal()
    async with terminal.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot, desk)
        assert screen.view is not None
        await pilot.press("c")
        await rest(pilot)
        asked = text_of(pilot.app.screen)
        await pilot.press("p")
        await rest(pilot)
        still = isinstance(pilot.app.screen, Choose)

    assert "s  SMS" in asked
    assert "⊘  push: The playbook shipping_delay does not use it." in asked
    assert still
    assert verdicts(desk, screen.view.draft.draft.id) == []


async def test_a_snoozed_draft_leaves_the_queue(desk: Desk) -> None:
    terminal = desk.terminal()
    async with terminal.run_test() as pilot:
        screen = await opened(pilot, desk)
        assert screen.view is not None
        draft_id = screen.view.draft.draft.id
        await pilot.press("z")
        await pilot.pause()
        await pilot.press("1")
        await rest(pilot)

    assert [one.draft_id for one in desk.app.desk.list_drafts(QueueFilter(snoozed=True))] == [draft_id]


async def test_an_edit_is_checked_as_it_is_typed_and_saved_as_a_new_version(desk: Desk) -> None:
    terminal = desk.terminal()
    async with terminal.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot, desk)
        assert screen.view is not None
        first = screen.view.draft.draft
        await pilot.press("e")
        await rest(pilot)
        await pilot.press(*"99 ")
        await pilot.pause(0.4)
        await rest(pilot)
        assert "may not leave" in text_of(terminal.screen)
        await pilot.press("ctrl+s")
        await rest(pilot)
        assert desk.app.desk.show(first.id).draft.draft.state is DraftState.PENDING
        await pilot.press("backspace", "backspace", "backspace", *"Hi! ")
        await pilot.pause(0.4)
        await rest(pilot)
        await pilot.press("ctrl+s")
        await rest(pilot)
        await rest(pilot)

    versions = desk.app.desk.show(first.id).versions
    assert [one.draft.author for one in versions] == [first.author, "ann"]
    assert versions[-1].draft.message.body == f"Hi! {first.message.body}"


async def test_one_who_is_too_late_hears_one_sentence_and_goes_on(desk: Desk) -> None:
    terminal = desk.terminal()
    async with terminal.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot, desk)
        assert screen.view is not None
        mine = screen.view.draft.draft.id
        desk.installation.clock.advance(desk.app.desk.rules.claim)
        desk.app.desk.escalate(mine, reviewer="bob", words="mine now")
        await pilot.press("x", "t", "enter")
        await rest(pilot)
        assert isinstance(terminal.screen, DraftScreen)
        assert screen.view.draft.draft.id != mine

    assert verdicts(desk, mine) == [ReviewVerdict.ESCALATE]


async def test_leaving_a_draft_sets_it_free(desk: Desk) -> None:
    terminal = desk.terminal()
    async with terminal.run_test() as pilot:
        screen = await opened(pilot, desk)
        assert screen.view is not None
        draft_id = screen.view.draft.draft.id
        assert desk.app.desk.show(draft_id).draft.claimed_by == "ann"
        await pilot.press("escape")
        await rest(pilot)
        assert isinstance(terminal.screen, QueueScreen)

    assert desk.app.desk.show(draft_id).draft.claimed_by is None


async def test_marked_drafts_are_rejected_one_by_one(desk: Desk) -> None:
    terminal = desk.terminal()
    async with terminal.run_test(size=(120, 40)) as pilot:
        await rest(pilot)
        await pilot.press("space", "down", "space", "x")
        await pilot.pause()
        await pilot.press("n")
        await rest(pilot)

    rejected = desk.app.desk.list_drafts(QueueFilter(state=DraftState.REJECTED))
    assert len(rejected) == 2
    assert [verdicts(desk, item.draft_id) for item in rejected] == [[ReviewVerdict.REJECT]] * 2


async def test_filters_search_and_the_empty_queue(desk: Desk) -> None:
    terminal = desk.terminal()
    async with terminal.run_test(size=(120, 40)) as pilot:
        await rest(pilot)
        await pilot.press("slash", *"c0000001", "enter")
        await rest(pilot)
        assert "c0000001" in text_of(terminal.screen)
        queue = terminal.screen
        assert isinstance(queue, QueueScreen)
        assert len(queue.held.items) == 1
        await pilot.press("escape", "C")
        await rest(pilot)
        assert queue.wanted.channel is ChannelKind.EMAIL
        await pilot.press("escape", "Z")
        await rest(pilot)
        assert "Nothing is snoozed" in text_of(terminal.screen)


async def test_while_a_search_reads_a_long_queue_it_says_so_and_keys_answer(desk: Desk) -> None:
    terminal, go_on, asked = desk.terminal(), Event(), Event()

    def read_slowly(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "LIKE" in statement:
            asked.set()
            assert go_on.wait(20)

    async with terminal.run_test(size=(120, 40)) as pilot:
        await rest(pilot)
        event.listen(desk.app.store.reader, "before_cursor_execute", read_slowly)
        try:
            await pilot.press("slash", *"c0000001", "enter")
            assert await asyncio.to_thread(asked.wait, 20)
            await pilot.press("down")
            queue = terminal.screen
            assert isinstance(queue, QueueScreen)
            meanwhile, cursor = text_of(terminal.screen), queue.query_one(RowList).current
            first = queue.held.items[0].draft_id
        finally:
            go_on.set()
            await rest(pilot)
            event.remove(desk.app.store.reader, "before_cursor_execute", read_slowly)
        after = text_of(terminal.screen)

    assert "searching" in meanwhile
    assert cursor not in {None, first}
    assert "searching" not in after
    assert len(queue.held.items) == 1


async def test_situations_are_approved_by_their_digest(tmp_path: Path) -> None:
    desk = await desk_with(tmp_path, 4)
    terminal = desk.terminal()
    async with terminal.run_test(size=(120, 40)) as pilot:
        await rest(pilot)
        await pilot.press("s")
        await rest(pilot)
        check(terminal.screen, "situations-120x40")
        await pilot.press("enter")
        await rest(pilot)
        check(terminal.screen, "situation-120x40")
        await pilot.press("a")
        await pilot.pause()
        await pilot.press("enter")
        await rest(pilot)

    approved = desk.app.desk.list_drafts(QueueFilter(state=DraftState.APPROVED))
    said = [verdicts(desk, item.draft_id) for item in approved]
    desk.installation.stop_all()
    assert said == [[ReviewVerdict.APPROVE]] * 4


async def test_the_leads_view_shows_the_figures(desk: Desk) -> None:
    terminal = desk.terminal()
    async with terminal.run_test(size=(120, 40)) as pilot:
        await rest(pilot)
        terminal.push_screen(LeadScreen())
        await rest(pilot)
        assert "Review desk since" in text_of(terminal.screen)
        await pilot.press("p")
        await rest(pilot)
        assert "Nothing is proposed" in text_of(terminal.screen)
