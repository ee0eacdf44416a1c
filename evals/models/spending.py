"""What a live run may spend: a hard cap over all its processes, and over all times it is gone on with."""

import asyncio
import glob
from pathlib import Path
from typing import Final

from agent.clock import system_clock
from agent.errors import ModelError
from agent.ids import Ids
from evals.models.shared_lines import Line, SharedLines

HOLD: Final = "hold"
SETTLED: Final = "settled"
_MICROS: Final = "micros"


class SpendBook:
    """Implements `agent.llm.budget.Budget` in the run file.

    What a killed process held is never given back: whether its calls were billed is not known.
    """

    def __init__(self, path: Path, *, cap_micros: int | None, ids: Ids | None = None) -> None:
        """Keep the book of a run file.

        Args:
            path: The run file.
            cap_micros: Most that may be spent and held, inclusive; None for no bound.
            ids: Name holds.
        """
        self._lines = SharedLines(path)
        self._cap = cap_micros
        self._ids = ids
        self._held: dict[str, int] = {}
        self._settled = 0

    async def reserve(self, amount: int) -> str | None:
        """Hold the most that a call can cost; return the hold, None when the call is free.

        Raises:
            ModelError: The cap does not cover it; kind `budget`.
        """
        return await asyncio.to_thread(self._reserve, amount) if amount else None

    async def settle(self, hold: str | None, cost: int) -> None:
        """Replace a hold by what the call cost."""
        if hold is not None:
            await asyncio.to_thread(self._settle, hold, cost)

    def spent(self) -> int:
        """Return what the run has spent, with what is held, in micro-units."""
        with self._lines.locked() as file:
            self._take(file.new())
        return self._total

    def left(self) -> int | None:
        """Return what may still be spent, in micro-units; None without a cap."""
        return None if self._cap is None else max(self._cap - self.spent(), 0)

    @property
    def _total(self) -> int:
        return self._settled + sum(self._held.values())

    def _reserve(self, amount: int) -> str:
        with self._lines.locked() as file:
            self._take(file.new())
            if self._cap is not None and self._total + amount > self._cap:
                raise ModelError(
                    f"the spend cap of {self._cap} micros does not cover another call of up to {amount}",
                    kind="budget",
                )
            self._ids = self._ids or Ids()  # only here: its lock cannot go to another process
            hold = self._ids.new(HOLD, at=system_clock())
            file.append({HOLD: hold, _MICROS: amount})
            return hold

    def _settle(self, hold: str, cost: int) -> None:
        with self._lines.locked() as file:
            file.append({SETTLED: hold, _MICROS: cost})

    def _take(self, lines: list[Line]) -> None:
        for line in lines:
            if HOLD in line:
                self._held[line[HOLD]] = line[_MICROS]
            elif SETTLED in line:
                self._held.pop(line[SETTLED], None)
                self._settled += line[_MICROS]


def file_beside(run_file: Path, commit: str) -> Path:
    """Return where another commit keeps the trials and the books of its run, beside those of a run here."""
    return run_file.resolve().with_name(f"{run_file.stem}.against-{commit[:12]}.jsonl")


def spent_beside(run_file: Path) -> int:
    """Return what other commits have spent and held beside a run, in micro-units: the cap is one for all."""
    files = run_file.parent.glob(f"{glob.escape(run_file.stem)}.against-*.jsonl")
    return sum(SpendBook(file, cap_micros=None).spent() for file in files)
