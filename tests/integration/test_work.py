"""The work table hands out each turn once, on both databases."""

from datetime import timedelta

import pytest

from agent.errors import LeaseLostError
from agent.store.tables.base import Meta
from agent.store.transaction import Store, count, insert_new
from agent.store.work import (
    DONE,
    PARK,
    NewWork,
    Next,
    WorkItem,
    WorkStatus,
    again,
    count_work,
    dead_work,
    enqueue,
    enqueue_all,
    get_work,
    next_due,
)
from agent.store.work_claims import (
    MAX_ATTEMPTS,
    anything_due,
    beat,
    begin,
    bury,
    claim,
    doomed,
    end,
    expire_leases,
    fail,
    give_back,
    owners_in_hand,
    suspects_due,
)
from tests.conftest import START

LEASE = timedelta(seconds=60)
KINDS = ("send",)
LATER = START + timedelta(hours=1)


def ask(store: Store, key: str = "send:1", *, at: timedelta = timedelta(0), priority: int = 0) -> None:
    with store.write() as tx:
        enqueue(tx, key=key, kind="send", ref=key.partition(":")[2], at=START + at, priority=priority)


def take(
    store: Store,
    *,
    at: timedelta = timedelta(0),
    limit: int = 10,
    owner: str = "w1",
    suspects: bool = False,
) -> list[WorkItem]:
    with store.write() as tx:
        return claim(
            tx, now=START + at, limit=limit, kinds=KINDS, owner=owner, lease=LEASE, suspects=suspects
        )


def start(
    store: Store, item: WorkItem, *, at: timedelta = timedelta(0), owner: str = "w1"
) -> WorkItem | None:
    with store.write() as tx:
        return begin(tx, key=item.key, token=item.token, now=START + at, owner=owner, lease=LEASE)


def started(store: Store, *, at: timedelta = timedelta(0), suspects: bool = False) -> WorkItem:
    (item,) = take(store, at=at, suspects=suspects)
    begun = start(store, item, at=at)
    assert begun is not None
    return begun


def finish(store: Store, item: WorkItem, following: Next) -> None:
    with store.write() as tx:
        end(tx, item, following)


def look(store: Store, key: str = "send:1") -> WorkItem:
    with store.read() as conn:
        item = get_work(conn, key)
    assert item is not None
    return item


def test_an_item_is_claimed_once_when_due(any_store: Store) -> None:
    ask(any_store, at=timedelta(minutes=1))

    assert take(any_store) == []
    (item,) = take(any_store, at=timedelta(minutes=1))

    assert (item.key, item.ref, item.attempts, item.token) == ("send:1", "1", 1, 1)
    assert take(any_store, at=timedelta(minutes=1)) == []


def test_important_items_go_first_then_those_longest_due(any_store: Store) -> None:
    ask(any_store, "send:late")
    ask(any_store, "send:later", at=timedelta(seconds=1))
    ask(any_store, "send:urgent", at=timedelta(seconds=2), priority=5)

    items = take(any_store, at=timedelta(minutes=1), limit=2)

    assert [item.ref for item in items] == ["urgent", "late"]


def test_many_items_are_asked_for_in_one_statement(any_store: Store) -> None:
    ask(any_store, "send:1")
    running = started(any_store)
    wanted = [
        NewWork(key=f"send:{number}", kind="send", ref=str(number), at=START) for number in range(1, 2_003)
    ]

    with any_store.write() as tx:
        enqueue_all(tx, wanted)
        enqueue_all(tx, [])
    finish(any_store, running, DONE)

    assert len(take(any_store, limit=5_000)) == len(wanted)


def test_unknown_kinds_stay_for_workers_that_know_them(any_store: Store) -> None:
    with any_store.write() as tx:
        enqueue(tx, key="x:1", kind="x", ref="1", at=START)

    assert take(any_store) == []
    assert look(any_store, "x:1").status is WorkStatus.READY


def test_a_stale_wake_up_begins_nothing(any_store: Store) -> None:
    ask(any_store)
    (item,) = take(any_store)

    assert start(any_store, item) is not None
    assert start(any_store, item) is None


def test_asking_twice_is_asking_once_at_the_earlier_time(any_store: Store) -> None:
    ask(any_store, at=timedelta(hours=1), priority=3)
    ask(any_store, at=timedelta(minutes=1), priority=1)
    ask(any_store, at=timedelta(hours=2))

    item = look(any_store)
    assert (item.next_at, item.priority) == (START + timedelta(minutes=1), 3)


@pytest.mark.parametrize("following", [DONE, PARK], ids=["done", "parked"])
def test_asking_again_wakes_a_finished_item(any_store: Store, following: Next) -> None:
    ask(any_store)
    finish(any_store, started(any_store), following)
    assert take(any_store, at=timedelta(days=1)) == []

    ask(any_store, at=timedelta(minutes=5))

    (item,) = take(any_store, at=timedelta(minutes=5))
    assert (item.turn, item.attempts) == (1, 1)


def test_asking_while_it_runs_gives_another_turn(any_store: Store) -> None:
    ask(any_store)
    running = started(any_store)

    ask(any_store, at=timedelta(seconds=1))
    finish(any_store, running, DONE)

    (item,) = take(any_store, at=timedelta(seconds=1))
    assert item.turn == 1


def test_asking_between_claim_and_begin_gives_no_further_turn(any_store: Store) -> None:
    ask(any_store)
    (item,) = take(any_store)
    ask(any_store)
    begun = start(any_store, item)
    assert begun is not None

    finish(any_store, begun, DONE)

    assert look(any_store).status is WorkStatus.DONE


