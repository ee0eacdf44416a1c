"""An installation on either database, for tests of the whole system."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import Installation


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> Iterator[Installation]:
    """An installation without a running system, once on SQLite and once on PostgreSQL."""
    place = Installation(database_url, tmp_path)
    yield place
    place.stop_all()
