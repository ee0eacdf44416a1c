"""The intent is on the disk before the provider is called: strace watches what SIGKILL cannot show.

A killed process loses nothing that the kernel has; a power cut loses what was not synced.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

pytestmark = pytest.mark.peers

ROOT: Final = Path(__file__).parents[2]
CALL: Final = {"outbox": r"openat\(.*/outbox/email/.*O_CREAT", "smtp": r"connect\(.*sin_port="}
"""The first system call by which a sender reaches out."""
TRACED: Final = "pwrite64,write,fdatasync,fsync,openat,connect"


@dataclass(frozen=True)
class Order:
    """What was true of the write-ahead log when the sender reached out."""

    writes: int
    """Writes to the log before the call."""
    unsynced: int
    """Those of them that no sync of the log followed."""


@pytest.fixture(autouse=True)
def strace() -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed (apt-get install strace)")
    tried = subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"strace may not trace here: {tried.stderr.strip()}")


def trace(folder: Path, kind: str, synchronous: str) -> Iterator[str]:
    """Yield the system calls of a process that sends one message, without their process ids."""
    log = folder / "strace"
    worker = [
        sys.executable,
        "-m",
        "tests.crash.one_send",
        str(folder / "o.db"),
        str(folder),
        kind,
        synchronous,
    ]
    command = ["strace", "-f", "--seccomp-bpf", "-y", "-e", f"trace={TRACED}", "-o", str(log), *worker]
    subprocess.run(command, cwd=ROOT, check=True, timeout=100)
    under_way: dict[str, str] = {}
    for line in log.read_text(errors="replace").splitlines():
        pid, call = line.split(maxsplit=1)
        if call.startswith("<..."):
            if pid in under_way:
                yield f"{under_way.pop(pid)} {call}"
        elif call.endswith("<unfinished ...>") and call.startswith(("fdatasync", "fsync")):
            under_way[pid] = call  # a sync counts when it ends, anything else when it begins
        else:
            yield call


def order_of(calls: Iterator[str], kind: str) -> Order:
    """Read a trace up to the call of the provider."""
    writes = unsynced = 0
    for call in calls:
        if re.match(CALL[kind], call):
            return Order(writes=writes, unsynced=unsynced)
        if re.match(r"(pwrite64|write)\(\d+<[^>]*o\.db-wal>", call):
            writes += 1
            unsynced += 1
        elif re.match(r"(fdatasync|fsync)\(\d+<[^>]*o\.db-wal>\).* = 0$", call):
            unsynced = 0
    raise AssertionError("the provider was never called")


@pytest.mark.parametrize("kind", sorted(CALL))
def test_the_intent_is_synced_before_the_provider_is_called(tmp_path: Path, kind: str) -> None:
    order = order_of(trace(tmp_path, kind, "FULL"), kind)

    assert order.writes > 0
    assert order.unsynced == 0


@pytest.mark.parametrize("kind", sorted(CALL))
def test_a_commit_that_does_not_wait_for_the_disk_is_seen(tmp_path: Path, kind: str) -> None:
    order = order_of(trace(tmp_path, kind, "NORMAL"), kind)

    assert order.unsynced > 0, "the test above could not fail"