@pytest.mark.parametrize(("asked", "planned"), [(1, 5), (5, 1)], ids=["asked-earlier", "planned-earlier"])
def test_the_earlier_of_asked_and_planned_counts(any_store: Store, asked: int, planned: int) -> None:
    ask(any_store)
    running = started(any_store)
    ask(any_store, at=timedelta(minutes=asked))

    finish(any_store, running, again(START + timedelta(minutes=planned)))

    assert look(any_store).next_at == START + timedelta(minutes=1)


def test_a_dead_workers_item_is_taken_over_after_its_lease(any_store: Store) -> None:
    ask(any_store)
    first = started(any_store)

    assert take(any_store, at=LEASE - timedelta(seconds=1), owner="w2") == []
    (item,) = take(any_store, at=LEASE, owner="w2")

    assert (item.attempts, item.token) == (2, first.token + 1)


def test_what_a_frozen_worker_still_writes_is_rolled_back(any_store: Store) -> None:
    ask(any_store)
    frozen = started(any_store)
    (item,) = take(any_store, at=LEASE, owner="w2")
    assert start(any_store, item, at=LEASE, owner="w2") is not None

    with pytest.raises(LeaseLostError), any_store.write() as tx:
        insert_new(tx.conn, Meta, [{"key": "result", "value": "of the frozen worker"}])
        end(tx, frozen, DONE)

    with any_store.read() as conn:
        assert count(conn, Meta) == 1  # the schema version alone
    assert look(any_store).status is WorkStatus.RUNNING


def test_a_beat_extends_only_what_is_in_hand(any_store: Store) -> None:
    ask(any_store, "send:mine")
    ask(any_store, "send:lost")
    mine, lost = (start(any_store, item) for item in sorted(take(any_store), key=lambda item: item.key)[::-1])
    assert mine is not None
    assert lost is not None

    with any_store.write() as tx:
        gone = beat(tx, {mine.key: mine.token, lost.key: lost.token - 1}, now=START + LEASE / 2, lease=LEASE)

    assert gone == {lost.key}
    assert look(any_store, mine.key).next_at == START + LEASE * 1.5
    assert look(any_store, lost.key).next_at == START + LEASE


def test_an_item_that_began_after_the_snapshot_is_not_lost(any_store: Store) -> None:
    ask(any_store)
    started(any_store)

    with any_store.write() as tx:
        assert beat(tx, {}, now=START, lease=LEASE) == set()


def test_a_beat_that_comes_late_wakes_nothing_that_has_ended(any_store: Store) -> None:
    ask(any_store)
    running = started(any_store)
    finish(any_store, running, DONE)

    with any_store.write() as tx:
        assert beat(tx, {running.key: running.token}, now=START, lease=LEASE) == {running.key}

    assert look(any_store).next_at is None


def test_a_clean_failure_is_tried_again_and_then_given_up(any_store: Store) -> None:
    ask(any_store)
    for number in range(MAX_ATTEMPTS):
        running = started(any_store, at=timedelta(minutes=number))
        with any_store.write() as tx:
            assert fail(tx, running, retry_at=START + timedelta(minutes=number + 1), error="provider down")
    now = START + timedelta(minutes=MAX_ATTEMPTS)

    assert take(any_store, at=timedelta(minutes=MAX_ATTEMPTS)) == []
    with any_store.read() as conn:
        (last,) = doomed(conn, now=now, kinds=KINDS)
    with any_store.write() as tx:
        assert bury(tx, last)
        assert not bury(tx, last)

    with any_store.read() as conn:
        assert [(item.key, item.error) for item in dead_work(conn)] == [("send:1", "provider down")]
    ask(any_store)
    assert take(any_store)[0].attempts == 1


def test_what_outlives_its_workers_twice_is_a_suspect(any_store: Store) -> None:
    ask(any_store)
    started(any_store)
    started(any_store, at=LEASE)

    with any_store.read() as conn:
        assert suspects_due(conn, now=START + 2 * LEASE, kinds=KINDS)
    assert take(any_store, at=2 * LEASE) == []
    assert len(take(any_store, at=2 * LEASE, suspects=True)) == 1


def test_what_was_claimed_but_never_begun_was_not_tried(any_store: Store) -> None:
    ask(any_store)
    for number in range(MAX_ATTEMPTS):
        take(any_store, at=number * LEASE)

    assert [item.attempts for item in take(any_store, at=MAX_ATTEMPTS * LEASE)] == [1]


def test_given_back_items_are_due_at_once_and_not_counted(any_store: Store) -> None:
    ask(any_store, "send:begun")
    ask(any_store, "send:queued")
    items = take(any_store)
    start(any_store, items[0])

    with any_store.write() as tx:
        assert give_back(tx, {item.key: item.token for item in items}, now=START) == 2

    assert [item.attempts for item in take(any_store, owner="w2")] == [1, 1]


def test_what_a_dead_worker_has_in_hand_can_be_made_due_at_once(any_store: Store) -> None:
    ask(any_store)
    started(any_store)

    with any_store.read() as conn:
        (owner,) = owners_in_hand(conn)
    with any_store.write() as tx:
        assert expire_leases(tx, now=START, owners=["another"]) == 0
        assert expire_leases(tx, now=START, owners=[owner]) == 1

    assert len(take(any_store, owner="w2")) == 1


def test_reading_says_what_waits(any_store: Store) -> None:
    ask(any_store, "send:1", at=timedelta(hours=1))
    ask(any_store, "send:2")
    finish(any_store, started(any_store), DONE)

    with any_store.read() as conn:
        assert not anything_due(conn, now=START, kinds=KINDS)
        assert anything_due(conn, now=LATER, kinds=KINDS)
        assert next_due(conn, kinds=KINDS) == LATER
        assert count_work(conn) == {("send", WorkStatus.READY): 1, ("send", WorkStatus.DONE): 1}
