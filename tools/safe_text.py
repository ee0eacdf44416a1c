"""Text by strangers made safe to show: what a terminal or an eye could be fooled by becomes visible."""

import unicodedata
from typing import Final

_SHOWN: Final = frozenset("\n\t")
_HIDDEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_BASIC_PLANE_END: Final = 0xFFFF


def is_hidden(char: str) -> bool:
    r"""Whether one character is a control, bidi, private, unassigned or line-separating one.

    Newline and tab are not. Source: the categories Cc, Cf, Cs, Co, Cn, Zl, Zp of the Unicode database.
    """
    return char not in _SHOWN and unicodedata.category(char) in _HIDDEN_CATEGORIES


def safe_text(text: str) -> str:
    r"""Return the text with every hidden character replaced by its visible `\uXXXX`.

    Newline and tab stay. Emoji joined by U+200D come apart: no invisible character is let through.
    """
    if text.isprintable():
        return text
    return "".join(_escape(char) if is_hidden(char) else char for char in text)


def _escape(char: str) -> str:
    point = ord(char)
    return f"\\u{point:04x}" if point <= _BASIC_PLANE_END else f"\\U{point:08x}"
