"""Text by strangers made safe to show: what a terminal or an eye could be fooled by becomes visible."""

import unicodedata
from collections.abc import Iterator
from typing import Final

from tools.look_alikes import strangers_in

_SHOWN: Final = frozenset("\n\t")
_HIDDEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MARKS: Final = frozenset({"Mn", "Me"})
_MOST_MARKS: Final = 4
"""Marks that may stand on one letter; more run over the lines above and below. Source: Unicode TS 39, 5.4."""
_BASIC_PLANE_END: Final = 0xFFFF


def is_hidden(char: str) -> bool:
    r"""Whether one character is a control, bidi, private, unassigned or line-separating one.

    Newline and tab are not. Source: the categories Cc, Cf, Cs, Co, Cn, Zl, Zp of the Unicode database.
    """
    return char not in _SHOWN and unicodedata.category(char) in _HIDDEN_CATEGORIES


def safe_text(text: str) -> str:
    r"""Return the text with everything that could fool a terminal or an eye as its visible `\uXXXX`.

    That is: hidden characters, letters that only look Latin inside a word with Latin ones, and the fifth and
    further marks on one letter. Newline and tab stay. Emoji joined by U+200D come apart: no invisible
    character is let through.
    """
    if text.isascii() and text.isprintable():
        return text
    escaped = strangers_in(text).union(_surplus_marks(text))
    if not escaped and text.isprintable():
        return text
    return "".join(
        _escape(char) if at in escaped or is_hidden(char) else char for at, char in enumerate(text)
    )


def safe_line(text: str) -> str:
    """Return `safe_text` on one line: a line break in a name must not look like a line of ours."""
    return safe_text(" ".join(text.split()))


def hides_something(text: str) -> bool:
    """Whether `safe_text` would show this text otherwise than it is."""
    return safe_text(text) != text


def _surplus_marks(text: str) -> Iterator[int]:
    if text.isascii():
        return
    run = 0
    for at, char in enumerate(text):
        run = run + 1 if unicodedata.category(char) in _MARKS else 0
        if run > _MOST_MARKS:
            yield at


def _escape(char: str) -> str:
    point = ord(char)
    return f"\\u{point:04x}" if point <= _BASIC_PLANE_END else f"\\U{point:08x}"
