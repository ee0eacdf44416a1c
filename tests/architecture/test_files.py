"""Files are small, named after what they own, and tell nothing about the machine they were written on."""

import ast
import re
import sys

from tests.architecture.tree import files, modules, name_of

MOST_LINES = 400
EMPTY_NAMES = {
    *("utils", "util", "helpers", "helper", "common", "manager", "managers", "handler", "handlers"),
    *("data", "info", "misc", "stuff", "lib", "shared", "core", "service", "services"),
}
PLACES = re.compile(r"(?<![\w.~-])/(?:work|opt|root|home)/\w")
REGISTRIES = re.compile(r"pypi\.org|pythonhosted\.org|npmjs\.org|proxy\.golang\.org")
TEXTS = (".py", ".md", ".toml", ".yaml", ".yml", ".txt", ".j2", ".sh", ".json", "")


def test_no_file_is_longer_than_one_can_read() -> None:
    long = {name_of(path): len(path.read_text("utf-8").splitlines()) for path in modules()}

    assert {name: lines for name, lines in long.items() if lines > MOST_LINES} == {}


def test_modules_are_named_after_what_they_own() -> None:
    assert [name_of(path) for path in modules() if path.stem in EMPTY_NAMES] == []


def test_no_package_is_named_like_the_standard_library() -> None:
    tops = {path.relative_to(path.parents[-2]).parts[0] for path in modules()}

    assert tops & sys.stdlib_module_names == set()


def test_packages_hold_a_docstring_and_nothing_else() -> None:
    full = [
        name_of(path)
        for path in modules()
        if path.name == "__init__.py" and not _is_docstring_only(path.read_text("utf-8"))
    ]

    assert full == []


def test_every_module_says_what_it_owns() -> None:
    silent = [
        name_of(path)
        for path in modules()
        if not name_of(path).startswith("tests/")
        and ast.get_docstring(ast.parse(path.read_text("utf-8"))) is None
    ]

    assert silent == []


def test_the_tree_names_no_machine_and_no_package_index() -> None:
    found = [
        f"{name_of(path)}:{number}: {line.strip()[:80]}"
        for path in files(*TEXTS)
        for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), start=1)
        if PLACES.search(line) or REGISTRIES.search(line)
    ]

    assert found == []


def _is_docstring_only(text: str) -> bool:
    body = ast.parse(text).body
    return all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in body)
