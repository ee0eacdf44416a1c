"""Trials: every repeat of every case as one task of a pydantic-evals dataset, over several processes."""

import multiprocessing
import os
import signal
import sys
import threading
from asyncio import Runner
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from types import FrameType
from typing import Final

from agent.clock import system_clock
from agent.log import configure_logs
from evals.cases.model import Case
from evals.models.asking import Tier
from evals.run_case import Judged, failed, run_case
from evals.world.databases import Scratch, scratch_database
from evals.world.deciding import Deciding
from evals.world.event_loop import StraightLoop

_AT_ONCE: Final = 8
"""Trials handed to a process at once: few for even loads, many for little handing over."""

Progress = Callable[[int, int], None]
"""Called with (trials done, trials in all)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One repeat of one case."""

    case: Case
    repeat: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to try, and how."""

    cases: Sequence[Case]
    deciding: Deciding
    repeats: int = 1
    seed: int = 1
    jobs: int = 1
    """Processes; 1 keeps everything in this one."""
    cards: bool = False
    """Whether to draw the decision card also of cases that pass."""
    done: frozenset[tuple[str, int]] = frozenset()
    """(case, repeat) of trials that an earlier run has finished."""

    def trials(self) -> list[Trial]:
        """Return the trials that are left, all repeats of a case side by side."""
        every = [Trial(case=case, repeat=repeat) for case in self.cases for repeat in range(self.repeats)]
        return [trial for trial in every if (trial.case.id, trial.repeat) not in self.done]

    @property
    def at_once(self) -> int:
        """Trials handed to a process at once; each comes back by itself when a live model is paid for it."""
        return 1 if self.deciding.tier is Tier.LIVE else _AT_ONCE


def _keep_nothing(_judged: Judged) -> bool:
    return True


def run_trials(
    plan: Plan, *, progress: Progress, keep: Callable[[Judged], bool] = _keep_nothing
) -> list[Judged]:
    """Run the trials of a plan and return the outcomes in its order.

    Args:
        plan: What to try.
        progress: Told how far it is.
        keep: Called with each outcome as it comes; when it returns False no further trial is begun.

    Raises:
        InputError: A playbook, a limit or a template is wrong.
    """
    trials = plan.trials()
    ready = plan.deciding.prepared()  # read once, before processes are forked
    parts = list(_parts(trials, plan.at_once))
    jobs = min(plan.jobs, len(parts))
    outcomes: dict[tuple[str, int], Judged] = {}
    going = Going()
    results = (
        _in_processes(plan, parts, jobs, going) if jobs > 1 else _in_this_process(plan, parts, ready, going)
    )
    for judged in results:
        for one in judged:
            outcomes[one.result.case, one.result.repeat] = one
            going.on &= keep(one)
        progress(len(outcomes), len(trials))
    keys = [(trial.case.id, trial.repeat) for trial in trials]
    return [outcomes[key] for key in keys if key in outcomes]


@dataclass(slots=True)
class Going:
    """Whether further trials are begun."""

    on: bool = True


def usual_jobs() -> int:
    """Return how many processes to use on this machine."""
    return max(1, min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2, 8))


class Bench:
    """A process's own scratch database and event loop, over many parts."""

    def __init__(self, deciding: Deciding, seed: int, *, cards: bool) -> None:
        """Make nothing yet; the database comes with the first part."""
        self._deciding = deciding
        self._seed = seed
        self._cards = cards
        self._open = ExitStack()
        self._scratch: Scratch | None = None
        self._runner = Runner(loop_factory=StraightLoop)

    def run(self, trials: Sequence[Trial]) -> list[Judged]:
        """Run trials one after the other; not from within a running event loop."""
        if self._scratch is None:
            self._scratch = self._open.enter_context(scratch_database())
        return self._runner.run(self._evaluate(trials, self._scratch))

    def close(self) -> None:
        """Remove the scratch database and end the loop."""
        self._runner.close()
        self._open.close()

    async def _evaluate(self, trials: Sequence[Trial], scratch: Scratch) -> list[Judged]:
        from pydantic_evals import Case as Task  # noqa: PLC0415  # heavy
        from pydantic_evals import Dataset  # noqa: PLC0415  # heavy

        async def task(trial: Trial) -> Judged:
            return await run_case(
                trial.case,
                self._deciding,
                scratch,
                repeat=trial.repeat,
                seed=self._seed,
                cards=self._cards,
            )

        tasks: list[Task[Trial, Judged, None]] = [
            Task(name=f"{trial.case.id} {trial.repeat}", inputs=trial) for trial in trials
        ]
        dataset = Dataset[Trial, Judged, None](name="cases", cases=tasks)
        report = await dataset.evaluate(task, name="trials", max_concurrency=1, progress=False)
        if self._deciding.asking is not None:
            await self._deciding.asking.aclose()
        broken = [
            failed(one.inputs.case, f"{one.error_message}\n{one.error_stacktrace}", repeat=one.inputs.repeat)
            for one in report.failures
        ]
        return [*(one.output for one in report.cases), *broken]


def _parts(trials: Sequence[Trial], at_once: int) -> Iterator[Sequence[Trial]]:
    for start in range(0, len(trials), at_once):
        yield trials[start : start + at_once]


_bench: Bench | None = None
"""Of a worker process; it lives as long as the process."""


def _begin(deciding: Deciding, seed: int, cards: bool) -> None:  # noqa: FBT001  # positional for the pool
    global _bench  # noqa: PLW0603  # a process of a pool has no other place
    configure_logs(clock=system_clock, level="error")  # what goes wrong is in the results
    # the terminal tells all processes, and the first one decides; only a question to a live model may take
    # minutes, and is left: what it holds stays spent
    live = deciding.tier is Tier.LIVE
    signal.signal(signal.SIGINT, _leave_at_once if live else signal.SIG_IGN)
    _bench = Bench(deciding, seed, cards=cards)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _leave_at_once(number: int, _frame: FrameType | None) -> None:
    os._exit(128 + number)


def _end_with_parent() -> None:
    """End this process when the one that began it was killed: nobody would know what it goes on to spend."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run_part(trials: Sequence[Trial]) -> list[Judged]:
    if _bench is None:
        raise RuntimeError("the process was not begun")
    return _bench.run(trials)


def _in_this_process(
    plan: Plan, parts: Iterable[Sequence[Trial]], deciding: Deciding, going: Going
) -> Iterator[list[Judged]]:
    bench = Bench(deciding, plan.seed, cards=plan.cards)
    try:
        for part in parts:
            if not going.on:
                return
            yield bench.run(part)
    finally:
        bench.close()


def _in_processes(
    plan: Plan, parts: Iterable[Sequence[Trial]], jobs: int, going: Going
) -> Iterator[list[Judged]]:
    # a forked process has everything that was read already; forking is safe as long as no thread runs
    forks = sys.platform == "linux" and threading.active_count() == 1
    context = multiprocessing.get_context("fork" if forks else "spawn")
    if forks:
        _import_before_forking()
    arguments = (plan.deciding, plan.seed, plan.cards)
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=arguments)
    try:
        futures = [pool.submit(_run_part, part) for part in parts]
        for future in as_completed(futures):
            if future.cancelled():
                continue
            yield future.result()
            if not going.on:  # what runs already is paid for, and comes to its end
                for other in futures:
                    other.cancel()
    finally:  # also when somebody interrupts: what has not begun is dropped, what has begun ends in seconds
        pool.shutdown(cancel_futures=True)


def _import_before_forking() -> None:
    """Import what cases need late, so that it is not read once per process."""
    for name in ("agent.graph.build", "pydantic_evals"):
        import_module(name)
