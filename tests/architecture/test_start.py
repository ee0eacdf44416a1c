"""The command line starts quickly, and documents name only commands that exist."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from typer.core import TyperGroup
from typer.main import get_command

from agent.cli.main import app
from tests.architecture.tree import ROOT

HEAVY = ("babel", "langgraph", "openai", "pydantic_settings", "sqlalchemy", "sqlmodel", "textual")
MOST_SECONDS = 0.5
COMMAND = re.compile(r"(?:`|/|^|&& )outrider ((?:[a-z]+ ?)+)", re.MULTILINE)
PROBE = f"""
import json, resource, runpy, sys
sys.argv = ["outrider", "--help"]
try:
    runpy.run_module("agent", run_name="__main__")
except SystemExit as exc:
    code = exc.code or 0
used = resource.getrusage(resource.RUSAGE_SELF)
loaded = [name for name in {HEAVY!r} if name in sys.modules]
print("\\n" + json.dumps([code, loaded, used.ru_utime + used.ru_stime]))
"""


def test_help_starts_quickly_and_imports_nothing_heavy() -> None:
    runs: list[tuple[int, list[str], float]] = []
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", PROBE], capture_output=True, text=True, check=True, cwd=ROOT
        )
        code, loaded, seconds = json.loads(done.stdout.splitlines()[-1])
        runs.append((code, loaded, seconds))
        if seconds < MOST_SECONDS:
            break

    assert {(code, tuple(loaded)) for code, loaded, _ in runs} == {(0, ())}
    assert min(seconds for _, _, seconds in runs) < MOST_SECONDS


def test_documents_name_only_commands_that_exist() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
    pages += sorted((ROOT / "examples").rglob("*.md"))
    known = _commands()
    unknown = {
        f"{page.name}: outrider {words}"
        for page in pages
        for words in re.findall(
            r"(?:`|/|^|&& )outrider ((?:[a-z]+ ?)+)", page.read_text("utf-8"), re.MULTILINE
        )
        if not _exists(words.split(), known)
    }

    assert unknown == set()


def test_the_readme_shows_every_group_of_commands() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")

    assert {name.split()[0] for name in _commands() if f"outrider {name.split()[0]}" not in readme} <= {
        "resume",
        "status",
        "stop",
    }


def _commands() -> set[str]:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    names: set[str] = set()
    for name, command in group.commands.items():
        names.add(name)
        if isinstance(command, TyperGroup):
            names |= {f"{name} {inner}" for inner in command.commands}
    return names


def _exists(words: list[str], known: set[str]) -> bool:
    if words[0] not in known:
        return False
    has_inner = any(name.startswith(f"{words[0]} ") for name in known)
    return not has_inner or len(words) == 1 or " ".join(words[:2]) in known


FIRST_SCREEN = """
import asyncio, os, sys
from datetime import UTC
from agent.desk_bootstrap import build_desk
from agent.desk_wiring import desk_parts_of, sources_of
from agent.cli.review import application
from agent.settings import load_settings
from agent.tui.app import ReviewApp

loaded = load_settings(None, env=os.environ)
parts = desk_parts_of(loaded, create=True)
running = build_desk(parts, open_sources=lambda: sources_of(loaded, parts.clock))
screen = ReviewApp(application._session(running, "ann"))

async def shown():
    async with screen.run_test() as pilot:
        await screen.workers.wait_for_complete()
        await pilot.pause()
        assert screen.screen.counts is not None
        print(*sys.modules)

asyncio.run(shown())
running.close()
"""
FOR_LATER = {
    *("agent.audit.card", "agent.bootstrap", "agent.daemon", "agent.demo", "agent.graph", "agent.log"),
    *("agent.llm.rules", "agent.nodes", "agent.review_desk.proposals.gathering", "agent.wiring"),
    *("jinja2", "langgraph", "openai", "phonenumbers", "prompts.templates", "smtplib", "structlog"),
    *("tenacity", "textual.widgets._markdown", "tools.channels", "tools.registry", "tools.sim", "tools.sql"),
}
"""What the first screen has no use for, and would otherwise wait for."""


def test_the_first_screen_of_the_reviewers_terminal_waits_for_nothing_that_it_does_not_use(
    tmp_path: Path,
) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", FIRST_SCREEN],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=environment,
    )

    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert {"agent.review_desk.desk", "textual.app"} <= loaded
    assert loaded & FOR_LATER == set()
