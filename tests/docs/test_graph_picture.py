"""The picture of the graph in ARCHITECTURE.md is the graph that runs."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_architecture_shows_the_graph_as_it_is_built() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "graph"), "--check"]

    result = subprocess.run(command, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stderr
