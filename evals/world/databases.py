"""Scratch databases: the real schema, made once, copied for each case, never waited for."""

import shutil
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine

from agent.store.database import open_database
from evals.replay.scratch import forgo_sync_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Scratch:
    """One database file that every case finds empty.

    The engines stay, because what SQLAlchemy has compiled for them is half of the time of a case.
    """

    folder: Path
    writer: Engine
    reader: Engine

    @property
    def url(self) -> str:
        """Where the database is."""
        return f"sqlite:///{self._file}"

    @property
    def _file(self) -> Path:
        return self.folder / "outrider.db"

    def empty(self) -> None:
        """Put an empty database in place of what the last case left."""
        self.writer.dispose()
        self.reader.dispose()
        for suffix in ("-wal", "-shm"):
            self._file.with_name(self._file.name + suffix).unlink(missing_ok=True)
        shutil.copyfile(self.folder / "empty.db", self._file)

    def open(self, url: str, *, create: bool) -> tuple[Engine, Engine]:
        """Return the engines, in place of `agent.store.database.open_database`."""
        del url, create  # there is one, and it has its schema
        return self.writer, self.reader


@contextmanager
def scratch_database() -> Generator[Scratch]:
    """Make a scratch database in a temporary folder, in memory where the machine has such a folder."""
    memory = Path("/dev/shm")  # noqa: S108  # the folder below has a random name
    parent = memory if memory.is_dir() else None
    with TemporaryDirectory(prefix="outrider-eval-", dir=parent) as name:
        folder = Path(name)
        writer, reader = open_database(f"sqlite:///{folder / 'outrider.db'}")
        forgo_sync_of(writer)
        reader.dispose()
        with closing(sqlite3.connect(folder / "outrider.db")) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copyfile(folder / "outrider.db", folder / "empty.db")
        try:
            yield Scratch(folder=folder, writer=writer, reader=reader)
        finally:
            writer.dispose()
            reader.dispose()
