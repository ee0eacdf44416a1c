"""Which characters a message may be written with, and what looks like a link."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_DIGITS: Final = frozenset({"Nd", "Nl", "No"})
_MARKUP: Final = frozenset("<>[]*_`#|\\=~^")
_PUNCTUATION: Final = frozenset(
    " \n.,;:!?'\"()-/&{}¡¿«»·•…\u2039\u203a\u2018\u2019\u201a\u201c\u201d\u201e\u2013\u2014"
)
_DOT = "[.\u3002\uff0e\uff61]"
LINK_LIKE: Final = re.compile(
    rf"(?:[a-z][a-z0-9+-]*://|\b(?:https?|ftp|mailto|tel|sms|javascript|data)\s?:\S|\bwww\b|@|\w{_DOT}\w"
    r"|\b(?:dot|punkt|ponto|punto|point)\s(?:com|net|org|io|de|br)\b|&\w+;)",
    re.IGNORECASE,
)
"""Links, addresses and domains, also spelled out; in prose a full stop has no letter right behind it."""


def hidden_in(text: str) -> tuple[str, ...]:
    """Return the code points that cannot be seen (control, bidi, private, unassigned), each once.

    A newline is no hidden character; a tab and a carriage return are.
    """
    if text.isprintable():
        return ()
    return _shown(char for char in set(text) if char != "\n" and unicodedata.category(char) in _HIDDEN)


def digits_in(text: str) -> tuple[str, ...]:
    """Return the digits and number signs of any script, each once."""
    return tuple(sorted({char for char in set(text) if unicodedata.category(char) in _DIGITS}))


def currency_signs_in(text: str) -> tuple[str, ...]:
    """Return the currency signs, each once."""
    return tuple(sorted({char for char in set(text) if unicodedata.category(char) == "Sc"}))


def markup_in(text: str) -> tuple[str, ...]:
    """Return the characters that HTML and Markdown are made of, each once."""
    return tuple(sorted(_MARKUP.intersection(text)))


def strange_in(text: str) -> tuple[str, ...]:
    """Return what is neither a Latin letter nor punctuation of prose, each once, as `U+XXXX`.

    Other guards speak of digits, currency signs and markup; letters of other scripts can pass for Latin ones.
    """
    return _shown(char for char in set(text) if not _ordinary(char))


@lru_cache(maxsize=2048)
def _ordinary(char: str) -> bool:
    category = unicodedata.category(char)
    if category in _DIGITS or category == "Sc" or char in _MARKUP or char in "@%" or char in _PUNCTUATION:
        return True
    return category[0] == "L" and unicodedata.name(char, "").startswith("LATIN ")


def _shown(chars: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({f"U+{ord(char):04X}" for char in chars}))
