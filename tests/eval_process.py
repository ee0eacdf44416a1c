"""`outrider eval --model live` as a process of its own, to be killed and gone on with."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.asking import KEY

ROOT = Path(__file__).parents[1]


@asynccontextmanager
async def eval_process(*arguments: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Run the command; it is killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agent", "eval", "--model", "live", *arguments,
        cwd=ROOT, env={**os.environ, **KEY},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def killed(process: asyncio.subprocess.Process) -> None:
    """Kill a process without a word, and wait until those that it began have ended too."""
    children = [int(pid) for pid in _children_file(process.pid).read_text("utf-8").split()]
    handles = [os.pidfd_open(pid) for pid in children]
    process.kill()
    await process.wait()
    for handle in handles:
        await _readable(handle)
        os.close(handle)


def lines_of(run_file: Path) -> list[dict[str, Any]]:
    """Return the lines of a run file, without half a line at its end."""
    whole = run_file.read_text("utf-8").rpartition("\n")[0]
    return [json.loads(line) for line in whole.splitlines()]


def trials_of(lines: Sequence[dict[str, Any]]) -> list[tuple[str, int]]:
    """Return (case, repeat) of the finished trials, in the order in which they were kept."""
    results = [line["trial"]["result"] for line in lines if "trial" in line]
    return [(one["case"], one["repeat"]) for one in results]


def spent(lines: Sequence[dict[str, Any]]) -> int:
    """Return what calls were settled at, and what is still held."""
    held = {line["hold"]: line["micros"] for line in lines if "hold" in line}
    settled = {line["settled"]: line["micros"] for line in lines if "settled" in line}
    return sum({**held, **settled}.values())


def _children_file(pid: int) -> Path:
    return Path(f"/proc/{pid}/task/{pid}/children")


async def _readable(handle: int) -> None:
    """Wait until a process has ended: its handle is then readable."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(handle, ended.set)
    try:
        await asyncio.wait_for(ended.wait(), 20)
    finally:
        loop.remove_reader(handle)
