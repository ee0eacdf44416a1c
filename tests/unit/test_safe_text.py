import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.look_alikes import LOOK_ALIKES
from tools.safe_text import hides_something, is_hidden, safe_line, safe_text

ANY_TEXT = st.text(
    st.one_of(st.characters(), st.sampled_from("".join(LOOK_ALIKES)), st.sampled_from("aeop\\u0430\u0301 ")),
    max_size=40,
)


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
def test_a_text_without_hidden_characters_look_alikes_and_marks_is_unchanged(text: str) -> None:
    clean = "".join(
        char
        for char in text
        if not is_hidden(char) and char not in LOOK_ALIKES and unicodedata.category(char) not in {"Mn", "Me"}
    )

    assert safe_text(clean) == clean


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        pytest.param("p\u0430ypal", "p\\u0430ypal", id="cyrillic a"),
        pytest.param("Pay\u03a1al", "Pay\\u03a1al", id="greek rho"),
        pytest.param("M\u043eскв\u0430", "M\\u043e\\u0441кв\\u0430", id="latin m in a cyrillic word"),
        pytest.param("\u13aabank", "\\u13aabank", id="cherokee"),
        pytest.param("bаn\u0301k", "b\\u0430n\u0301k", id="a mark does not end a word"),
    ],
)
def test_letters_that_only_look_latin_become_visible_among_latin_ones(hostile: str, shown: str) -> None:
    assert safe_text(hostile) == shown


@pytest.mark.parametrize(
    "name",
    [
        *("Сара Оро", "Москва", "Πέτρος Ντόρας", "Αθήνα", "Hello Сара, your order", "iPhone-ом"),
        *(
            "山田 太郎",
            "Tシャツ",
            "김민준",
            "10kΩ",
            "Δt",
            "5 μm",
            "ÅngstrÖm",
            "Nguyễn",
            "हिन्दी",
            "עִבְרִית",
            "שלום",
        ),
    ],
)
def test_honest_names_of_every_script_stay(name: str) -> None:
    assert safe_text(name) == name
    assert not hides_something(name)


@pytest.mark.parametrize("letter", sorted(LOOK_ALIKES))
def test_every_look_alike_is_seen_among_latin_letters(letter: str) -> None:
    assert safe_text(f"x{letter}x") == f"x\\u{ord(letter):04x}x"
    assert safe_text(letter) == letter


def test_marks_beyond_the_fourth_on_one_letter_become_visible() -> None:
    assert safe_text("a" + 4 * "\u0301") == "a" + 4 * "\u0301"
    assert safe_text("a" + 6 * "\u0301") == "a" + 4 * "\u0301" + 2 * "\\u0301"


def test_a_line_break_in_a_name_does_not_look_like_a_line_of_ours() -> None:
    assert safe_line("Ada\n\tApproved by\u2028 lead\r") == "Ada Approved by lead"
