"""Hostile text in every field, through a real pty: nothing of it reaches the terminal, nothing breaks."""

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlmodel import col

from agent.store.drafts import draft_to_json
from agent.store.tables.cases import DraftRow, ReviewRow
from tests.tui.desks import Desk, desk_with
from tests.tui.hostile import CORPUS, FORBIDDEN, everything
from tests.tui.snapshots import text_of
from tests.tui.test_screens import rest
from tools.records.facts import FilledSlot

SIZE = (100, 40)
SCREENS = ("", "\r", "1", "2", "3", "4", "5", "6", "o", "\x1b", "?", "\x1b", "e", "\x1b", "\x1b", "s", "\x1b")
"""Keys that lead through every screen."""


def poison(desk: Desk) -> None:
    """Put the corpus into every text of every draft, past all guards, as a broken guard would."""
    with desk.app.store.write() as tx:
        for item in desk.app.desk.list_drafts():
            draft = desk.app.desk.show(item.draft_id).draft.draft
            message = replace(draft.message, subject=everything(), body=everything(), recipient=everything())
            evil = replace(
                draft,
                message=message,
                slotted_subject=everything(),
                slotted_body=everything(),
                used=(FilledSlot(slot="order.number", rendered=everything()),),
                review_reason=everything(),
                author=everything(),
            )
            tx.conn.execute(
                update(DraftRow)
                .where(col(DraftRow.id) == draft.id)
                .values(
                    body=draft_to_json(evil),
                    customer_name=everything(),
                    review_reason=everything(),
                    object_ref=everything(),
                )
            )
        tx.conn.execute(update(ReviewRow).values(reason=everything()))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
async def test_columns_stay_aligned_and_nothing_crashes(tmp_path: Path, size: tuple[int, int]) -> None:
    desk = await desk_with(tmp_path, 2, name=f"Eve {CORPUS['cjk']} {CORPUS['rlo']} {CORPUS['markup']}")
    poison(desk)
    terminal = desk.terminal(me="ann")
    async with terminal.run_test(size=size) as pilot:
        await rest(pilot)
        for key in (
            "enter",
            "1",
            "2",
            "3",
            "4",
            "5",
            "6",
            "e",
            "escape",
            "o",
            "escape",
            "escape",
            "s",
            "escape",
        ):
            await pilot.press(key)
            await rest(pilot)
            shown = text_of(terminal.screen)
            assert not any(char in shown for char in "\x1b\x9b\x9d\r\x07\x00\u202e\u2066\u200d")
            widths = {strip.cell_length for strip in terminal.screen._compositor.render_strips()}  # pyright: ignore[reportPrivateUsage]  # the public way is SVG
            assert widths == {size[0]}
    desk.installation.stop_all()


@pytest.mark.timeout(180)
async def test_no_byte_of_the_corpus_reaches_a_real_terminal(tmp_path: Path) -> None:
    desk = await desk_with(tmp_path, 2, name=f"Eve {CORPUS['markup']}")
    poison(desk)
    desk.installation.stop_all()

    written = drive(tmp_path, keys=SCREENS)

    assert b"Outrider review" in written
    found = [sequence for sequence in FORBIDDEN if sequence in written]
    assert found == []


def drive(folder: Path, *, keys: tuple[str, ...]) -> bytes:
    """Run the application under a pty, press keys, and return every byte it wrote."""
    pid, master = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm-256color"
        command = [sys.executable, "-m", "tests.tui.terminal", str(folder)]
        os.execv(sys.executable, command)  # noqa: S606  # our own module, under the pty
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
    written = bytearray()
    try:
        _read(master, written, seconds=60, until=b"waiting")
        for key in keys:
            os.write(master, key.encode())
            _read(master, written, seconds=2)
        os.write(master, b"\x11")
        _read(master, written, seconds=5)
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, 9)
        os.waitpid(pid, 0)
        os.close(master)
    return bytes(written)


def _read(master: int, written: bytearray, *, seconds: float, until: bytes | None = None) -> None:
    """Read what comes, until it is silent for a moment, or `until` has come."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        ready, _, _ = select.select([master], [], [], 0.4)
        if not ready:
            if until is None or until in written:
                return
            continue
        try:
            written += os.read(master, 65_536)
        except OSError:
            return
