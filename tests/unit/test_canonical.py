"""Canonical JSON is that of RFC 8785 for every value we allow, and refuses the others."""

import json
from enum import IntEnum, StrEnum
from typing import NamedTuple

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from agent.canonical import ObjectForm, canonical, plain_text

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
KEYS = st.text(st.characters(max_codepoint=127))
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(KEYS, inner),
    max_leaves=12,
)
PARTS = NUMBERS | TEXTS | st.lists(TEXTS, max_size=2)
NAMES = st.text("aAbBzZ_", min_size=1, max_size=3)


class _Word(StrEnum):
    YES = "yes"


class _Number(IntEnum):
    ONE = 1


class _Pair(NamedTuple):
    first: str
    second: int


@given(VALUES)
def test_is_the_form_that_others_write(value: object) -> None:
    assert canonical(value).encode() == rfc8785.dumps(value)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@given(VALUES)
def test_does_not_depend_on_the_order_of_keys(value: object) -> None:
    assert canonical(json.loads(canonical(value))) == canonical(value)


@given(st.dictionaries(NAMES, PARTS, max_size=5))
def test_an_object_may_be_put_together_from_parts(value: dict[str, object]) -> None:
    texts = {key: canonical(item) for key, item in value.items()}

    assert ObjectForm(*value).text(texts | {"4 another": "1"}) == canonical(value)


@given(st.dictionaries(NAMES, PARTS | st.just("%s %% %(a)s"), max_size=5), st.sets(NAMES), st.sets(NAMES))
def test_a_form_may_be_filled_step_by_step(
    value: dict[str, object], first: set[str], second: set[str]
) -> None:
    texts = {key: canonical(item) for key, item in value.items()}
    form = ObjectForm(*value)
    for known in (first, second):
        form = form.filled({key: text for key, text in texts.items() if key in known} | {"4 another": "1"})

    rest = {key: text for key, text in texts.items() if key not in first | second}

    assert form.text(rest) == canonical(value)


def test_a_filled_form_needs_the_rest() -> None:
    with pytest.raises(KeyError, match="b"):
        ObjectForm("a", "b").filled({"a": "1"}).text({"a": "1"})


@given(st.none() | NUMBERS | TEXTS)
def test_plain_values_have_the_same_text(value: str | int | None) -> None:
    assert plain_text(value) == canonical(value)


@pytest.mark.parametrize("value", [1.5, True, 2**53, -(2**53)])
def test_plain_values_are_refused_alike(value: int) -> None:
    try:
        expected = canonical(value)
    except (TypeError, ValueError) as exc:
        with pytest.raises(type(exc)):
            plain_text(value)
    else:
        assert plain_text(value) == expected


def test_a_form_needs_all_its_values() -> None:
    with pytest.raises(KeyError, match="b"):
        ObjectForm("a", "b").text({"a": "1"})


@pytest.mark.parametrize("key", ["ä", "a b", '"', "%s"])
def test_a_form_takes_plain_keys_only(key: str) -> None:
    with pytest.raises(ValueError, match="ASCII"):
        ObjectForm(key)


WRITTEN: list[tuple[object, str]] = [
    ('\x00\x1f\x7f\u2028\n"\\/', '"\\u0000\\u001f\x7f\u2028\\n\\"\\\\/"'),
    ({"b": _Word.YES, "a": _Number.ONE}, '{"a":1,"b":"yes"}'),
    ([_Pair("x", 2), (), {}], '[["x",2],[],{}]'),
]


@pytest.mark.parametrize(("value", "text"), WRITTEN, ids=["escapes", "enums", "sequences"])
def test_writes_every_value_in_one_way(value: object, text: str) -> None:
    assert canonical(value) == text


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (1.5, TypeError),
        ({"a": [{"b": 0.0}]}, TypeError),
        ({"ä": 1}, TypeError),
        ({1: 1}, TypeError),
        ({"a": 1, 2: 1}, TypeError),
        ([b"bytes"], TypeError),
        ([{1, 2}], TypeError),
        ([2**53], ValueError),
        (["\ud800"], ValueError),
    ],
    ids=["float", "nested", "key", "number-key", "mixed-keys", "bytes", "set", "integer", "surrogate"],
)
def test_refuses_what_has_no_exact_form(value: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        canonical(value)
