"""Planting one mistake into a text: the evidence contradicts it and a careful reader sees it."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from random import Random
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import Field

from agent.domain.drafts import Draft
from agent.review_desk.text_checks import Surroundings
from policies.guards.channels import check_channel, sms_text
from policies.guards.links import urls_in
from prompts.errors import RenderError
from prompts.locale import language_of
from prompts.values import print_fact
from tools.messages import Outbound
from tools.records.base import Money, Strict
from tools.records.facts import Fact, FactValue, FilledSlot
from tools.records.vocabulary import ChannelKind
from tools.yaml_file import load_yaml

SENTENCES: Final = Path(__file__).parent / "sentences.yaml"
_FEWEST_DIGITS: Final = 3
"""A number with fewer has too few others that look like it."""


class MistakeKind(StrEnum):
    """What is wrong in a planted draft."""

    AMOUNT = "amount"
    DATE = "date"
    NUMBER = "number"
    """Of an order, an invoice, …"""
    NAME = "name"
    PROMISE = "promise"
    """A refund or a gift that nobody decided."""
    LINK = "link"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A draft with one mistake."""

    kind: MistakeKind
    draft: Draft
    mistake: str
    """What is wrong, in one sentence for the reviewer."""


class _Sentences(Strict):
    """`sentences.yaml`."""

    version: int
    names: Annotated[tuple[str, ...], Field(min_length=2)]
    hosts: Annotated[tuple[str, ...], Field(min_length=1)]
    promise: dict[str, tuple[str, ...]]
    link: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """A draft, and what is known around it."""

    draft: Draft
    around: Surroundings
    chance: Random

    def used(self) -> Iterator[tuple[FilledSlot, Fact]]:
        """Yield the slots whose value stands in the text, with their facts."""
        text = f"{self.draft.message.subject}\n{self.draft.message.body}"
        for slot in self.draft.used:
            fact = self.around.facts.get(slot.slot)
            if fact is not None and _whole(slot.rendered).search(text):
                yield slot, fact

    @property
    def language(self) -> str:
        """The language of the text."""
        return language_of(self.draft.message.locale)


def plant(draft: Draft, around: Surroundings, *, chance: Random) -> Planted | None:
    """Return a draft with one mistake; None when this text has no place for one.

    Args:
        draft: A draft that all guards let through.
        around: What its text is checked against.
        chance: Decides which mistake; the same state gives the same draft.
    """
    kinds = list(_MAKERS)
    chance.shuffle(kinds)
    for kind in kinds:
        found = plant_one(draft, around, kind, chance=chance)
        if found is not None:
            return found
    return None


def plant_one(draft: Draft, around: Surroundings, kind: MistakeKind, *, chance: Random) -> Planted | None:
    """Return a draft with a mistake of one kind; None when this text has no place for it."""
    found = _MAKERS[kind](_Sheet(draft=draft, around=around, chance=chance))
    return found if found is not None and _holds(found, draft, around) else None


def _holds(planted: Planted, draft: Draft, around: Surroundings) -> bool:
    """Whether a mistake is visible, fits the channel, and is one: guards refuse all but a wrong name."""
    new, old = planted.draft.message, draft.message
    fits = all(finding.ok for finding in check_channel(new.channel, new.subject, new.body))
    if (new.subject, new.body) == (old.subject, old.body) or not fits:
        return False
    if planted.kind is MistakeKind.NAME:  # its maker compared it with the facts
        return True
    return not all(finding.ok for finding in around.findings(new.subject, new.body))


