"""The words of the domain are the words of the glossary."""

import ast
import re

from tests.architecture.tree import ROOT, modules, name_of

GRAMMAR = {"kind", "state", "status", "type", "class", "use", "known", "filled", "event", "strict", "word"}
"""Words that only say what sort of thing a class is."""


def glossary_words() -> set[str]:
    rows = re.findall(r"^\| ([^|]+?) \|", (ROOT / "docs" / "glossary.md").read_text("utf-8"), re.MULTILINE)
    return {word for row in rows for word in re.findall(r"[a-z]+", row.lower())}


def domain_classes() -> dict[str, str]:
    """Return class → file for the domain, the records, and every closed set."""
    return {
        node.name: name_of(path)
        for path in modules()
        if not name_of(path).startswith(("tests/", "evals/"))
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
        if name_of(path).startswith(("agent/domain/", "tools/records/")) or _is_closed_set(node)
    }


def test_every_word_of_the_domain_is_explained() -> None:
    known = glossary_words() | GRAMMAR
    unknown = {
        f"{word} (in {name}, {file})"
        for name, file in domain_classes().items()
        for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z]+", name)
        if word.lower() not in known
    }

    assert unknown == set()


def test_the_classes_are_found() -> None:
    assert {"Case", "Decision", "Shipment", "WorkStatus", "Flaw"} <= set(domain_classes())


def test_no_word_is_explained_twice() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    entries = [
        entry.strip()
        for row in re.findall(r"^\| ([^|]+?) \|", text, re.MULTILINE)
        for entry in row.split(",")
        if entry.strip() != "word"
    ]

    assert sorted(entries) == sorted(set(entries))


def _is_closed_set(node: ast.ClassDef) -> bool:
    return any(isinstance(base, ast.Name) and base.id == "StrEnum" for base in node.bases)
