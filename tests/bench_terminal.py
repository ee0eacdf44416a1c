"""The reviewers' terminal over a long queue, in a process of its own, for scripts/bench."""

import asyncio
import json
import resource
import statistics
import sys
import time
from datetime import UTC
from pathlib import Path

from rich.console import RenderableType
from textual.pilot import Pilot

from agent.bootstrap import App
from agent.tui.app import ReviewApp
from agent.tui.session import Session, no_editor
from tests.bench_worlds import running

SIZE = (120, 40)
KEYS = 20


def main(folder: Path, started: float) -> None:
    """Print, as JSON, seconds of CPU to the first screen, of a key and of opening, and the most MiB.

    `started` is when the process was started, on the machine's monotonic clock; `from_start` goes by it.
    """
    imported = time.process_time()
    with running(folder, treat_all=True) as app:
        figures = asyncio.run(_worked(app, imported, started))
    json.dump({"imports": imported, **figures, "peak_mib": _peak_mib()}, sys.stdout)


def _peak_mib() -> float:
    """Return the most memory of this program; `ru_maxrss` is that of the parent too, where it was larger."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    (kib,) = [line.split()[1] for line in status.read_text("utf-8").splitlines() if line.startswith("VmHWM")]
    return int(kib) / 1024


async def _worked(app: App, since: float, started: float) -> dict[str, float]:
    def no_card(_case_id: str) -> RenderableType:
        return ""

    session = Session(
        desk=app.desk, me="ann", clock=app.clock, zone=UTC, card=no_card, edit_outside=no_editor
    )
    terminal = ReviewApp(session)
    async with terminal.run_test(size=SIZE) as pilot:
        await _rest(pilot)
        first, from_start = time.process_time() - since, time.monotonic() - started
        keys = [await _pressed(pilot, "down") for _ in range(KEYS)]
        opening = await _pressed(pilot, "enter")
    return {
        "first_screen": first,
        "from_start": from_start,
        "key": statistics.median(keys),
        "opening": opening,
    }


async def _pressed(pilot: Pilot[None], key: str) -> float:
    begun = time.process_time()
    await pilot.press(key)
    await _rest(pilot)
    return time.process_time() - begun


async def _rest(pilot: Pilot[None]) -> None:
    await pilot.app.workers.wait_for_complete()  # pyright: ignore[reportUnknownMemberType]  # textual
    await pilot.pause()


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
