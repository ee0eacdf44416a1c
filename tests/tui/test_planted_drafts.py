"""A planted draft looks like any other, cannot be sent, and is told of at once; then the real one opens."""

# pyright: reportUnknownMemberType=false
# Textual does not say of what its App and Worker are generic.

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from agent.tui.plain import PlainDesk
from agent.tui.score_screen import ScoreScreen
from policies.model import PPM
from tests.running import settle
from tests.tui.desks import Desk, desk_with
from tests.tui.snapshots import text_of
from tests.tui.test_screens import opened, rest


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = await desk_with(tmp_path, 2, seeds=PPM)
    yield made
    made.installation.stop_all()


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (("a", "enter"), "That was planted, and slipped through"),
        (("x", "f", "enter"), "That was planted: well caught"),
    ],
    ids=["approved", "rejected"],
)
async def test_the_reviewer_is_told_and_the_real_draft_opens(
    desk: Desk, keys: tuple[str, ...], words: str
) -> None:
    terminal = desk.terminal()
    async with terminal.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot, desk)
        assert screen.view is not None
        planted = screen.view
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        await rest(pilot)
        assert words in text_of(terminal.screen)
        await pilot.press("enter")
        await rest(pilot)
        assert screen.view.draft.draft.id == planted.draft.draft.id
        assert screen.view.ticket != planted.ticket
        assert screen.view.draft.content_hash != planted.draft.content_hash
        terminal.push_screen(ScoreScreen())
        await rest(pilot)
        assert f"You caught {int(keys[0] == 'x')} of 1 planted mistake." in text_of(terminal.screen)

    desk.installation.clock.advance(timedelta(minutes=1))
    await settle(desk.app)
    assert desk.installation.sent() == []


async def test_the_preview_shows_what_opening_shows(desk: Desk) -> None:
    terminal = desk.terminal()
    async with terminal.run_test(size=(200, 60)) as pilot:
        await rest(pilot)
        await pilot.pause(0.5)
        await rest(pilot)
        previewed = text_of(terminal.screen)
        screen = await opened(pilot, desk)
        assert screen.view is not None
        planted, real = screen.view, desk.app.desk.show(screen.view.draft.draft.id)
        await pilot.press("escape")
        await rest(pilot)
        await pilot.pause(0.5)
        await rest(pilot)
        again = text_of(terminal.screen)

    swapped = changed_words(real.draft.draft.message.body, planted.draft.draft.message.body)
    assert swapped
    for seen in (previewed, again):
        plain = seen.translate(dict.fromkeys(map(ord, "⁰¹²³⁴⁵⁶⁷⁸⁹")))
        assert all(word in plain for word in swapped)


def changed_words(old: str, new: str) -> list[str]:
    return [word for word in new.split() if word not in old.split()]


async def test_the_line_mode_tells_too_and_goes_on_with_the_real_draft(desk: Desk) -> None:
    said: list[str] = []
    lines = iter(["next", "approve", "HASH", "approve", "HASH", "score", "quit"])

    def ask(prompt: str) -> str | None:
        said.append(prompt)
        desk.installation.clock.advance(timedelta(seconds=3))
        line = next(lines, None)
        return prompt.split()[1] if line == "HASH" else line

    PlainDesk(desk.session(), say=said.append, ask=ask).run()

    words = "\n".join(said)
    assert "This was planted, and it went through" in words
    assert "Approved" in words
    assert "You caught 0 of 1 planted mistake. Only you see this." in words
