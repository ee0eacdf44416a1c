"""Workers killed at random, over and over.

`OUTRIDER_TEST_KILLS` says how often for each kind of provider. `OUTRIDER_TEST_SEED` repeats a run, but for
the moments that go by CPU time. `-s` shows the seed and how the messages ended.
"""

import os
from collections import Counter
from pathlib import Path
from random import Random
from typing import Final

import pytest

from tests.crash.judge import judge, queue_messages
from tests.crash.worker import Trial, run_worker
from tests.providers import Act, Kind

KILLS: Final = int(os.environ.get("OUTRIDER_TEST_KILLS", "300"))
SEED: Final = os.environ.get("OUTRIDER_TEST_SEED") or os.urandom(4).hex()
MESSAGES: Final = 3
KILLS_IN_A_ROW: Final = 3
TRIALS_PER_DATABASE: Final = 50
EVENTS: Final = 12 * MESSAGES
"""About as many as a worker passes that nobody kills."""
CPU_SECONDS: Final = 0.12
"""About as long as a worker needs that nobody kills."""
ACTS: Final = (*[Act.ACCEPT] * 12, Act.LOSE_ANSWER, Act.LOSE_ANSWER, Act.LOSE_CALL, Act.BUSY, Act.BREAK)


def kill_in_a_row(trial: Trial, random: Random) -> int:
    """Kill one worker after the other at a chosen event or anywhere, then let one end; return the kills."""
    for generation in range(KILLS_IN_A_ROW):
        if random.random() < 0.5:
            killed = run_worker(trial, generation=generation, kill_at=random.randint(1, EVENTS))
        else:
            killed = run_worker(trial, generation=generation, kill_after=random.uniform(0.001, CPU_SECONDS))
        if not killed:
            return generation
    run_worker(trial, generation=KILLS_IN_A_ROW)
    return KILLS_IN_A_ROW


def answers(random: Random) -> dict[int, tuple[Act, ...]]:
    return {
        generation: tuple(random.choices(ACTS, k=2 * MESSAGES)) for generation in range(KILLS_IN_A_ROW + 1)
    }


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("kind", list(Kind))
def test_random_kills_send_nothing_twice_and_lose_nothing(kind: Kind, memory_folder: Path) -> None:
    random, kills, trials, ends = Random(f"{SEED} {kind}"), 0, 0, Counter[str]()
    print(f"seed {SEED}")  # noqa: T201  # shown when the test fails

    while kills < KILLS:
        folder = memory_folder / str(trials // TRIALS_PER_DATABASE)
        folder.mkdir(exist_ok=True)
        trial = Trial(url=f"sqlite:///{folder / 'o.db'}", folder=folder, kind=kind, acts=answers(random))
        queued = queue_messages(trial, str(trials), MESSAGES)
        kills += kill_in_a_row(trial, random)
        ends += judge(trial, queued)
        trials += 1

    found = {str(state): number for state, number in ends.items()}
    print(f"{kind}: {kills} kills, {trials * MESSAGES} messages: {found}")  # noqa: T201  # with -s
    assert sum(ends.values()) == trials * MESSAGES
