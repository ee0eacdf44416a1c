"""Processes under a pseudo terminal: keys go in, every byte that comes out is kept."""

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pyte

SIZE = (100, 40)


def drive(
    module: Sequence[str],
    *,
    folder: Path,
    keys: Sequence[str] = (),
    until: bytes = b"",
    env: Mapping[str, str] | None = None,
    end: bytes = b"",
) -> bytes:
    """Run `python -m …` under a pty, press keys, and return every byte it wrote.

    Args:
        module: The module and its arguments.
        folder: Where it runs.
        keys: What is typed, each once it is silent.
        until: What is waited for before the first key.
        env: Further environment variables.
        end: What is typed last; without it the process is waited for.
    """
    pid, master = pty.fork()
    if pid == 0:
        variables = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(Path.cwd()), **(env or {})}
        os.chdir(folder)
        os.execve(sys.executable, [sys.executable, "-m", *module], variables)  # noqa: S606  # our own module
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
    written = bytearray()
    try:
        _read(master, written, seconds=60, until=until)
        for key in keys:
            os.write(master, key.encode())
            _read(master, written, seconds=3)
        if end:
            os.write(master, end)
        _read(master, written, seconds=10, until=None)
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, 9)
        os.waitpid(pid, 0)
        os.close(master)
    return bytes(written)


def screen_of(written: bytes) -> list[str]:
    """Return the lines that a terminal shows after these bytes."""
    screen = pyte.Screen(*SIZE)
    pyte.ByteStream(screen).feed(written)
    return [line.rstrip() for line in screen.display]


def _read(master: int, written: bytearray, *, seconds: float, until: bytes | None = b"") -> None:
    """Read what comes: until it is silent after `until` has come, or until the process ends for None."""
    stop = time.monotonic() + seconds
    while time.monotonic() < stop:
        ready, _, _ = select.select([master], [], [], 0.4)
        if not ready:
            if until is not None and until in written:
                return
            continue
        try:
            written += os.read(master, 65_536)
        except OSError:  # the other side has ended
            return
