"""Real processes: `outrider run` ends in order on SIGTERM, and SIGKILL loses and doubles nothing."""

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.commands import outrider, plant_nothing

HALF_DONE = """
    SELECT 'attempt' FROM attempt WHERE state = 'started'
    UNION ALL SELECT 'work ' || status FROM work WHERE status IN ('claimed', 'running')
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small demo, served for a day, whose rounds follow each other quickly."""
    folder = tmp_path_factory.mktemp("served") / "demo"
    said = outrider("demo", "--folder", folder, "--customers", "60", "--days", "1", cwd=folder.parent)
    assert said.code == 0, said.err
    plant_nothing(folder)
    return folder


@pytest.fixture
def demo(served: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "demo"
    shutil.copytree(served, folder)
    settings = folder / "outrider.yaml"
    settings.write_text(settings.read_text() + "every: 1s\n")
    return folder


@contextmanager
def daemon(folder: Path) -> Generator[subprocess.Popen[str]]:
    """A running daemon; it is killed if the test leaves it running."""
    log = (folder / "daemon.log").open("a+")
    process = subprocess.Popen(
        [sys.executable, "-m", "agent", "run", "--config", str(folder / "outrider.yaml")],
        stderr=log,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        log.close()


def rounds(folder: Path) -> int:
    return (folder / "daemon.log").read_text().count("round.finished")


def wait_for_rounds(folder: Path, process: subprocess.Popen[str], number: int) -> None:
    until = rounds(folder) + number
    for _ in range(600):
        if rounds(folder) >= until:
            return
        assert process.poll() is None, (folder / "daemon.log").read_text()
        time.sleep(0.1)
    raise AssertionError("no round was finished in a minute")


def ask(folder: Path, statement: str) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(folder / "outrider.db")) as database:
        return database.execute(statement).fetchall()


def approve_all(folder: Path) -> int:
    waiting = outrider("review", "list", "--json", "--config", folder / "outrider.yaml", cwd=folder)
    for draft in waiting.json["drafts"]:
        said = outrider(
            *("review", "approve", draft["draft_id"], "--hash", draft["content_hash"][:8]),
            *("--config", folder / "outrider.yaml"),
            cwd=folder,
        )
        assert said.code == 0, said.err
    return len(waiting.json["drafts"])


def check_outbox(folder: Path) -> int:
    """Compare what customers got with what the database believes; return the number of messages."""
    left = Counter(
        json.loads(path.read_text())["idempotency_key"] for path in (folder / "outbox").rglob("*.json")
    )
    believed = {one for (one,) in ask(folder, "SELECT id FROM delivery WHERE state = 'accepted'")}
    assert set(left) == believed
    assert all(times == 1 for times in left.values())
    per_signal = ask(folder, "SELECT dedup_key FROM delivery WHERE state = 'accepted'")
    assert len(per_signal) == len(set(per_signal))
    return len(left)


def test_sigterm_ends_a_daemon_with_nothing_half_done(demo: Path) -> None:
    before = check_outbox(demo)
    assert approve_all(demo) == 1
    with daemon(demo) as process:
        wait_for_rounds(demo, process, 2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0

    assert ask(demo, HALF_DONE) == []
    assert check_outbox(demo) > before
    assert "every: 1s" in (demo / "outrider.yaml").read_text(), "a person's settings were written over"
    assert list(demo.glob("*.lock")) == []
    lines = [json.loads(line) for line in (demo / "daemon.log").read_text().splitlines()]
    events = [line["event"] for line in lines]
    assert (events[0], events[-1]) == ("daemon.started", "daemon.stopped")


def test_sigint_before_the_first_round_is_obeyed_too(demo: Path) -> None:
    with daemon(demo) as process:
        for _ in range(300):
            if "daemon.started" in (demo / "daemon.log").read_text():
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0

    assert ask(demo, HALF_DONE) == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_sigkill_at_any_moment_loses_and_doubles_nothing(demo: Path) -> None:
    for kill in range(8):
        approve_all(demo)
        with daemon(demo) as process:
            wait_for_rounds(demo, process, 1)
            time.sleep(0.037 * kill)
            process.kill()
            process.wait()

    with daemon(demo) as process:
        wait_for_rounds(demo, process, 4)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0

    assert ask(demo, HALF_DONE) == []
    assert check_outbox(demo) > 2
    verified = outrider("audit", "verify", "--config", demo / "outrider.yaml", cwd=demo)
    assert verified.code == 0, verified.out
