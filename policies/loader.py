"""Loads playbooks, limits and the rules of review from their files."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from policies.model import Limits, Playbook
from policies.review_rules import ReviewRules
from policies.triggers import CompiledPlaybook, compile_playbook
from tools.errors import InputError
from tools.yaml_file import fit, gathered, load_yaml, read_text
from tools.yaml_source import read_yaml

PLAYBOOK_FOLDER: Final = Path(__file__).parent / "playbooks"
"""The playbooks that come with the product."""
LIMITS_FILE: Final = Path(__file__).parent / "limits.yaml"
"""The limits that come with the product."""
REVIEW_FILE: Final = Path(__file__).parent / "review.yaml"
"""The rules of review that come with the product."""


def load_playbook(path: Path) -> CompiledPlaybook:
    """Load one playbook.

    Raises:
        InputError: The file cannot be read or is wrong; every mistake is in the message.
    """
    text = read_text(path)
    document = read_yaml(text, path=path)
    playbook = fit(document, Playbook)
    if playbook.scenario != path.stem:
        place = document.place(("scenario",))
        raise InputError(
            f"the scenario is {playbook.scenario!r} but the file is called {path.name!r}",
            path=path,
            line=place.line,
            column=place.column,
            field="scenario",
            remedy=f"call the file {playbook.scenario}.yaml",
        )
    content_hash = hashlib.sha256(path.read_bytes()).hexdigest()
    return compile_playbook(playbook, content_hash=content_hash, path=path, document=document)


def load_playbooks(folder: Path) -> dict[str, CompiledPlaybook]:
    """Load every `*.yaml` below a folder, keyed by scenario, in the order of their paths.

    Raises:
        InputError: The folder is missing, a file is wrong, or two files have the same scenario.
    """
    if not folder.is_dir():
        raise InputError(
            "there is no such folder", path=folder, remedy="check the name of the playbook folder"
        )
    playbooks: dict[str, CompiledPlaybook] = {}
    for path in sorted(folder.rglob("*.yaml")):
        compiled = load_playbook(path)
        scenario = compiled.playbook.scenario
        if scenario in playbooks:
            raise InputError(
                f"the scenario {scenario!r} is also in {playbooks[scenario].path}",
                path=path,
                field="scenario",
                remedy="keep one of the two files",
            )
        playbooks[scenario] = compiled
    return playbooks


def load_limits(path: Path) -> Limits:
    """Load the limits over all playbooks.

    Raises:
        InputError: The file cannot be read or is wrong.
    """
    return load_yaml(path, Limits)


def load_review_rules(path: Path) -> ReviewRules:
    """Load the rules of review.

    Raises:
        InputError: The file cannot be read or is wrong.
    """
    return load_yaml(path, ReviewRules)


def check_four_eyes(playbooks: Iterable[CompiledPlaybook], rules: ReviewRules, *, path: Path) -> None:
    """Refuse playbooks that ask nobody although the rules of review want two people for their purpose.

    Args:
        playbooks: Those in force.
        rules: The rules of review.
        path: The file of the rules, which the message names.

    Raises:
        InputError: A playbook and the rules contradict each other.
    """
    wrong = [
        compiled
        for compiled in playbooks
        if compiled.playbook.review == "auto" and compiled.playbook.purpose in rules.four_eyes.purposes
    ]
    if wrong:
        raise gathered([_asks_nobody(compiled, rules, path) for compiled in wrong])


def _asks_nobody(compiled: CompiledPlaybook, rules: ReviewRules, rules_path: Path) -> InputError:
    purpose = compiled.playbook.purpose
    at = rules.four_eyes.purposes.index(purpose)
    theirs = read_yaml(read_text(rules_path), path=rules_path).place(("four_eyes", "purposes", at))
    ours = read_yaml(read_text(compiled.path), path=compiled.path).place(("review",))
    return InputError(
        f"`auto` sends {purpose.value} messages unseen, and two people must approve them: "
        f"`four_eyes.purposes` in {rules_path}, line {theirs.line}",
        path=compiled.path,
        line=ours.line,
        column=ours.column,
        field="review",
        remedy=f"write `review: required`, or take {purpose.value} out of `four_eyes.purposes`",
    )
