"""`outrider review` as reviewers start it, up to the first line of the queue, for scripts/bench."""

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time
from pathlib import Path

from tests.bench_terminal import SIZE
from tests.builders import NOW

_PATIENCE = 60


def settings_for(folder: Path) -> Path:
    """Write settings under which the command opens the bench's database, at the bench's time."""
    (folder / "installation.key").write_bytes(b"k" * 32)  # as `bench_worlds` built it
    path = folder / "outrider.yaml"
    path.write_text(
        f"data: {folder}\nsimulation: {{company: {folder / 'none.db'}, now: '{NOW.isoformat()}'}}\n", "utf-8"
    )
    return path


def first_screen(settings: Path, *, shows: bytes) -> tuple[float, float]:
    """Start the command in a pseudo terminal; return seconds of CPU, and in all, until it `shows` a text."""
    began, (pid, master) = time.monotonic(), pty.fork()
    if pid == 0:
        command = [sys.executable, "-m", "agent", "review", "--as", "ann", "--config", str(settings)]
        os.execve(sys.executable, command, {**os.environ, "TERM": "xterm-256color"})  # noqa: S606  # our own module
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
    written = bytearray()
    while shows not in written and time.monotonic() < began + _PATIENCE:
        if select.select([master], [], [], 1)[0]:
            written += os.read(master, 65_536)
    waited = time.monotonic() - began
    os.kill(pid, 9)
    _, _, used = os.wait4(pid, 0)
    os.close(master)
    if shows not in written:
        raise RuntimeError(f"the queue did not come: {bytes(written[-2_000:])!r}")
    return used.ru_utime + used.ru_stime, waited
