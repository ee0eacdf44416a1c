"""Keys that come faster than the desk: a verdict is about what was on the screen when its key was pressed."""

# pyright: reportUnknownMemberType=false
# Textual does not say of what its App and Worker are generic.

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from textual.screen import Screen

from agent.domain.drafts import DraftState
from agent.domain.queue import QueueFilter
from agent.tui.draft_screen import DraftScreen
from agent.tui.lead_screen import LeadScreen, ProposalsScreen
from agent.tui.score_screen import ScoreScreen
from agent.tui.situations_screen import SituationsScreen
from tests.tui.desks import SIZES, Desk, desk_with
from tests.tui.snapshots import text_of
from tests.tui.test_screens import FLOOR, opened, rest


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = await desk_with(tmp_path, 3)
    yield made
    made.installation.stop_all()


def approved(desk: Desk) -> list[str]:
    return [item.draft_id for item in desk.app.desk.list_drafts(QueueFilter(state=DraftState.APPROVED))]


async def test_enter_approves_the_draft_whose_hash_was_shown_also_if_another_arrives(desk: Desk) -> None:
    terminal = desk.terminal()
    async with terminal.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot, desk)
        assert screen.view is not None
        mine = screen.view.draft
        other = next(one for one in desk.app.desk.list_drafts() if one.draft_id != mine.draft.id)
        await pilot.press("a")
        await pilot.pause()
        assert f"approves {mine.content_hash[:6]}" in text_of(terminal.screen)
        screen.show_view(desk.app.desk.open(other.draft_id, reviewer="ann"))
        await pilot.press("enter")
        await rest(pilot)

    assert approved(desk) == [mine.draft.id]


async def test_a_reason_rejects_the_draft_it_was_asked_for(desk: Desk) -> None:
    terminal = desk.terminal()
    async with terminal.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot, desk)
        assert screen.view is not None
        mine = screen.view.draft.draft.id
        other = next(one for one in desk.app.desk.list_drafts() if one.draft_id != mine)
        await pilot.press("x")
        await pilot.pause()
        screen.show_view(desk.app.desk.open(other.draft_id, reviewer="ann"))
        await pilot.press("t")
        await pilot.pause()
        await pilot.press("enter")
        await rest(pilot)

    rejected = desk.app.desk.list_drafts(QueueFilter(state=DraftState.REJECTED))
    assert [one.draft_id for one in rejected] == [mine]


async def test_a_second_act_waits_for_the_first(desk: Desk) -> None:
    terminal = desk.terminal()
    async with terminal.run_test(size=(120, 40), notifications=True) as pilot:
        screen = await opened(pilot, desk)
        await pilot.press("a")
        await pilot.pause()
        screen._deciding = True  # pyright: ignore[reportPrivateUsage]  # as while the desk reads slow sources
        await pilot.press("escape", "n", "x", "escape")
        await pilot.pause()
        assert "One moment" in text_of(terminal.screen)
        assert isinstance(terminal.screen, DraftScreen)

    assert approved(desk) == []


async def test_approving_sooner_than_one_can_read_is_told_before_it_asks(desk: Desk) -> None:
    terminal = desk.terminal()
    async with terminal.run_test(size=(120, 40), notifications=True) as pilot:
        await rest(pilot)
        await pilot.press("enter")
        await rest(pilot)
        await pilot.press("a")
        await pilot.pause()
        assert "Read it first; approving is possible in 2 s." in text_of(terminal.screen)
        desk.installation.clock.advance(FLOOR)
        await pilot.press("a")
        await pilot.pause()
        assert "Approve exactly this?" in text_of(terminal.screen)


async def test_quitting_sets_the_open_draft_free(desk: Desk) -> None:
    terminal = desk.terminal()
    async with terminal.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot, desk)
        assert screen.view is not None
        draft_id = screen.view.draft.draft.id
        assert desk.app.desk.show(draft_id).draft.claimed_by == "ann"
        await pilot.press("ctrl+q")

    assert desk.app.desk.show(draft_id).draft.claimed_by is None


async def test_the_mouse_opens_a_draft_and_presses_keys(desk: Desk) -> None:
    terminal = desk.terminal()
    async with terminal.run_test(size=(120, 40)) as pilot:
        await rest(pilot)
        await pilot.click("#rows", offset=(10, 1), times=2)
        await rest(pilot)
        screen = terminal.screen
        assert isinstance(screen, DraftScreen)
        assert screen.view is not None
        desk.installation.clock.advance(FLOOR)
        await pilot.click("#keys", offset=(3, 0))
        await pilot.pause()
        assert f"approves {screen.view.draft.content_hash[:6]}" in text_of(terminal.screen)


async def test_keys_that_have_nothing_to_do_say_so(desk: Desk) -> None:
    terminal = desk.terminal()
    async with terminal.run_test(size=(120, 40), notifications=True) as pilot:
        screen = await opened(pilot, desk)
        await pilot.press("u")
        await pilot.pause()
        assert "no verdict to take back" in text_of(terminal.screen)
        await pilot.press("p")
        await pilot.pause()
        assert "none before this one" in text_of(terminal.screen)
        assert isinstance(terminal.screen, DraftScreen)
        assert screen.is_current


@pytest.mark.parametrize("screen", [SituationsScreen, ProposalsScreen, ScoreScreen, LeadScreen])
async def test_a_screen_that_is_left_before_it_stands_does_no_harm(
    tmp_path: Path, screen: Callable[[], Screen[None]]
) -> None:
    desk = await desk_with(tmp_path, 1)
    terminal = desk.terminal()
    async with terminal.run_test(size=SIZES[1]) as pilot:
        await pilot.pause()
        terminal.push_screen(screen())
        terminal.pop_screen()
        await pilot.pause()
        terminal.push_screen(screen())
        terminal.exit()
        await pilot.pause()
    desk.installation.stop_all()
