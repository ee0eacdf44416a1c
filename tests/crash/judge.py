"""What is queued before workers are killed, and the judgement afterwards: the provider's journal decides."""

from collections import Counter

from sqlmodel import col, select

from agent.domain.drafts import DeliveryId, DeliveryState
from agent.store.attempts import open_attempts
from agent.store.tables.sending import DeliveryRow
from tests.crash.worker import Trial, bench_for

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
    twice = [key for key, times in taken.items() if times > 1]
    assert not still_open, f"left half done: {still_open}"
    assert not twice, f"customers got it twice: {twice}"
    assert set(states.values()) <= DONE, f"lost on the way: {states}"
    for delivery_id, state in states.items():
        if state is DeliveryState.ACCEPTED:
            assert taken[delivery_id] == 1, "believed to be sent, but nobody got it"
        elif state is DeliveryState.REJECTED:
            assert taken[delivery_id] == 0, "believed to be refused, but somebody got it"
    return Counter(states.values())
