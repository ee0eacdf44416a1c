"""A file of JSON lines that several processes append to, and that survives the death of any of them."""

import fcntl
import json
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from tools.errors import InputError

Line = dict[str, Any]


class SharedLines:
    """Reads what is new and appends, one process at a time; a line is on the disk when `append` returns."""

    def __init__(self, path: Path) -> None:
        """Open nothing yet, so that this can go to another process."""
        self.path = path
        self._read = 0
        self._number = 0

    @contextmanager
    def locked(self) -> Generator["Locked"]:
        """Keep the others out; half a line that a killed process left is removed first.

        Raises:
            InputError: The file cannot be opened.
        """
        try:
            file = self.path.open("a+b")
        except OSError as exc:
            raise InputError(
                f"the run file cannot be opened: {exc.strerror}", path=self.path, remedy="check its folder"
            ) from exc
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)  # closing the file lets go of it
            _remove_half_a_line(file)
            yield Locked(self, file)

    def take_new(self, file: BinaryIO) -> list[Line]:
        """Return the lines since the last time; `Locked.new` is what others call."""
        file.seek(self._read)
        lines: list[Line] = []
        for text in file:
            self._number += 1
            lines.append(self._parsed(text))
        self._read = file.tell()
        return lines

    def _parsed(self, text: bytes) -> Line:
        try:
            value: object = json.loads(text)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise InputError(
                "this is no line of a run file",
                path=self.path,
                line=self._number,
                remedy="name a file that an earlier run made, or a new one",
            )
        return cast("Line", value)


class Locked:
    """The file while this process has it."""

    def __init__(self, lines: SharedLines, file: BinaryIO) -> None:
        self._lines = lines
        self._file = file

    def new(self) -> list[Line]:
        """Return the lines since this process looked last.

        Raises:
            InputError: A line is no JSON object.
        """
        return self._lines.take_new(self._file)

    def append(self, line: Mapping[str, object]) -> None:
        """Write a line through to the disk."""
        self._file.write(json.dumps(line).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def _remove_half_a_line(file: BinaryIO) -> None:
    if not file.seek(0, os.SEEK_END):
        return
    file.seek(-1, os.SEEK_END)
    if file.read(1) == b"\n":
        return
    file.seek(0)
    file.truncate(file.read().rfind(b"\n") + 1)
