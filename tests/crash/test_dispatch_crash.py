"""A worker killed at any event leaves no duplicate and nothing half done; the provider's journal judges."""

from collections import Counter
from itertools import count
from pathlib import Path

import pytest

from agent.domain.drafts import DeliveryState
from tests.crash.judge import judge, queue_messages
from tests.crash.worker import Trial, run_worker, start_worker, wait_for
from tests.providers import Act, Kind


def trial_in(folder: Path, kind: Kind, act: Act) -> Trial:
    return Trial(url=f"sqlite:///{folder / 'o.db'}", folder=folder, kind=kind, acts={0: (act,)})


def crash_everywhere(trial: Trial, *, messages: int, pairs: bool) -> tuple[int, Counter[str]]:
    """Kill the first worker at each event, and with `pairs` the second one at each of its events too."""
    kills, ends = 0, Counter[str]()
    for first in count(1):
        killed_first = False
        for second in count(1) if pairs else iter([0]):
            queued = queue_messages(trial, f"{first}.{second}", messages)
            killed_first = run_worker(trial, generation=0, kill_at=first)
            killed_second = bool(second) and run_worker(trial, generation=1, kill_at=second)
            run_worker(trial, generation=2)
            kills += killed_first + killed_second
            ends += judge(trial, queued)
            if not killed_second:
                break
        if not killed_first:
            return kills, ends
    raise AssertionError("unreachable")


@pytest.mark.parametrize(
    ("kind", "act"),
    [
        pytest.param(Kind.KEY, Act.LOSE_ANSWER, id="key"),
        pytest.param(Kind.LOOKUP, Act.LOSE_ANSWER, id="lookup"),
        pytest.param(Kind.BLIND, Act.LOSE_ANSWER, id="blind"),
        pytest.param(Kind.BLIND, Act.ACCEPT, id="no answer lost"),
    ],
)
def test_a_crash_at_any_event_sends_nothing_twice(kind: Kind, act: Act, memory_folder: Path) -> None:
    trial = Trial(
        url=f"sqlite:///{memory_folder / 'o.db'}", folder=memory_folder, kind=kind, acts={0: (act,)}
    )

    kills, ends = crash_everywhere(trial, messages=1, pairs=False)

    assert kills >= 8
    if kind is Kind.KEY:  # a key settles every doubt, so nobody has to look
        assert set(ends) == {DeliveryState.ACCEPTED}


@pytest.mark.postgres
def test_a_crash_at_any_event_sends_nothing_twice_on_a_server(postgres_url: str, tmp_path: Path) -> None:
    trial = Trial(url=postgres_url, folder=tmp_path, kind=Kind.BLIND, acts={})

    kills, ends = crash_everywhere(trial, messages=1, pairs=False)

    assert kills >= 8
    assert sum(ends.values()) == kills + 1


def test_two_workers_at_once_share_the_work(database_url: str, tmp_path: Path) -> None:
    trial = Trial(url=database_url, folder=tmp_path, kind=Kind.BLIND, acts={})
    queued = queue_messages(trial, "e", 6)

    workers = [start_worker(trial, generation=number) for number in range(2)]

    assert [wait_for(worker) for worker in workers] == [False, False]
    assert judge(trial, queued) == Counter({DeliveryState.ACCEPTED: 6})


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("act", [Act.ACCEPT, Act.LOSE_ANSWER, Act.LOSE_CALL, Act.BUSY, Act.BREAK])
def test_two_crashes_at_any_two_events_send_nothing_twice(kind: Kind, act: Act, memory_folder: Path) -> None:
    trial = Trial(
        url=f"sqlite:///{memory_folder / 'o.db'}", folder=memory_folder, kind=kind, acts={0: (act,)}
    )

    kills, ends = crash_everywhere(trial, messages=2, pairs=True)

    assert kills >= 100
    if kind is Kind.KEY:
        assert set(ends) == {DeliveryState.ACCEPTED}
