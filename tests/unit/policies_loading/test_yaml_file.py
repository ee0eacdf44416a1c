"""Strict YAML: what is read, and where each mistake is said to be."""

import json
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from tools.errors import InputError
from tools.records.base import Strict
from tools.yaml_file import load_yaml, parse_yaml
from tools.yaml_source import read_yaml

PATH = Path("a.yaml")


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


class Part(Strict):
    name: str
    colour: Colour = Colour.RED


class Machine(Strict):
    title: str
    count: int = 0
    on: bool = False
    made_on: date | None = None
    mode: Literal["slow", "fast"] = "slow"
    parts: tuple[Part, ...] = ()
    stock: dict[str, int] = Field(default_factory=dict)


def mistake(text: str) -> InputError:
    with pytest.raises(InputError) as caught:
        parse_yaml(text, Machine, path=PATH)
    return caught.value


def test_lists_codes_and_dates_fit_a_strict_model() -> None:
    text = """
title: Press
count: 3
on: true
made_on: 2026-11-02
mode: fast
parts:
  - {name: arm, colour: green}
  - name: foot
stock: {arm: 2}
"""

    machine = parse_yaml(text, Machine, path=PATH)

    assert machine == Machine(
        title="Press",
        count=3,
        on=True,
        made_on=date(2026, 11, 2),
        mode="fast",
        parts=(Part(name="arm", colour=Colour.GREEN), Part(name="foot")),
        stock={"arm": 2},
    )


@pytest.mark.parametrize(
    "word", ["yes", "no", "on", "off", "NO", "2026-11-02", "010", "1e3", "0x1F", "'22:30'"]
)
def test_words_that_old_yaml_would_change_stay_text(word: str) -> None:
    machine = parse_yaml(f"title: {word}", Machine, path=PATH)

    assert machine.title == word.strip("'")


MISTAKES = {
    "broken": ("title: [a", "1:10", None, "broken YAML", "quotes"),
    "tab": ("title: a\n\tcount: 1", "2:1", None, "a tab", "use spaces"),
    "indentation": ("title: a\ncount: 1\n  on: true", "3:5", None, "broken YAML", "indentation"),
    "character": ("title: a\x00", "1:9", None, "'\\x00' is not allowed", "remove it"),
    "empty": ("", "1:1", None, "empty", "fill it"),
    "documents": ("title: a\n---\ntitle: b", "2:1", None, "several documents", "keep one"),
    "duplicate": ("title: a\ntitle: b", "2:1", "title", "twice, first in line 1", "keep one"),
    "duplicate below": (
        "title: a\nstock:\n  x: 1\n  x: 2",
        "4:3",
        "stock.x",
        "twice, first in line 3",
        "keep one",
    ),
    "anchor": ("title: &t a", "1:8", "title", "anchors", "write the value out"),
    "alias": ("title: *t", "1:8", "title", "anchors", "write the value out"),
    "merge": ("title: a\n<<: {count: 1}", "2:1", None, "merge keys", "write the values out"),
    "tag": ("title: !!str a", "1:8", "title", "tag", "remove it"),
    "number as key": ("title: a\n1: b", "2:1", None, "the key 1 is no text", "'1' in quotes"),
    "list as key": ("title: a\n? [b]\n: c", "2:3", None, "must be a text", "name: value"),
    "time without quotes": ("title: 22:30", "1:8", "title", "base 60", "'22:30' in quotes"),
    "missing": ("count: 1", "1:1", "title", "missing", "title: …"),
    "misspelt": ("title: a\ncuont: 1", "2:1", "cuont", "unknown field", "`count`"),
    "unknown": ("title: a\nxyz: 1", "2:1", "xyz", "unknown field", "known here: count,"),
    "number for text": ("title: 5", "1:8", "title", "string, not 5", "in quotes"),
    "text for number": ("title: a\ncount: many", "2:8", "count", "integer, not 'many'", "whole number"),
    "fraction for number": ("title: a\ncount: 1.5", "2:8", "count", "integer", "whole number"),
    "yes for true": ("title: a\non: yes", "2:5", "on", "boolean, not 'yes'", "true or false"),
    "choice": ("title: a\nmode: fats", "2:7", "mode", "'fats' is not allowed", "`fast`"),
    "date": ("title: a\nmade_on: 2026-02-30", "2:10", "made_on", "date", "2026-11-30"),
    "code in list": (
        "title: a\nparts:\n  - {name: b, colour: bleu}",
        "3:23",
        "parts[0].colour",
        "'bleu'",
        "red, green",
    ),
    "field in list": (
        "title: a\nparts:\n  - name: b\n    color: red",
        "4:5",
        "parts[0].color",
        "unknown",
        "`colour`",
    ),
    "text for list": ("title: a\nparts: b", "2:8", "parts", "array", "write a list"),
    "list for mapping": ("- a", "1:1", None, "object", "name: value"),
    "value of a map": ("title: a\nstock: {b: c}", "2:12", "stock.b", "integer", "whole number"),
    "bottomless": ("a: " + "[" * 60, "1:44", None, "too deeply", "flatten"),
}


