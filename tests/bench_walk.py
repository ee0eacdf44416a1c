"""A walk through the reviewers' terminal in a pseudo terminal, timed from each key to what it shows.

`python -m tests.bench_walk FOLDER` walks through a copy of a demo's folder and prints the seconds of every
step. It is a machine's walk: nobody reads, and what the rules make a reviewer wait for is left out.
"""

import fcntl
import os
import pty
import select
import shutil
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Sequence
from pathlib import Path

import pyte

from tests.bench_terminal import SIZE

_PATIENCE = 60
_QUIET = 2.5
"""Seconds between steps: all is painted, and the rules let nobody approve sooner after opening."""

STEPS: tuple[tuple[str, str, str], ...] = (
    ("the command, to the queue", "", "waiting"),
    ("the list of situations", "s", "drafts  differ"),
    ("a situation: text, sample, all who stand out", "\r", "digest"),
    ("back to the list", "\x1b", "drafts  differ"),
    ("back to the queue", "\x1b", "waiting"),
    ("open the first draft", "\r", "Approve →"),
    ("read its facts again", "r", ""),
    ("approve: what is asked, with the hash", "a", "Approve exactly this?"),
    ("approve: done, the next draft is open", "\r", "undoes it"),
    ("reject: the reasons", "x", "Why should it not be sent?"),
    ("reject: one key for the reason", "b", "More to say?"),
    ("reject: done, the next draft is open", "\r", "bad timing.  u undoes it"),
    ("edit: the text to change", "e", "^S save"),
    ("edit: typed, with what the guards say", "Good day. ", "Good day. Hello"),
    ("edit: saved as a new version", "\x13", "Approve →"),
)
"""What is done, the keys, and what shows that it is done; nothing where only the wait counts."""


class Walk:
    """The command in a pseudo terminal, and what its screen shows."""

    def __init__(self, folder: Path) -> None:
        self._screen = pyte.Screen(*SIZE)
        self._stream = pyte.ByteStream(self._screen)
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            command = [sys.executable, "-m", "agent", "review", "--as", "ann"]
            variables = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(Path.cwd())}
            os.chdir(folder)
            os.execve(sys.executable, command, variables)  # noqa: S606  # our own module
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))

    def step(self, keys: str, shows: str) -> float:
        """Press keys; return the seconds until the screen shows a text that it did not show before."""
        if shows and shows in "\n".join(self._screen.display):
            raise RuntimeError(f"{shows!r} stands there already, so that it shows nothing")
        began = time.monotonic()
        if keys:
            os.write(self._master, keys.encode())
        while not shows or shows not in "\n".join(self._screen.display):
            if not shows and time.monotonic() > began + _QUIET:
                break
            if time.monotonic() > began + _PATIENCE:
                raise RuntimeError(f"{shows!r} did not come:\n" + "\n".join(self._screen.display))
            self._read()
        return time.monotonic() - began

    def rest(self) -> None:
        """Let everything be painted."""
        end = time.monotonic() + _QUIET
        while time.monotonic() < end:
            self._read()

    def end(self) -> None:
        """Leave at once."""
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        os.close(self._master)

    def _read(self) -> None:
        if select.select([self._master], [], [], 0.005)[0]:
            self._stream.feed(os.read(self._master, 65_536))


def main(arguments: Sequence[str]) -> None:
    """Walk once and print the steps."""
    with tempfile.TemporaryDirectory(prefix="outrider-walk-") as place:
        folder = Path(place) / "demo"
        shutil.copytree(Path(arguments[0]), folder / "outrider-data")
        walk = Walk(folder)
        try:
            for what, keys, shows in STEPS:
                took = walk.step(keys, shows)
                walk.rest()
                if shows:
                    sys.stdout.write(f"{what:<48} {took:6.2f} s\n")
        finally:
            walk.end()


if __name__ == "__main__":
    main(sys.argv[1:])
