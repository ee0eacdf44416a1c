"""Strict reading of YAML text: one plain reading per file, and the place of every value in it.

Only what all YAML readers agree on is let through. Anchors, aliases, merge keys, tags, duplicate keys and
keys that are no text are refused; `yes`, `no`, `on`, `off` and dates stay text; `22:30` without quotes is
refused, because YAML 1.1 takes it for the number 1350.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, cast

import yaml

from tools.errors import InputError

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
Loc = tuple[str | int, ...]
"""Keys and list positions from the top of the file to a value."""

_MAX_DEPTH = 40
_SEXAGESIMAL = re.compile(r"[-+]?\d[\d_]*(:[0-5]?\d)+(\.\d*)?")
_INT = re.compile(r"-?(0|[1-9]\d{0,30})")
_FLOAT = re.compile(r"-?(0|[1-9]\d{0,30})\.\d{1,30}")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(frozen=True, slots=True)
class Place:
    """A line and column of a file, both counted from 1, and the index of the character, from 0."""

    line: int
    column: int
    index: int


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where a value stands: its key, and the span of its own text."""

    key: Place
    start: Place
    end: Place
    style: str | None
    """How a text is written: None for plain, or one of `'`, `"`, `|`, `>`."""


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """A file's data and the places of its values."""

    path: Path
    text: str
    data: Json
    _spots: dict[Loc, _Spot]

    def holds(self, loc: Loc) -> bool:
        """Whether there is a value at `loc`."""
        return loc in self._spots

    def is_mapping(self, loc: Loc) -> bool:
        """Whether the value at `loc` is a mapping of names to values."""
        return loc in self._spots and isinstance(self._value_at(loc), dict)

    def place(self, loc: Loc) -> Place:
        """Return where the value at `loc` begins.

        Parts of `loc` that name nothing in the file are skipped, so that the nearest value around is found.
        """
        return self._spots[self._known(loc)].start

    def key_place(self, loc: Loc) -> Place:
        """Return where the key of the value at `loc` begins."""
        return self._spots[self._known(loc)].key

    def place_inside(self, loc: Loc, offset: int) -> Place:
        """Return where character `offset` of the text at `loc` stands, also in folded and quoted texts.

        Folding and quoting change white space only, so characters are matched by counting the others.
        """
        spot = self._spots[self._known(loc)]
        source = self.text[: spot.end.index]
        wanted = len("".join(str(self._value_at(loc))[:offset].split()))
        index = spot.start.index
        if spot.style in {"|", ">"}:
            index = source.find("\n", index) + 1
        elif spot.style:
            index += 1
        while index < len(source) and (wanted or source[index].isspace()):
            wanted -= not source[index].isspace()
            doubled = spot.style == "'" and source.startswith("''", index)
            index += 2 if doubled else 1
        return Place(source.count("\n", 0, index) + 1, index - source.rfind("\n", 0, index), index)

    def _value_at(self, loc: Loc) -> Json:
        value = self.data
        for part in self._known(loc):
            value = cast("dict[str | int, Json]", value)[part]
        return value

    def _known(self, loc: Loc) -> Loc:
        known: Loc = ()
        for part in loc:
            if (*known, part) in self._spots:
                known = (*known, part)
        return known


def read_yaml(text: str, *, path: Path) -> YamlDocument:
    """Read YAML text into plain data.

    Args:
        text: The whole file.
        path: Named in messages only.

    Raises:
        InputError: The text is no YAML, is empty, or uses something that is refused here.
    """
    try:
        reading = _Reading(text, path)
        data = reading.document()
    except yaml.MarkedYAMLError as exc:
        raise _broken(exc, text, path) from exc
    except yaml.reader.ReaderError as exc:
        raise _unreadable(exc, text, path) from exc
    return YamlDocument(path, text, data, reading.spots)


