"""Fills the slots of a text with the facts of one customer."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from prompts.errors import MissingFactError, RenderError
from prompts.values import print_fact
from tools.records.facts import Fact, FilledSlot

SLOT: Final = re.compile(r"\{([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+)\}")
"""A slot names a fact in braces: `{order.number}`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A text with its slots filled."""

    text: str
    used: tuple[FilledSlot, ...]
    """Each slot once, in order of first use, with what stands in its place."""


def slots_of(text: str) -> tuple[str, ...]:
    """Return the slots of a text, each once, in order of first use."""
    return tuple(dict.fromkeys(SLOT.findall(text)))


def render_slots(text: str, facts: Mapping[str, Fact], *, locale: str, zone: str) -> Rendered:
    """Fill every slot with the fact of that name, written for the customer's locale and zone.

    A filled value is never read for slots again.

    Args:
        text: The slotted text.
        facts: Facts by name.
        locale: How values are written, for example `pt_BR`; see `prompts.locale.rendering_locale`.
        zone: IANA zone that instants are shown in.

    Raises:
        MissingFactError: No fact fills a slot.
        UnprintableFactError: A fact's value cannot stand in a message.
    """
    literals, slots = _split(text)
    if not slots:
        return Rendered(text=text, used=())
    filled: dict[str, str] = {}
    pieces = [literals[0]]
    for slot, literal in zip(slots, literals[1:], strict=True):
        value = filled.get(slot)
        if value is None:
            fact = facts.get(slot)
            if fact is None:
                raise MissingFactError(slot)
            value = filled[slot] = print_fact(fact, locale=locale, zone=zone)
        pieces.extend((value, literal))
    used = tuple(FilledSlot(slot=slot, rendered=value) for slot, value in filled.items())
    return Rendered(text="".join(pieces), used=used)


def printable(facts: Iterable[Fact], *, locale: str, zone: str) -> frozenset[str]:
    """Return the names of the facts that can stand in a message for this customer."""
    names: set[str] = set()
    for fact in facts:
        try:
            print_fact(fact, locale=locale, zone=zone)
        except RenderError:
            continue
        names.add(fact.name)
    return frozenset(names)


@lru_cache(maxsize=1024)
def _split(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return literals and slots in turn; all members of a situation share one text."""
    parts = SLOT.split(text)
    return tuple(parts[::2]), tuple(parts[1::2])
