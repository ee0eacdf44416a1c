"""The command itself in real terminals: without colours, without a terminal, and in tmux to the outbox."""

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.commands import outrider, plant_nothing
from tests.tui.desks import desk_with
from tests.tui.ptys import drive, screen_of

COLOURLESS = {"", "0", "1", "2", "3", "4", "7", "9", *map(str, range(22, 30)), "39", "49"}
"""Parameters of SGR that are no colour: reset, bold, dim, italic, underline, reverse, their ends."""
SGR = re.compile(rb"\x1b\[([0-9;]*)m")


async def a_desk(folder: Path) -> None:
    """Leave a database with drafts, and settings for the command."""
    desk = await desk_with(folder, 2)
    desk.installation.stop_all()
    (folder / "outrider.yaml").write_text(f"data: {folder}\n", encoding="utf-8")


def colours(written: bytes) -> set[str]:
    """Return what these bytes say of colours."""
    return {one for params in SGR.findall(written) for one in params.decode().split(";")} - COLOURLESS


async def test_no_color_is_obeyed_and_the_cursor_is_still_seen(tmp_path: Path) -> None:
    await a_desk(tmp_path)

    command = ("tests.tui.terminal", str(tmp_path), "ann")
    written = drive(
        command, folder=tmp_path, keys=("\x1b[B",), until=b"waiting", env={"NO_COLOR": "1"}, end=b"\x11"
    )

    assert colours(b"\x1b[1;38;5;254;48;5;233mtext") == {"38", "5", "254", "48", "233"}
    assert colours(written) == set()
    lines = screen_of(written.partition(b"\x1b[?1049l")[0])
    assert [line[:4] for line in lines if "·N" in line] == ["  ·N", "> ·N"]


async def test_without_a_terminal_the_desk_opens_line_by_line_and_says_so(tmp_path: Path) -> None:
    await a_desk(tmp_path)

    said = outrider("review", cwd=tmp_path, typed="list\nquit\n", env={"OUTRIDER_REVIEWER": "ann"})

    assert said.code == 0, said.err
    assert "This is no terminal, so the desk opens line by line" in said.err
    assert "1. Ada Lovelace, shipping delay by e-mail" in said.out
    assert said.out.rstrip().endswith("Goodbye.")
    assert "\x1b" not in said.out + said.err


def test_a_wrong_theme_is_bad_input(tmp_path: Path) -> None:
    said = outrider("review", "--theme", "pink", cwd=tmp_path)

    assert said.code == 2
    assert "use dark or light" in said.err


class Tmux:
    """One window of a tmux server of our own."""

    def __init__(self, socket: str) -> None:
        self._tmux = ("tmux", "-L", socket, "-f", "/dev/null")

    def run(self, *words: str) -> str:
        done = subprocess.run([*self._tmux, *words], capture_output=True, text=True, check=True)
        return done.stdout

    def shown(self) -> str:
        return self.run("capture-pane", "-p", "-t", "desk")

    def press(self, *keys: str) -> None:
        self.run("send-keys", "-t", "desk", *keys)

    def wait_for(self, words: str, *, seconds: float = 30) -> str:
        end = time.monotonic() + seconds
        while words not in (shown := self.shown()):
            assert time.monotonic() < end, f"{words!r} did not come:\n{shown}"
            time.sleep(0.2)
        return shown


@contextmanager
def in_tmux(command: str, folder: Path) -> Generator[Tmux]:
    tmux = Tmux(f"outrider-test-{folder.name}")
    tmux.run("new-session", "-d", "-x", "100", "-y", "40", "-s", "desk", f"cd {folder} && {command}")
    try:
        yield tmux
    finally:
        tmux.run("kill-server")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_from_the_queue_to_a_message_in_the_outbox_in_tmux(tmp_path: Path) -> None:
    made = outrider("demo", "--customers", "250", "--days", "1", "--json", cwd=tmp_path)
    assert made.code == 0, made.err
    plant_nothing(tmp_path / "outrider-data")
    outbox = tmp_path / "outrider-data" / "outbox"
    before = {path for path in outbox.rglob("*.json") if path.is_file()}
    project = Path(__file__).resolve().parents[2]
    review = f"PYTHONPATH={project} {sys.executable} -m agent review --as ann; echo LEFT; sleep 30"

    with in_tmux(review, tmp_path) as tmux:
        tmux.wait_for("waiting", seconds=60)
        tmux.press("Enter")
        tmux.wait_for("Approve →")
        if "press r" in tmux.shown() or "r reads them again" in tmux.shown():
            tmux.press("r")
        time.sleep(3)  # nobody reads in less
        tmux.press("a")
        asked = tmux.wait_for("Approve exactly this?")
        tmux.press("Enter")
        tmux.wait_for("undoes it")
        tmux.press("C-q")
        tmux.wait_for("LEFT")

    shown_hash = re.search(r"hash ([0-9a-f]{6})", asked)
    assert shown_hash is not None
    sent = outrider("run", "--once", "--json", cwd=tmp_path)
    assert sent.code == 0, sent.err
    assert len(sent.json["sent"]) == 1, sent.out
    (new,) = {path for path in outbox.rglob("*.json") if path.is_file()} - before
    assert json.loads(new.read_bytes())["content_hash"].startswith(shown_hash[1])