class _Reading:
    """Turns the events of the parser into plain data and remembers where each value stands."""

    def __init__(self, text: str, path: Path) -> None:
        self.path = path
        self.spots: dict[Loc, _Spot] = {}
        self._events = yaml.parse(text, Loader=yaml.SafeLoader)

    def document(self) -> Json:
        next(self._events)  # start of the stream
        start = next(self._events)
        if not isinstance(start, yaml.DocumentStartEvent):
            raise self._refused("the file is empty", _place(start), remedy="fill it, or remove it")
        data = self._value(next(self._events), (), None)
        next(self._events)  # end of the document
        after = next(self._events)
        if isinstance(after, yaml.DocumentStartEvent):
            raise self._refused(
                "the file holds several documents", _place(after), remedy="keep one, without a line `---`"
            )
        return data

    def _value(self, event: yaml.Event, loc: Loc, key: Place | None) -> Json:
        self._check(event, loc)
        start = _place(event)
        self.spots[loc] = _Spot(key or start, start, start, None)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(loc)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(loc)
        scalar = cast("yaml.ScalarEvent", event)
        self.spots[loc] = _Spot(key or start, start, _place(event, end=True), scalar.style)
        return self._scalar(scalar, loc)

    def _check(self, event: yaml.Event, loc: Loc) -> None:
        problem = remedy = ""
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            problem, remedy = "anchors and aliases are not allowed", "write the value out"
        elif tag := cast("str | None", getattr(event, "tag", None)):
            problem, remedy = f"the tag `{tag}` is not allowed", "remove it; the field decides the type"
        elif len(loc) > _MAX_DEPTH:
            problem, remedy = "nested too deeply", "flatten the file"
        if problem:
            raise self._refused(problem, _place(event), field=dotted(loc), remedy=remedy)

    def _sequence(self, loc: Loc) -> Json:
        items: list[Json] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._value(event, (*loc, len(items)), None))
        return items

    def _mapping(self, loc: Loc) -> Json:
        mapping: dict[str, Json] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            place = _place(event)
            key = self._key(event, loc)
            if key in mapping:
                first = self.spots[*loc, key].key.line
                raise self._refused(
                    f"the key is written twice, first in line {first}",
                    place,
                    field=dotted((*loc, key)),
                    remedy="keep one of the two",
                )
            mapping[key] = self._value(next(self._events), (*loc, key), place)
        return mapping

    def _key(self, event: yaml.Event, loc: Loc) -> str:
        self._check(event, loc)
        place = _place(event)
        if not isinstance(event, yaml.ScalarEvent):
            raise self._refused("a key must be a text", place, remedy="write `name: value`")
        text = event.value
        if event.style is None and text == "<<":
            raise self._refused("merge keys are not allowed", place, remedy="write the values out")
        if not isinstance(self._scalar(event, loc), str):
            raise self._refused(f"the key {text} is no text", place, remedy=f"write '{text}' in quotes")
        return text

    def _scalar(self, event: yaml.ScalarEvent, loc: Loc) -> str | int | float | bool | None:
        text = event.value
        if event.style is not None:
            return text
        if _SEXAGESIMAL.fullmatch(text):
            raise self._refused(
                f"{text} without quotes is a number of base 60 to YAML, not a time",
                _place(event),
                field=dotted(loc),
                remedy=f"write '{text}' in quotes",
            )
        if text in _WORDS:
            return _WORDS[text]
        if _INT.fullmatch(text):
            return int(text)
        return float(text) if _FLOAT.fullmatch(text) else text

    def _refused(self, problem: str, place: Place, *, remedy: str, field: str | None = None) -> InputError:
        return InputError(
            problem, path=self.path, line=place.line, column=place.column, field=field, remedy=remedy
        )


def dotted(loc: Loc) -> str:
    """Write a place in the data as a person names it: `channels[1].kind`."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _place(event: yaml.Event, *, end: bool = False) -> Place:
    mark = cast("yaml.Mark", event.end_mark if end else event.start_mark)
    return Place(mark.line + 1, mark.column + 1, mark.index)


def _broken(exc: yaml.MarkedYAMLError, text: str, path: Path) -> InputError:
    mark = exc.problem_mark or exc.context_mark
    problem = exc.problem or "cannot be read"
    remedy = "check the indentation, the colons and the quotes here and in the line above"
    if r"'\t'" in problem:
        problem, remedy = "a tab cannot indent or separate", "use spaces"
    return InputError(
        f"broken YAML: {problem}",
        path=path,
        line=mark.line + 1 if mark else text.count("\n") + 1,
        column=mark.column + 1 if mark else 1,
        remedy=remedy,
    )


def _unreadable(exc: yaml.reader.ReaderError, text: str, path: Path) -> InputError:
    index = cast("int", exc.position)
    return InputError(
        f"broken YAML: the character {text[index : index + 1]!r} is not allowed",
        path=path,
        line=text.count("\n", 0, index) + 1,
        column=index - text.rfind("\n", 0, index),
        remedy="remove it",
    )
