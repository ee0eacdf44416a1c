"""Changing values in the text of a playbook, so that its comments, order and quotes stay."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from tools.yaml_source import Loc, YamlDocument, read_yaml

_SCALAR: Final = re.compile(r"""'(?:[^']|'')*'|"(?:[^"\\]|\\.)*"|[^\s#\[\],|>][^#\n]*?(?=\s*(?:#|\n|$))""")
_BEFORE: Final = "composition"
"""A list that a playbook lacks is put in front of this key, which every playbook has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetValue:
    """Another value at a place."""

    loc: Loc
    text: str
    """As it stands in the file, in the quotes it needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddItem:
    """One more item at the end of a list of texts."""

    loc: Loc
    text: str


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int
    text: str


def with_changes(source: str, changes: Sequence[SetValue | AddItem], *, path: Path, because: str) -> str:
    """Return the text with some values changed and the version counted up.

    Args:
        source: The whole file.
        changes: What changes; at least one.
        path: Named in messages only.
        because: A comment of one line, put above the first change.

    Raises:
        InputError: The file is no YAML.
        ValueError: A value is not there, or spans several lines.
    """
    document = read_yaml(source, path=path)
    spans = [
        _set(document, change) if isinstance(change, SetValue) else _add(document, change)
        for change in changes
    ]
    first = source.rfind("\n", 0, min(span.start for span in spans)) + 1
    indent = source[first:][: len(source[first:]) - len(source[first:].lstrip(" "))]
    spans.append(_Span(first, first, f"{indent}# {because}\n"))
    version = cast("dict[str, int]", document.data)["version"]
    spans.append(_set(document, SetValue(loc=("version",), text=str(version + 1))))
    # from the end, so that the places in front stay true; a comment goes above an insertion at the same place
    for span in sorted(spans, key=lambda one: (one.start, one.end), reverse=True):
        source = source[: span.start] + span.text + source[span.end :]
    return source


def _set(document: YamlDocument, change: SetValue) -> _Span:
    start, end = _scalar(document, change.loc)
    return _Span(start, end, change.text)


def _add(document: YamlDocument, change: AddItem) -> _Span:
    """Add to a list in brackets, to one with dashes, or write the list anew."""
    if not document.holds(change.loc):
        start = document.key_place((_BEFORE,)).index
        return _Span(start, start, f"{change.loc[-1]}: [{change.text}]\n")
    items = 0
    while document.holds((*change.loc, items)):
        items += 1
    start = document.place(change.loc).index
    if document.text.startswith("[", start):
        end = document.text.index("]", start)
        return _Span(end, end, f", {change.text}" if items else change.text)
    last, end = _scalar(document, (*change.loc, items - 1))
    line = document.text.rfind("\n", 0, last) + 1
    return _Span(end, end, f"\n{document.text[line:last]}{change.text}")


def _scalar(document: YamlDocument, loc: Loc) -> tuple[int, int]:
    """Return where a value on one line begins and ends.

    Raises:
        ValueError: There is none at this place.
    """
    if not document.holds(loc):
        raise ValueError(f"there is no value at {loc}")
    start = document.place(loc).index
    match = _SCALAR.match(document.text, start)
    if match is None or "\n" in match[0]:
        raise ValueError(f"the value at {loc} is not on one line")
    return start, match.end()
