"""Proof of life of workers: a lock that the kernel or the database server frees when the process ends."""

import fcntl
import os
import re
from pathlib import Path
from typing import Final, TextIO

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from agent.store.locks import lock_key

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")


class FileOwner:
    """A locked file per worker beside the database, for workers of one machine.

    The kernel frees the lock when the process ends, whatever ends it, and never before: a process that
    only stands still keeps it.
    """

    def __init__(self, folder: Path, *, owner_id: str) -> None:
        """Keep lock files in a folder that all workers of this database share."""
        self._folder = folder
        self._id = _checked(owner_id)
        self._file: TextIO | None = None

    @property
    def id(self) -> str:
        """The worker's name."""
        return self._id

    @property
    def exact(self) -> bool:
        """A freed file lock is proof."""
        return True

    def hold(self) -> None:
        """Take the lock.

        Raises:
            BlockingIOError: Another process uses this name.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._path(self._id).open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            raise
        self._file = file

    def still_held(self) -> bool:
        """Return whether the lock was taken and not given back; the kernel does not take it away."""
        return self._file is not None

    def is_dead(self, owner: str) -> bool:
        """Return whether a worker's lock is free; its file is then removed."""
        if owner == self._id:
            return False
        path = self._path(_checked(owner))
        try:
            with path.open("r+") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink(missing_ok=True)
        except FileNotFoundError:  # somebody else proved it and removed the file
            return True
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """Give the lock back and remove the file."""
        if self._file is not None:
            self._path(self._id).unlink(missing_ok=True)
            self._file.close()
            self._file = None

    def _path(self, owner: str) -> Path:
        return self._folder / f"{owner}.lock"


class PostgresOwner:
    """An advisory lock per worker on one PostgreSQL server, for workers of several machines."""

    def __init__(self, engine: Engine, *, owner_id: str) -> None:
        """Use a connection of its own that stays open while the lock is held."""
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._id = _checked(owner_id)
        self._connection: Connection | None = None
        self._backend = 0

    @property
    def id(self) -> str:
        """The worker's name."""
        return self._id

    @property
    def exact(self) -> bool:
        """The server also frees the lock of a worker that lives but is cut off."""
        return False

    def hold(self) -> None:
        """Take the lock.

        Raises:
            BlockingIOError: Another process uses this name.
        """
        connection = self._engine.connect()
        if not _try_lock(connection, self._id):
            connection.close()
            raise BlockingIOError(f"another worker is called {self._id}")
        self._backend = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        self._connection = connection

    def still_held(self) -> bool:
        """Return whether the server still knows the connection that holds the lock."""
        if self._connection is None:
            return False
        try:
            backend = self._connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        except DBAPIError:
            return False
        return bool(backend == self._backend)

    def is_dead(self, owner: str) -> bool:
        """Return whether a worker's lock is free."""
        if owner == self._id:
            return False
        with self._engine.connect() as connection:
            free = _try_lock(connection, _checked(owner))
            if free:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _key(owner)})
        return free

    def release(self) -> None:
        """Give the lock back."""
        if self._connection is not None:
            self._connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _key(self._id)})
            self._connection.close()
            self._connection = None


def new_owner_id(random: bytes) -> str:
    """Return a name that no other start of a process has: the process id and some random bytes."""
    return f"w{os.getpid()}-{random.hex()}"


def _key(owner: str) -> int:
    return lock_key(f"worker:{owner}")


def _try_lock(connection: Connection, owner: str) -> bool:
    statement = text("SELECT pg_try_advisory_lock(:key)")
    return bool(connection.execute(statement, {"key": _key(owner)}).scalar_one())


def _checked(owner: str) -> str:
    if not _NAME.fullmatch(owner):
        raise ValueError(f"{owner!r} is no worker's name")
    return owner