def _amount(sheet: _Sheet) -> Planted | None:
    def other(value: FactValue) -> FactValue:
        if not isinstance(value, Money) or value.minor == 0:
            return None
        percent = sheet.chance.choice((112, 125, 140, 160, 190))
        return Money(minor=value.minor * percent // 100 + 100, currency=value.currency)

    return _other_value(sheet, MistakeKind.AMOUNT, "the amount", other)


def _date(sheet: _Sheet) -> Planted | None:
    def other(value: FactValue) -> FactValue:
        days = timedelta(days=sheet.chance.choice((2, 3, 5, 8)))
        return value + days if isinstance(value, date | datetime) else None

    return _other_value(sheet, MistakeKind.DATE, "the date", other)


def _number(sheet: _Sheet) -> Planted | None:
    def other(value: FactValue) -> FactValue:
        if not isinstance(value, str) or "://" in value:
            return None
        places = [place for place, char in enumerate(value) if char.isdecimal()]
        if len(places) < _FEWEST_DIGITS:
            return None
        chars = list(value)
        for place in sheet.chance.sample(places[1:], 2):
            chars[place] = str((int(chars[place]) + sheet.chance.randrange(1, 10)) % 10)
        return "".join(chars)

    return _other_value(sheet, MistakeKind.NUMBER, "the number", other)


def _name(sheet: _Sheet) -> Planted | None:
    known = " ".join(str(fact.value) for fact in sheet.around.facts.values()).casefold()
    names = [name for name in _sentences().names if name.casefold() not in known]

    def other(value: FactValue) -> FactValue:
        return sheet.chance.choice(names) if isinstance(value, str) and names else None

    return _other_value(sheet, MistakeKind.NAME, "the name", other, only="customer.first_name")


def _promise(sheet: _Sheet) -> Planted | None:
    sentences = _sentences().promise.get(sheet.language, ())
    if not sentences:
        return None
    sentence = sheet.chance.choice(sentences)
    words = f"nobody decided what it promises: {sentence!r}"
    return Planted(kind=MistakeKind.PROMISE, draft=_with_sentence(sheet, sentence), mistake=words)


def _link(sheet: _Sheet) -> Planted | None:
    host = sheet.chance.choice(_sentences().hosts)
    for slot, fact in sheet.used():
        if "://" in slot.rendered:
            link = urlsplit(slot.rendered)._replace(netloc=host).geturl()
            return _swapped(sheet, MistakeKind.LINK, "the link", slot, fact, link)
    sentence = _sentences().link.get(sheet.language)
    if sentence is None:
        return None
    link = f"https://{host}/confirm"
    draft = _with_sentence(sheet, sentence.format(link=link))
    return Planted(
        kind=MistakeKind.LINK,
        draft=draft,
        mistake=f"the link leads to {host}, which is none of the company's",
    )


_MAKERS: Final[Mapping[MistakeKind, Callable[[_Sheet], Planted | None]]] = {
    MistakeKind.AMOUNT: _amount,
    MistakeKind.DATE: _date,
    MistakeKind.NUMBER: _number,
    MistakeKind.NAME: _name,
    MistakeKind.PROMISE: _promise,
    MistakeKind.LINK: _link,
}


def _other_value(
    sheet: _Sheet, kind: MistakeKind, noun: str, other: Callable[[FactValue], FactValue], *, only: str = ""
) -> Planted | None:
    """Give one fact of the text another value; None when none has one to give."""
    used = [pair for pair in sheet.used() if not only or pair[0].slot == only]
    sheet.chance.shuffle(used)
    for slot, fact in used:
        value = other(fact.value)
        if value is None:
            continue
        message = sheet.draft.message
        try:
            rendered = print_fact(replace(fact, value=value), locale=message.locale, zone=sheet.around.zone)
        except RenderError:
            continue
        if message.channel is ChannelKind.SMS:
            rendered = sms_text(rendered)
        if rendered != slot.rendered:
            return _swapped(sheet, kind, noun, slot, fact, rendered)
    return None


def _swapped(
    sheet: _Sheet, kind: MistakeKind, noun: str, slot: FilledSlot, fact: Fact, rendered: str
) -> Planted:
    draft = sheet.draft
    text = _whole(slot.rendered)

    def swap(old: str) -> str:
        return text.sub(lambda _: rendered, old)

    whole = (draft.slotted_subject, draft.slotted_body) == (draft.message.subject, draft.message.body)
    new = replace(
        draft,
        message=_message(draft, swap(draft.message.subject), swap(draft.message.body)),
        slotted_subject=swap(draft.slotted_subject) if whole else draft.slotted_subject,
        slotted_body=swap(draft.slotted_body) if whole else draft.slotted_body,
        used=tuple(replace(one, rendered=rendered) if one == slot else one for one in draft.used),
    )
    words = f"{noun} is {rendered!r}; {fact.name} is {slot.rendered!r}"
    return Planted(kind=kind, draft=new, mistake=words)


def _with_sentence(sheet: _Sheet, sentence: str) -> Draft:
    """Put a sentence behind the paragraph after the greeting."""
    draft = sheet.draft
    added = sms_text(sentence) if draft.message.channel is ChannelKind.SMS else sentence
    body = _appended(draft.message.body, added)
    return replace(
        draft,
        message=_message(draft, draft.message.subject, body),
        slotted_body=_appended(draft.slotted_body, added),
    )


def _appended(text: str, sentence: str) -> str:
    paragraphs = text.split("\n\n")
    place = min(1, len(paragraphs) - 1)
    return "\n\n".join(
        f"{one.rstrip()} {sentence}" if number == place else one for number, one in enumerate(paragraphs)
    )


def _message(draft: Draft, subject: str, body: str) -> Outbound:
    return replace(draft.message, subject=subject, body=body, links=urls_in(body))


def _whole(text: str) -> re.Pattern[str]:
    """Return what finds a text where it stands as a whole."""
    return re.compile(rf"(?<!\w){re.escape(text)}(?!\w)")


@cache
def _sentences() -> _Sentences:
    return load_yaml(SENTENCES, _Sentences)
