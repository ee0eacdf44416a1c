"""Runs `outrider …` in this process, as the entry point does, and keeps what it said."""

import io
import json
import logging
import os
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from agent.cli.main import main
from policies.loader import REVIEW_FILE


@dataclass(frozen=True)
class Said:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def outrider(
    *arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None, typed: str = ""
) -> Said:
    """Run one command in a folder.

    Args:
        arguments: What follows `outrider`.
        cwd: Where it is run; no variables of our own reach it.
        env: Further environment variables.
        typed: What a person types.
    """
    out, err = io.StringIO(), io.StringIO()
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OUTRIDER", "OPENAI"))}
    before, root = Path.cwd(), logging.getLogger()
    handlers, level = [*root.handlers], root.level
    os.chdir(cwd)
    try:
        with (
            typing(typed),
            environment({**clean, "COLUMNS": "120", **(env or {})}),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            code = main([str(argument) for argument in arguments])
    finally:
        os.chdir(before)
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()
    return Said(code, out.getvalue(), err.getvalue())


@contextmanager
def typing(text: str) -> Generator[None]:
    """Let a person type a text."""
    before, sys.stdin = sys.stdin, io.StringIO(text)
    try:
        yield
    finally:
        sys.stdin = before


@contextmanager
def environment(variables: Mapping[str, str]) -> Generator[None]:
    """Let these be the only environment variables."""
    before = dict(os.environ)
    try:
        os.environ.clear()
        os.environ.update(variables)
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def refused(said: Said, *words: str, code: int = 2) -> None:
    """Check that a command ended with one clear message that holds all these words."""
    assert said.code == code, f"exit code {said.code}: {said.err}"
    assert "Traceback" not in said.err
    assert said.err.count("outrider: ") == 1, said.err
    assert said.out == "", "data was printed although the command failed"
    for word in words:
        assert word in said.err, f"{word!r} is not in: {said.err}"


@contextmanager
def untouched(folder: Path) -> Generator[None]:
    """Check that nothing in a folder is made, changed or removed meanwhile."""
    before = contents(folder)
    yield
    after = contents(folder)
    assert after == before, f"changed: {sorted(set(after.items()) ^ set(before.items()))}"


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder, by their path inside it; a folder counts as an empty file."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b""
        for path in sorted(folder.rglob("*"))
    }


def plant_nothing(folder: Path) -> None:
    """Let a demo plant no mistakes into drafts, so that a verdict is about the draft itself every time."""
    rules = REVIEW_FILE.read_text(encoding="utf-8").replace("seeds: '2%'", "seeds: '0%'")
    (folder / "mine.yaml").write_text(rules, encoding="utf-8")
    with (folder / "outrider.yaml").open("a", encoding="utf-8") as file:
        file.write("review: mine.yaml\n")
