import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def memory_folder() -> Iterator[Path]:
    """A folder in memory where there is one: a killed process loses nothing that it wrote to files."""
    memory = Path("/dev/shm")  # noqa: S108  # a private folder is made inside
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)
