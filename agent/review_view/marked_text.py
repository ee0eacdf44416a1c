"""Where facts stand in a text: each is underlined and carries the number it has in the table of facts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rich.text import Text

from agent.domain.drafts import Draft
from agent.review_view.cells import shown_block
from agent.review_view.marks import raised
from policies.guards.slots import SLOT
from tools.records.facts import FilledSlot

_FACT_STYLE: Final = "bold underline"


@dataclass(frozen=True, slots=True)
class Place:
    """Where one fact stands in a text: from `start` to before `end`."""

    start: int
    end: int
    fact: str


def fact_numbers(draft: Draft) -> dict[str, int]:
    """Return fact → its marker, in the order in which they are first used."""
    return {
        name: number for number, name in enumerate(dict.fromkeys(one.slot for one in draft.used), start=1)
    }


def places(slotted: str, text: str, used: Sequence[FilledSlot]) -> list[Place]:
    """Return where facts stand, in order and without overlap.

    The slotted text says it exactly; after an edit, when there is none, values are looked for as they were
    rendered, the longest first.
    """
    values = {one.slot: one.rendered for one in used}
    exact = list(_from_slots(slotted, values))
    if exact and SLOT.sub(lambda match: values.get(match[1], match[0]), slotted) == text:
        return exact
    return sorted(_from_search(text, values), key=lambda place: place.start)


def marked(text: str, found: Sequence[Place], numbers: Mapping[str, int], style: str = "") -> Text:
    """Return the text with its facts underlined, and numbered where they have a number."""
    parts = Text(style=style)
    at = 0
    for place in found:
        parts.append_text(shown_block(text[at : place.start]))
        parts.append_text(shown_block(text[place.start : place.end], _FACT_STYLE))
        if place.fact in numbers:
            parts.append(raised(numbers[place.fact]))
        at = place.end
    return parts.append_text(shown_block(text[at:]))


def _from_slots(slotted: str, values: Mapping[str, str]) -> Iterator[Place]:
    shift = 0
    for match in SLOT.finditer(slotted):
        if match[1] not in values:
            continue
        start, length = match.start() + shift, len(values[match[1]])
        yield Place(start, start + length, match[1])
        shift += length - len(match[0])


def _from_search(text: str, values: Mapping[str, str]) -> Iterator[Place]:
    taken = [False] * len(text)
    for name, value in sorted(values.items(), key=lambda pair: -len(pair[1])):
        start = text.find(value) if value else -1
        while start >= 0:
            end = start + len(value)
            if not any(taken[start:end]):
                taken[start:end] = [True] * len(value)
                yield Place(start, end, name)
                break
            start = text.find(value, start + 1)
