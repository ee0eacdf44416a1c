"""The list of situations: every figure stands below its heading."""

from pathlib import Path

from tests.tui.desks import desk_with
from tests.tui.snapshots import text_of
from tests.tui.test_screens import rest


async def test_the_figures_of_a_situation_stand_below_their_headings(tmp_path: Path) -> None:
    desk = await desk_with(tmp_path, 3)
    terminal = desk.terminal()
    async with terminal.run_test(size=(80, 24)) as pilot:
        await rest(pilot)
        await pilot.press("s")
        await rest(pilot)
        lines = text_of(terminal.screen).splitlines()
    desk.installation.stop_all()

    heading = next(line for line in lines if "drafts  differ" in line)
    row = lines[lines.index(heading) + 1]
    assert row[: heading.index("drafts") + len("drafts")].split()[-1] == "3"
    for name, begins in (("due", "in "), ("scenario", "shipping delay"), ("text", "Your order")):
        assert row[heading.index(name) :].startswith(begins), (heading, row)
