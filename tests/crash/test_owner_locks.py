"""A worker counts as dead when its process is gone, and not before: not when it only stands still."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from agent.dispatch.owners import FileOwner, PostgresOwner, new_owner_id
from agent.dispatch.ports import Owner
from agent.ids import Ids
from tests.conftest import make_store

MakeOwner = Callable[[str], Owner]


@pytest.fixture
def make_owner(database_url: str, tmp_path: Path) -> Iterator[MakeOwner]:
    """Make owners on either database; they are released and closed at the end."""
    with ExitStack() as open_ones:

        def make(name: str) -> Owner:
            owner: Owner
            if database_url.startswith("sqlite"):
                owner = FileOwner(tmp_path / "workers", owner_id=name)
            else:
                store = make_store(database_url, Ids())
                open_ones.callback(store.writer.dispose)
                owner = PostgresOwner(store.writer, owner_id=name)
            open_ones.callback(owner.release)
            return owner

        yield make


def hold_in_a_process(make_owner: MakeOwner, name: str) -> int:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        owner = make_owner(name)
        owner.hold()
        os.write(writing, b"x")
        signal.pause()
    os.close(writing)
    assert os.read(reading, 1) == b"x"
    os.close(reading)
    return child


def becomes_dead(owner: Owner, name: str) -> bool:
    for _ in range(500):  # a server needs a moment to see that its client is gone
        if owner.is_dead(name):
            return True
        time.sleep(0.01)
    return False


def test_a_killed_worker_is_dead_and_a_stopped_one_is_not(make_owner: MakeOwner) -> None:
    child = hold_in_a_process(make_owner, "w2")
    me = make_owner("w1")
    me.hold()
    try:
        assert not me.is_dead("w2")
        os.kill(child, signal.SIGSTOP)
        assert not me.is_dead("w2")
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)

    assert becomes_dead(me, "w2")
    assert not me.is_dead("w1")
    assert me.still_held()


def test_a_name_is_held_once_and_free_after_release(make_owner: MakeOwner) -> None:
    first, second = make_owner("w1"), make_owner("w1")
    first.hold()

    with pytest.raises(BlockingIOError):
        second.hold()
    first.release()
    second.hold()

    assert (first.still_held(), second.still_held()) == (False, True)


def test_a_server_that_ends_our_session_takes_our_lock(postgres_url: str) -> None:
    store = make_store(postgres_url, Ids())
    owner = PostgresOwner(store.writer, owner_id="w1")
    owner.hold()

    with store.writer.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
        )

    assert not owner.still_held()
    store.writer.dispose()


@pytest.mark.parametrize("name", ["", "../w", "a b", "x" * 200], ids=repr)
def test_a_name_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no worker's name"):
        FileOwner(tmp_path, owner_id=name)


def test_names_of_two_starts_differ() -> None:
    assert new_owner_id(os.urandom(6)) != new_owner_id(os.urandom(6))
