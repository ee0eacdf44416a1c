import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.safe_text import is_hidden, safe_text

ANY_TEXT = st.text(st.characters(), max_size=40)


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        pytest.param("\x1b[2J", "\\u001b[2J", id="csi"),
        pytest.param("\x1b]52;c;AAAA\x07", "\\u001b]52;c;AAAA\\u0007", id="osc clipboard"),
        pytest.param("\x9b31m", "\\u009b31m", id="c1"),
        pytest.param("ok\rno", "ok\\u000dno", id="carriage return"),
        pytest.param("a\u202eb", "a\\u202eb", id="right to left override"),
        pytest.param("a\u2066b", "a\\u2066b", id="isolate"),
        pytest.param("a\u200bb", "a\\u200bb", id="zero width"),
        pytest.param("a\u2028b", "a\\u2028b", id="line separator"),
        pytest.param("a\u2029b", "a\\u2029b", id="paragraph separator"),
        pytest.param("a\u0378b", "a\\u0378b", id="unassigned"),
        pytest.param("\U000e0041", "\\U000e0041", id="tag block"),
        pytest.param("\ud800", "\\ud800", id="lone surrogate"),
        pytest.param("\ue000", "\\ue000", id="private use"),
    ],
)
def test_hidden_characters_become_visible(hostile: str, shown: str) -> None:
    assert safe_text(hostile) == shown


def test_newline_tab_and_letters_of_all_scripts_stay() -> None:
    text = "Olá, Jürgen!\n\tこんにちは 😀 Привет"

    assert safe_text(text) == text


@given(text=ANY_TEXT)
def test_nothing_hidden_is_left(text: str) -> None:
    result = safe_text(text)

    assert not any(is_hidden(char) for char in result)
    assert all(
        char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
        for char in result
    )


@given(text=ANY_TEXT)
def test_showing_twice_changes_nothing(text: str) -> None:
    assert safe_text(safe_text(text)) == safe_text(text)


@given(text=ANY_TEXT)
def test_a_text_without_hidden_characters_is_unchanged(text: str) -> None:
    clean = "".join(char for char in text if not is_hidden(char))

    assert safe_text(clean) == clean
