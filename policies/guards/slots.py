"""L1: a text around slots is grounded by construction, because nothing that needs grounding is left in it."""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from policies.guards.characters import (
    LINK_LIKE,
    currency_signs_in,
    digits_in,
    hidden_in,
    markup_in,
    strange_in,
)
from policies.guards.finding import Finding
from policies.guards.lexicon import WordKind, common_share, fold, languages, lexicon, listed_words, words_of
from tools.records.vocabulary import Purpose

SLOT: Final = re.compile(r"\{([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+)\}")
LONGEST_SUBJECT: Final = 160
SHORTEST_BODY: Final = 20
LONGEST_BODY: Final = 3000
_FEWEST_WORDS = 5
_COMMON_SHARE = 0.5
_DISTINCT_SHARE = 0.34
_FEWEST_COMMON = 4
_LONGEST_SENTENCE = 60
_LONGEST_WORD = 30
_DOUBLED = re.compile(r"(?<!\w)([^\W\d_]+) +\1(?!\w)", re.IGNORECASE)
_SPELLED = re.compile(r"(?:\b[^\W\d_]\b[\W_]*){5,}")
_VOWELS = frozenset("aeiouy")
_ABBREVIATION = 3
_DETAIL_LENGTH = 200


def check_slotted(
    subject: str,
    body: str,
    *,
    allowed: Collection[str],
    required: Collection[str] = (),
    language: str,
    purpose: Purpose = Purpose.SERVICE,
) -> tuple[Finding, ...]:
    """Check a text with slots; it may leave when every finding is ok.

    Args:
        subject: The subject or title, empty for channels without one.
        body: The text.
        allowed: Facts that may be slots.
        required: Facts that must be.
        language: Language or locale the text should be in.
        purpose: Words of selling are let through for marketing only.

    Returns:
        One finding for each guard, in fixed order; the detail of a failed one quotes what is wrong.
        Without word lists for the language, `slots.language` fails and what needs the lists is left out.
    """
    raw = f"{subject}\n{body}"
    text = unicodedata.normalize("NFKC", raw)
    rest = SLOT.sub(" ", text)
    # where a slot vanishes, what stood around it must not grow together unseen either
    closed = SLOT.sub("", text)
    tag = language.replace("-", "_").partition("_")[0].lower()
    return (
        _finding("hidden", hidden_in(raw)),
        _finding("digit", (*digits_in(raw), *digits_in(closed))),
        _finding("currency", currency_signs_in(raw)),
        _finding("percent", ("%",) if "%" in text or "\u2030" in text else ()),
        _finding("link", LINK_LIKE.findall(closed)),
        _finding("markup", markup_in(closed)),
        _finding("character", strange_in(closed)),
        _finding("braces", _stray_braces(closed)),
        *_slot_findings(text, allowed, required),
        _finding("length", _wrong_lengths(subject, body)),
        *_word_findings(rest, tag, purpose),
        *_language_findings(subject, body, tag),
    )


def _finding(guard: str, wrong: Iterable[str]) -> Finding:
    quoted = list(dict.fromkeys(wrong))
    return Finding(guard=f"slots.{guard}", ok=not quoted, detail=", ".join(quoted)[:_DETAIL_LENGTH])


def _stray_braces(closed: str) -> tuple[str, ...]:
    return ("a brace belongs to no slot",) if "{" in closed or "}" in closed else ()


def _slot_findings(text: str, allowed: Collection[str], required: Collection[str]) -> Iterator[Finding]:
    used = SLOT.findall(text)
    yield _finding("unknown", (f"{{{slot}}}" for slot in used if slot not in allowed))
    yield _finding("missing", (f"{{{slot}}}" for slot in sorted(required) if slot not in used))
    yield _finding("glued", re.findall(r"\w\{[\w.]+\}|\{[\w.]+\}[\w{]", text))


def _wrong_lengths(subject: str, body: str) -> Iterator[str]:
    if "\n" in subject or len(subject) > LONGEST_SUBJECT:
        yield f"the subject is not one line of at most {LONGEST_SUBJECT} characters"
    if not SHORTEST_BODY <= len(body.strip()) <= LONGEST_BODY:
        yield f"the body has {len(body.strip())} characters, not {SHORTEST_BODY} to {LONGEST_BODY}"


def _word_findings(rest: str, language: str, purpose: Purpose) -> Iterator[Finding]:
    found = listed_words(rest, language) if language in languages() else ()
    for kind in WordKind:
        exempt = kind is WordKind.PROMOTION and purpose is Purpose.MARKETING
        words = () if exempt else tuple(word.word for word in found if word.kind is kind)
        # a sign and a word of money or share are told apart by the detail, not by the guard
        yield _finding(f"{kind.value}_word" if kind in _ALSO_SIGNS else kind.value, words)


_ALSO_SIGNS = frozenset({WordKind.CURRENCY, WordKind.PERCENT})


def _language_findings(subject: str, body: str, language: str) -> Iterator[Finding]:
    if language not in languages():
        yield _finding("language", (f"there are no word lists for {language!r}",))
        return
    # a full stop in place of a slot keeps the words around it apart
    prose = SLOT.sub(".", f"{subject}\n{body}")
    words = words_of(prose)
    share = common_share(words, language)
    others = ((other, common_share(words, other)) for other in languages() if other != language)
    nearest, best = max(others, key=lambda pair: pair[1])
    yield _finding("language", (f"the text reads like {nearest!r}",) if best > share else ())
    yield _finding(
        "gibberish", (*_nonsense(words, share, language), *(match[0] for match in _DOUBLED.finditer(prose)))
    )
    yield _finding("shape", _misshapen(body))


def _nonsense(words: list[str], share: float, language: str) -> Iterator[str]:
    """Yield what tells noise from prose: few common words, endless repetition, words nobody can say."""
    folded = [fold(word) for word in words]
    counts = Counter(folded)
    if len(words) < _FEWEST_WORDS:
        yield f"only {len(words)} words"
    if share < _COMMON_SHARE:
        yield f"only {share:.0%} of the words are common ones"
    if len(counts.keys() & lexicon(language).common) < _FEWEST_COMMON:
        yield f"fewer than {_FEWEST_COMMON} different common words"
    if words and len(counts) / len(words) < _DISTINCT_SHARE:
        yield "the same words over and over"
    yield from (word for word in counts if len(word) > _LONGEST_WORD)
    yield from (word for word in counts if len(word) > _ABBREVIATION and _VOWELS.isdisjoint(word))
    if _SPELLED.search(" ".join(words)):
        yield "words spelled letter by letter"


def _misshapen(body: str) -> Iterator[str]:
    """Yield what is wrong with the sentences; a text may end with a slot, as after `see here:`."""
    text = body.strip()
    first = text.lstrip("¡¿«“„\"'(")[:1]
    if not (first.isupper() or first == "{"):
        yield "the text does not begin with a capital letter"
    if not text.endswith((".", "!", "?", "…", "}", "»", "”")):
        yield "the text does not end with a full stop"
    for sentence in re.split(r"[.!?…:]\s|\n\n", text):
        if len(sentence.split()) > _LONGEST_SENTENCE:
            yield f"a sentence of more than {_LONGEST_SENTENCE} words"
