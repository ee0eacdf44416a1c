"""The files of the project, for the tests of its shape."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
PACKAGES: Final = ("agent", "tools", "prompts", "policies", "evals", "tests")
_SKIPPED: Final = {"__pycache__", "build", "dist", "node_modules", "outrider-data"}


def files(*suffixes: str) -> Iterator[Path]:
    """Yield the project's files with these suffixes, all if none are given; nothing hidden, nothing built."""
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        hidden = any((part.startswith(".") and part != ".ci") or part in _SKIPPED for part in parts)
        if path.is_file() and not hidden:
            if any(part.endswith(".egg-info") for part in parts):
                continue
            if not suffixes or path.suffix in suffixes:
                yield path


def modules() -> Iterator[Path]:
    """Yield the Python files of the packages."""
    for path in files(".py"):
        if path.relative_to(ROOT).parts[0] in PACKAGES:
            yield path


def name_of(path: Path) -> str:
    """Return a path as it is shown in a failure."""
    return path.relative_to(ROOT).as_posix()
