"""The texts of AgentDojo, BIPIA, Banking77 and CLINC150, from a folder that is no part of the project."""

import csv
import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, Final

VARIABLE: Final = "OUTRIDER_DATA_DIR"
ATTACKS: Final = ("agentdojo", "bipia")
OLIST: Final = "olist"
"""The suite of real orders, and the folder of its files."""
HARMLESS: Final = ("banking77", "clinc150")
_LONGEST: Final = 4_000


def texts_folder() -> Path:
    """Return the folder that holds the sets, whether it is there or not."""
    return Path(os.environ.get(VARIABLE, "data"))


def missing_sets(names: tuple[str, ...]) -> str:
    """Return why texts cannot be read here; empty when they can."""
    folder = texts_folder()
    absent = [name for name in names if not (folder / name).is_dir()]
    return f"{', '.join(absent)} not in {folder}; {VARIABLE} names the folder" if absent else ""


def attack_texts() -> list[str]:
    """Return every attack, each goal of AgentDojo in each of its templates, without repetition."""
    return list(dict.fromkeys(text[:_LONGEST] for text in _attacks(texts_folder())))


def harmless_texts(number: int, seed: int) -> list[str]:
    """Return what customers of a bank and of an assistant wrote, drawn by a seed."""
    folder = texts_folder()
    with gzip.open(folder / "banking77" / "test.csv.gz", "rt", encoding="utf-8") as lines:
        bank = [row["text"] for row in csv.DictReader(lines)]
    with gzip.open(folder / "clinc150" / "data_full.json.gz", "rt", encoding="utf-8") as file:
        assistant = [str(text) for text, _ in json.load(file)["test"]]
    random = Random(seed)  # noqa: S311  # a sample, not a secret
    half = number // 2
    return [*random.sample(sorted(set(bank)), half), *random.sample(sorted(set(assistant)), number - half)]


def _attacks(folder: Path) -> Iterator[str]:
    goals = [one["goal"] for one in _json(folder / "agentdojo" / "injection_goals.json")]
    templates = [
        text
        for one in _json(folder / "agentdojo" / "attack_templates.json")
        for text in one["strings"]
        if "{goal}" in text
    ]
    for goal in goals:
        yield goal
        yield from (template.replace("{goal}", goal) for template in templates)
    for name in ("text_attack_test.json", "text_attack_train.json", "code_attack_test.json"):
        yield from (text for texts in _json(folder / "bipia" / name).values() for text in texts)


def _json(path: Path) -> Any:  # noqa: ANN401  # somebody else's file
    return json.loads(path.read_text("utf-8"))
