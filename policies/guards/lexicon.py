"""The words that only code may write, and the common words of each language, read from data files."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from tools.records.base import Strict
from tools.yaml_file import load_yaml

WORD_FOLDER: Final = Path(__file__).parent / "words"
_OPENINGS: Final = 2
"""Lines that may greet: the subject, and the first of the body."""
_MOST_NAMES: Final = 4
_MARK: Final = re.compile(r"[,.!?:;()\n\r]")
_WORD = re.compile(r"[^\W\d_]+")
_HYPHENS = frozenset("-\u2010\u2011\u00ad")
_HYPHENATED = re.compile(r"[^\W\d_]+(?:[-\u2010\u2011\u00ad][^\W\d_]+)+")


class WordKind(StrEnum):
    """Why a word may stand only in a value that code fills in, or not at all."""

    NUMBER = "number_word"
    CALENDAR = "calendar"
    UNIT = "unit"
    CURRENCY = "currency"
    PERCENT = "percent"
    COMMITMENT = "commitment"
    PROMOTION = "promotion"


class WordFile(Strict):
    """One file of `policies/guards/words/`; the form of the entries is explained in `en.yaml`."""

    language: str
    numbers: str
    calendar: str
    units: str
    money: str
    percent: str
    commitment: str
    promotion: str
    idioms: str
    """Phrases that contain such a word and mean nothing by it: "good morning" in other languages."""
    greetings: str = ""
    """Phrases that mean nothing by such a word where they open a text, before a name and a mark."""
    common: str
    """The commonest words; a text with few of them is no text of this language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word of a text that is on a list."""

    kind: WordKind
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """The word lists of one language, ready for look-ups."""

    language: str
    exact: Mapping[str, frozenset[WordKind]]
    capitalised: Mapping[str, frozenset[WordKind]]
    """Entries that count only with a capital first letter, or in capitals when the entry is."""
    patterns: tuple[tuple[re.Pattern[str], WordKind], ...]
    phrases: tuple[tuple[re.Pattern[str], WordKind], ...]
    idioms: re.Pattern[str] | None
    greetings: re.Pattern[str] | None
    common: frozenset[str]


def fold(text: str) -> str:
    """Return the text without case and accents, as words are compared: `Março` and `MARCO` give `marco`."""
    if text.isascii():
        return text.casefold()
    split = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in split if not unicodedata.combining(char))


def words_of(text: str) -> list[str]:
    """Return the runs of letters of a text, in order; apostrophes and hyphens part words."""
    return _WORD.findall(text)


@cache
def languages() -> tuple[str, ...]:
    """Return the languages there are word lists for, sorted."""
    return tuple(sorted(path.stem for path in WORD_FOLDER.glob("*.yaml")))


@cache
def lexicon(language: str) -> Lexicon:
    """Return the word lists of a language.

    Raises:
        KeyError: There are none.
        InputError: The file is wrong.
    """
    if language not in languages():
        raise KeyError(language)
    return build_lexicon(load_yaml(WORD_FOLDER / f"{language}.yaml", WordFile))


def build_lexicon(file: WordFile) -> Lexicon:
    """Sort the entries of a word file by how they are looked up."""
    exact: dict[str, set[WordKind]] = {}
    capitalised: dict[str, set[WordKind]] = {}
    patterns: dict[WordKind, list[str]] = {}
    phrases: dict[WordKind, list[str]] = {}
    for kind, entry in _entries(file):
        if "_" in entry:
            phrases.setdefault(kind, []).append(_phrase(entry))
        elif "*" in entry:
            patterns.setdefault(kind, []).append(re.escape(fold(entry)).replace(r"\*", ".*"))
        elif entry[0].isupper():
            capitalised.setdefault(_cased(entry), set()).add(kind)
        else:
            exact.setdefault(fold(entry), set()).add(kind)
    idioms = "|".join(_phrase(entry) for entry in file.idioms.split())
    greetings = "|".join(_phrase(entry).replace(" ", "[ \t]+") for entry in file.greetings.split())
    return Lexicon(
        language=file.language,
        exact={word: frozenset(kinds) for word, kinds in exact.items()},
        capitalised={word: frozenset(kinds) for word, kinds in capitalised.items()},
        patterns=tuple((re.compile("|".join(parts)), kind) for kind, parts in patterns.items()),
        phrases=tuple((re.compile("|".join(parts)), kind) for kind, parts in phrases.items()),
        idioms=re.compile(idioms) if idioms else None,
        greetings=re.compile(greetings, re.IGNORECASE) if greetings else None,
        common=frozenset(fold(word) for word in file.common.split()),
    )


def listed_words(text: str, language: str) -> tuple[Word, ...]:
    """Return the words of a text that only code may write, or nobody, in order of kind.

    Args:
        text: The text without its slots, in NFKC.
        language: A language of `languages`.
    """
    lists = lexicon(language)
    if lists.greetings is not None:
        text = _without_greetings(text, lists.greetings)
    spaced = " ".join(words_of(text))
    if lists.idioms is not None and lists.idioms.search(fold(spaced)):
        text = _without_idioms(text, lists.idioms)
        spaced = " ".join(words_of(text))
    found = {
        Word(kind=kind, word=word)
        for word in {*words_of(text), *_rejoined(text)}
        for kind in _kinds(word, language)
    }
    flat = fold(spaced)
    found |= {
        Word(kind=kind, word=match[0])
        for pattern, kind in lists.phrases
        if (match := pattern.search(flat)) is not None
    }
    return tuple(sorted(found, key=lambda word: (word.kind, word.word)))


def common_share(words: Iterable[str], language: str) -> float:
    """Return the share of words that are common ones of the language; 0 for no words."""
    folded = [fold(word) for word in words]
    common = lexicon(language).common
    return sum(word in common for word in folded) / len(folded) if folded else 0.0


@lru_cache(maxsize=16_384)
def _kinds(word: str, language: str) -> frozenset[WordKind]:
    lists = lexicon(language)
    plain = fold(word)
    kinds = set(lists.exact.get(plain, ()))
    if word[0].isupper():
        kinds |= lists.capitalised.get(plain, frozenset())
    if word.isupper():
        kinds |= lists.capitalised.get(plain.upper(), frozenset())
    kinds |= {kind for pattern, kind in lists.patterns if pattern.fullmatch(plain)}
    return frozenset(kinds)


def _entries(file: WordFile) -> Iterator[tuple[WordKind, str]]:
    lists = {
        WordKind.NUMBER: file.numbers,
        WordKind.CALENDAR: file.calendar,
        WordKind.UNIT: file.units,
        WordKind.CURRENCY: file.money,
        WordKind.PERCENT: file.percent,
        WordKind.COMMITMENT: file.commitment,
        WordKind.PROMOTION: file.promotion,
    }
    for kind, words in lists.items():
        for entry in words.split():
            yield kind, entry


def _cased(entry: str) -> str:
    return fold(entry).upper() if entry.isupper() else fold(entry)


def _phrase(entry: str) -> str:
    return rf"\b{re.escape(fold(entry)).replace('_', ' ')}\b"


def _rejoined(text: str) -> Iterator[str]:
    """Yield hyphenated words without their hyphens: `re-fund` is looked up as `refund` too."""
    if _HYPHENS.isdisjoint(text):
        return
    for match in _HYPHENATED.finditer(text):
        yield "".join(words_of(match[0]))


def _without_greetings(text: str, greetings: re.Pattern[str]) -> str:
    """Delete a greeting that opens the subject or the body: nothing but capitalised names and then a mark.

    "Good day Ada," greets; "good day late" and "a good day," do not.
    """
    lines = text.splitlines(keepends=True)
    openings = [at for at, line in enumerate(lines) if line.strip()][:_OPENINGS]
    for at in openings:
        line = lines[at]
        start = len(line) - len(line.lstrip())
        found = greetings.match(line, start)
        if found is None:
            continue
        behind = _MARK.split(line[found.end() :], maxsplit=1)[0]
        names = words_of(behind)
        if len(names) <= _MOST_NAMES and all(name[0].isupper() for name in names):
            lines[at] = line[: found.start()] + line[found.end() :]
    return "".join(lines)


def _without_idioms(text: str, idioms: re.Pattern[str]) -> str:
    """Delete idioms word by word, whatever stands between the words."""
    words = [*_WORD.finditer(text)]
    spaced = " ".join(fold(match[0]) for match in words)
    starts = {0} | {index + 1 for index, char in enumerate(spaced) if char == " "}
    number = {start: index for index, start in enumerate(sorted(starts))}
    gone = {
        index
        for match in idioms.finditer(spaced)
        for index in range(number[match.start()], number[match.start()] + match[0].count(" ") + 1)
    }
    pieces: list[str] = []
    end = 0
    for index, match in enumerate(words):
        if index in gone:
            pieces.append(text[end : match.start()])
            end = match.end()
    return "".join((*pieces, text[end:]))
