"""A worker killed at any event leaves no duplicate and nothing half done; the provider's journal judges."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlmodel import col, select

from agent.domain.drafts import DeliveryId, DeliveryState
from agent.store.attempts import open_attempts
from agent.store.tables.sending import DeliveryRow
from tests.crash.worker import Trial, bench_for, run_worker, start_worker, wait_for
from tests.providers import Act, Kind

DONE = {DeliveryState.ACCEPTED, DeliveryState.NEEDS_HUMAN, DeliveryState.REJECTED}


def queue_messages(trial: Trial, episode: str, messages: int) -> list[DeliveryId]:
    bench = bench_for(trial)
    queued = [bench.approved(f"{episode}.{number}") for number in range(messages)]
    bench.store.writer.dispose()
    bench.store.reader.dispose()
    return queued


def judge(trial: Trial, queued: list[DeliveryId]) -> Counter[str]:
    """Compare the provider's journal with what we believe, and return how the messages ended."""
    bench = bench_for(trial)
    with bench.store.read() as conn:
        still_open = open_attempts(conn)
        states = {
            delivery_id: DeliveryState(state)
            for delivery_id, state in conn.execute(
                select(DeliveryRow.id, DeliveryRow.state).where(col(DeliveryRow.id).in_(queued))
            )
        }
    bench.store.writer.dispose()
    bench.store.reader.dispose()
    journal = trial.journal.read_text().split() if trial.journal.exists() else []
    taken = Counter(key for key in journal if key in states)
    assert still_open == []
    assert [key for key, times in taken.items() if times > 1] == []
    assert set(states.values()) <= DONE
    for delivery_id, state in states.items():
        if state is DeliveryState.ACCEPTED:
            assert taken[delivery_id] == 1, "believed to be sent, but nobody got it"
        elif state is DeliveryState.REJECTED:
            assert taken[delivery_id] == 0
    return Counter(states.values())


def crash_everywhere(trial: Trial, *, messages: int, pairs: bool) -> tuple[int, Counter[str]]:
    """Kill the first worker at each event, and with `pairs` the second one at each of its events too."""
    kills, ends = 0, Counter[str]()
    for first in count(1):
        killed_first = False
        for second in count(1) if pairs else iter([0]):
            queued = queue_messages(trial, f"{first}.{second}", messages)
            killed_first = run_worker(trial, generation=0, kill_at=first)
            killed_second = bool(second) and run_worker(trial, generation=1, kill_at=second)
            run_worker(trial, generation=2, kill_at=None)
            kills += killed_first + killed_second
            ends += judge(trial, queued)
            if not killed_second:
                break
        if not killed_first:
            return kills, ends
    raise AssertionError("unreachable")


@pytest.fixture
def memory_folder() -> Iterator[Path]:
    """A folder in memory where there is one: a killed process loses nothing that it wrote to files."""
    memory = Path("/dev/shm")  # noqa: S108  # a private folder is made inside
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


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
    trial = Trial(url=f"sqlite:///{memory_folder / 'o.db'}", folder=memory_folder, kind=kind, act=act)

    kills, ends = crash_everywhere(trial, messages=1, pairs=False)

    assert kills >= 8
    if kind is Kind.KEY:  # a key settles every doubt, so nobody has to look
        assert set(ends) == {DeliveryState.ACCEPTED}


@pytest.mark.postgres
def test_a_crash_at_any_event_sends_nothing_twice_on_a_server(postgres_url: str, tmp_path: Path) -> None:
    trial = Trial(url=postgres_url, folder=tmp_path, kind=Kind.BLIND, act=Act.ACCEPT)

    kills, ends = crash_everywhere(trial, messages=1, pairs=False)

    assert kills >= 8
    assert sum(ends.values()) == kills + 1


def test_two_workers_at_once_share_the_work(database_url: str, tmp_path: Path) -> None:
    trial = Trial(url=database_url, folder=tmp_path, kind=Kind.BLIND, act=Act.ACCEPT)
    queued = queue_messages(trial, "e", 6)

    workers = [start_worker(trial, generation=number, kill_at=None) for number in range(2)]

    assert [wait_for(worker) for worker in workers] == [False, False]
    assert judge(trial, queued) == Counter({DeliveryState.ACCEPTED: 6})


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("act", [Act.ACCEPT, Act.LOSE_ANSWER, Act.LOSE_CALL, Act.BUSY, Act.BREAK])
def test_two_crashes_at_any_two_events_send_nothing_twice(kind: Kind, act: Act, memory_folder: Path) -> None:
    trial = Trial(url=f"sqlite:///{memory_folder / 'o.db'}", folder=memory_folder, kind=kind, act=act)

    kills, ends = crash_everywhere(trial, messages=2, pairs=True)

    assert kills >= 100
    if kind is Kind.KEY:
        assert set(ends) == {DeliveryState.ACCEPTED}
