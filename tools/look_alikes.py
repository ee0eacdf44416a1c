"""Letters of other scripts that pass for Latin ones, and where they stand among Latin letters."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

_ALPHABETS: Final = (
    # Cyrillic
    ("аАӕВЬсСԁеЕԌһНіІӏӀјЈКМоОҮүрРԛѕЅТѵѴѡԝԜхХуУгҽѢ", "aAaBbcCdeEGhHiIlIjJKMoOYypPqsSTvVwwWxXyYreB"),
    # Greek
    ("αΑΒϲϹΕϜΗιΙϳͿΚΜΝνοΟσρΡϱΤυΥΧγΖ", "aABcCEFHiIjJKMNvoOopPpTuYXyZ"),
    # Armenian
    ("քցհոռօՕգզՏսՍա", "fghnnoOqqSuUw"),
    # Cherokee
    ("ᎪᏴᏟᏧᎠᎬᏀᏳᏂᎻᎥᎫᏦᏞᎷᏢᎡᏚᏕᎢᏙᎳᏔᎩᏃ", "ABCdDEGGhHiJKLMPRSSTVWWYZ"),
    # Lisu
    ("ꓮꓐꓚꓒꓓꓰꓝꓖꓧꓙꓗꓡꓟꓠꓳꓑꓣꓢꓔꓴꓦꓪꓫꓬꓜ", "ABCdDEFGHJKLMNOPRSTUVWXYZ"),
)
LOOK_ALIKES: Final = {
    letter: latin for letters, latins in _ALPHABETS for letter, latin in zip(letters, latins, strict=True)
}
"""Letter → the Latin letter it is taken for. Source: confusables.txt of Unicode Technical Standard 39."""
_LETTERS: Final = frozenset(LOOK_ALIKES)
_WORD: Final = re.compile(
    r"\\u[0-9a-f]{4}|\\U[0-9a-f]{8}|[^\W\d_](?:[^\W\d_]|[\u0300-\u036f])*"  # an escape of ours ends a word
)


def strangers_in(text: str) -> frozenset[int]:
    """Return where letters stand that look Latin, are not, and share a word with letters that are.

    A whole word in one script is honest, also a Greek or Cyrillic name in an English sentence, and so are
    scripts that are written together (Han with kana, an ohm sign behind k): no letter of theirs looks Latin.
    """
    if _LETTERS.isdisjoint(text):
        return frozenset()
    return frozenset(_strangers(text))


def _strangers(text: str) -> Iterator[int]:
    for match in _WORD.finditer(text):
        word = match[0]
        if word.startswith("\\") or word.isascii() or _LETTERS.isdisjoint(word):
            continue
        if any(_is_latin(char) for char in word):
            yield from (match.start() + at for at, char in enumerate(word) if char in _LETTERS)


def _is_latin(char: str) -> bool:
    if char.isascii():
        return char.isalpha()
    return unicodedata.name(char, "").startswith(("LATIN ", "FULLWIDTH LATIN "))