@pytest.mark.parametrize(("text", "place", "field", "problem", "remedy"), MISTAKES.values(), ids=MISTAKES)
def test_each_mistake_names_its_place_and_remedy(
    text: str, place: str, field: str | None, problem: str, remedy: str
) -> None:
    error = mistake(text)

    assert str(error).startswith(f"a.yaml:{place}: ")
    assert f"{error.path}:{error.line}:{error.column}" == f"a.yaml:{place}"
    assert field is None or error.field == field
    assert problem in error.problem
    assert remedy in (error.remedy or "")


def test_all_mistakes_of_a_file_are_reported_in_its_order() -> None:
    error = mistake("count: x\ntitle: 1\nmode: fast\nfoo: 1")

    assert [(one.line, one.field) for one in (error, *error.also)] == [(1, "count"), (2, "title"), (4, "foo")]
    assert str(error).count("remedy:") == 3


def test_a_misspelt_field_is_not_also_called_missing() -> None:
    error = mistake("titel: a")

    assert (error.field, error.also) == ("titel", ())


def test_a_missing_file_is_a_mistake_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        load_yaml(tmp_path / "none.yaml", Machine)


def test_a_folder_instead_of_a_file_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_yaml(tmp_path, Machine)


def test_bytes_that_are_not_utf8_are_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"title: \xff")

    with pytest.raises(InputError, match="not UTF-8"):
        load_yaml(path, Machine)


@pytest.mark.parametrize(
    ("text", "word", "line", "column"),
    [
        pytest.param("title: one two\n", "two", 1, 12, id="plain"),
        pytest.param("title: 'it''s two'\n", "two", 1, 15, id="quoted"),
        pytest.param("title: >-\n  one\n  and two\n", "two", 3, 7, id="folded"),
        pytest.param("title: |\n  one\n  and two\n", "two", 3, 7, id="literal"),
        pytest.param("title: >-\n  one\n\n  two\n", "two", 4, 3, id="folded with a gap"),
    ],
)
def test_a_character_inside_a_text_is_found_in_the_file(text: str, word: str, line: int, column: int) -> None:
    document = read_yaml(text, path=PATH)
    assert isinstance(document.data, dict)

    place = document.place_inside(("title",), str(document.data["title"]).index(word))

    assert (place.line, place.column) == (line, column)


# JSON writes characters beyond the first plane as two halves, which YAML does not join
words = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)


@given(values)
def test_json_is_read_as_what_it_says(value: object) -> None:
    """JSON is YAML, so whatever is written as JSON comes back unchanged."""
    assert read_yaml(json.dumps([value]), path=PATH).data == [value]


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    error = None
    try:
        read_yaml(text, path=PATH)
    except InputError as caught:
        error = caught

    assert error is None or (error.line and error.column and error.remedy)
