"""The command line starts quickly, and documents name only commands that exist."""

import json
import re
import subprocess
import sys

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


def test_the_reviewers_terminal_waits_for_nothing_that_it_does_not_use() -> None:
    probe = (
        "import sys, agent.wiring, agent.cli.review.application, agent.tui.app; "
        "print(*{'langgraph', 'openai', 'pydantic_evals', 'matplotlib'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, cwd=ROOT)

    assert done.stdout.split() == []
