"""What an edit did, in words that hold for every customer: values back to slots, then phrase for phrase."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from tools.records.facts import FilledSlot

_TOKEN: Final = re.compile(r"\{[a-z0-9_.]+\}|\w+|\s+|[^\w\s]")
_WORD: Final = re.compile(r"\{[a-z0-9_.]+\}|\w+")
_CONTEXT: Final = 3
"""Words and marks on each side that tell one place of a text from another."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Replacement:
    """One phrase for another at one place of a text."""

    before: str
    """The words and marks in front of it in the original, a few; empty at the beginning."""
    old: str
    """Empty when something was put in."""
    new: str
    """Empty when something was taken out."""
    after: str

    @property
    def words(self) -> str:
        """The replacement for people."""
        if not self.old:
            return f"put in {self.new.strip()!r} after {self.before!r}"
        if not self.new:
            return f"leave out {self.old.strip()!r}"
        return f"{self.new.strip()!r} instead of {self.old.strip()!r}"


def to_slots(text: str, used: Iterable[FilledSlot]) -> str:
    """Return a text with its printed values turned back to slots.

    Inverts `render_slots` where no value stands in the text outside its slot and no two slots were filled
    alike; of two alike the first in use is taken. Longer values go first, and only whole words are values.
    """
    by_value: dict[str, str] = {}
    for slot in used:
        by_value.setdefault(slot.rendered, slot.slot)
    values = sorted((value for value in by_value if value.strip()), key=lambda value: (-len(value), value))
    if not values:
        return text
    pattern = re.compile("|".join(_whole(value) for value in values))
    return pattern.sub(lambda match: f"{{{by_value[match[0]]}}}", text)


def replacements(original: str, edited: str) -> list[Replacement]:
    """Return what turns one slotted text into another, in order; changes a blank or a mark apart are one."""
    old, new = _tokens(original), _tokens(edited)
    found: list[Replacement] = []
    for start, end, new_start, new_end in _changes(old, new):
        found.append(
            Replacement(
                before="".join(reversed(_nearest(old[:start][::-1]))),
                old="".join(old[start:end]),
                new="".join(new[new_start:new_end]),
                after="".join(_nearest(old[end:])),
            )
        )
    return found


def edit_size(original: str, edited: str) -> int:
    """Return how many words and marks an edit took out or put in, the larger of the two at each place."""
    old, new = _tokens(original), _tokens(edited)
    return sum(
        max(_inked(old[start:end]), _inked(new[new_start:new_end]))
        for start, end, new_start, new_end in _changes(old, new)
    )


def phrase_pattern(phrase: str) -> str:
    """Return a regular expression that finds a phrase however its white space is broken."""
    return _pattern(_TOKEN.findall(phrase))


def front_pattern(before: str, *, at_least: int) -> str:
    """Return one for what stands in front of a phrase.

    The beginning of the text may cut off the outer part of it, down to `at_least` words and marks.
    """
    tokens = _TOKEN.findall(before)
    if not tokens:
        return r"\A"
    inked = [at for at, token in enumerate(tokens) if not token.isspace()]
    cut = [rf"\A\s*{_pattern(tokens[at:])}" for at in inked[1 : len(inked) - at_least + 1]]
    whole = rf"(?<!\w){_pattern(tokens)}" if before[0].isalnum() else _pattern(tokens)
    return "|".join([whole, *cut, *([] if at_least else [r"\A"])])


def back_pattern(after: str, *, at_least: int) -> str:
    """Return one for what stands behind a phrase; the end of the text may cut off the outer part."""
    tokens = _TOKEN.findall(after)
    if not tokens:
        return r"\Z"
    inked = [at for at, token in enumerate(tokens) if not token.isspace()]
    cut = [rf"{_pattern(tokens[: at + 1])}\s*\Z" for at in reversed(inked[max(at_least - 1, 0) : -1])]
    whole = rf"{_pattern(tokens)}(?!\w)" if after[-1].isalnum() else _pattern(tokens)
    return "|".join([whole, *cut, *([] if at_least else [r"\Z"])])


def _pattern(tokens: Sequence[str]) -> str:
    return "".join(r"\s+" if token.isspace() else re.escape(token) for token in tokens)


def _changes(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """Yield (start, end, start, end) of changed stretches in both texts."""
    opcodes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    pending: tuple[int, int, int, int] | None = None
    for tag, start, end, new_start, new_end in opcodes:
        if tag == "equal":
            if pending is not None and any(_WORD.fullmatch(token) for token in old[start:end]):
                yield pending
                pending = None
        elif pending is None:
            pending = (start, end, new_start, new_end)
        else:
            pending = (pending[0], end, pending[2], new_end)
    if pending is not None:
        yield pending


def _tokens(text: str) -> list[str]:
    return [_blank(token) if token.isspace() else token for token in _TOKEN.findall(text)]


def _blank(space: str) -> str:
    """An empty line, a new line and a blank are different; more of the same is not."""
    breaks = space.count("\n")
    return "\n\n" if breaks > 1 else "\n" if breaks else " "


def _nearest(tokens: Sequence[str]) -> list[str]:
    """Return the first few words and marks with the blanks between them."""
    inked = [at for at, token in enumerate(tokens) if not token.isspace()][:_CONTEXT]
    return list(tokens[inked[0] : inked[-1] + 1]) if inked else []


def _inked(tokens: Sequence[str]) -> int:
    return sum(not token.isspace() for token in tokens)


def _whole(value: str) -> str:
    # a boundary only where the value itself ends in a word character
    front = r"(?<!\w)" if re.match(r"\w", value) else ""
    back = r"(?!\w)" if re.search(r"\w$", value) else ""
    return front + re.escape(value) + back
