"""The offline rules model: deterministic, without network, key or cost, and named as what it is.

It reads by words, judges by three plain rules, and its texts are the approved templates. It claims nothing
more: decisions name the model `rules`.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from agent.canonical import text_hash
from agent.domain.decisions import ModelUse
from agent.domain.model import (
    Answer,
    Assessment,
    AssessRequest,
    ComposeRequest,
    Composition,
    Concern,
    LookUp,
    LookUpTool,
    Mood,
    Reading,
    ReadRequest,
    Step,
    Warranted,
)
from agent.errors import ModelError
from prompts.templates import TemplateStore
from tools.errors import InputError
from tools.records.base import Strict
from tools.records.vocabulary import TicketStatus
from tools.safe_text import is_hidden
from tools.yaml_file import parse_yaml, read_text

RULES: Final = "rules"
WORDS_FILE: Final = Path(__file__).parent / "rules_words.yaml"
_MOST_READ: Final = 4096
"""Readings kept; the same scan texts come with every shipment."""
_MISSING: Final = "missing"
_BEING_WORKED_ON: Final = frozenset({TicketStatus.OPEN.value, TicketStatus.PENDING.value})


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as exc:
        raise ValueError(f"is no regular expression: {exc}") from exc
    return pattern


Phrases = dict[str, tuple[Annotated[str, Field(min_length=3)], ...]]
Pattern = Annotated[str, AfterValidator(_compiles)]


class Words(Strict):
    """The word lists, by language; what each list means is said by the field of `Reading` it fills."""

    version: Annotated[int, Field(ge=1)]
    hostile: Phrases
    upset: Phrases
    asks_for_person: Phrases
    asks_no_contact: Phrases
    already_knows: Phrases
    mentions_hardship: Phrases
    suspicious: Phrases
    suspicious_shapes: tuple[Pattern, ...]
    """Regular expressions, on the text as it came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WordReader:
    """Reads texts by word lists."""

    version: int
    hash: str
    """SHA-256 of the lists, hex."""
    phrases: Mapping[str, re.Pattern[str]]
    shapes: re.Pattern[str]

    def read(self, texts: Sequence[str]) -> Reading:
        """Return what the texts contain; every field is false and the mood calm when no word is found."""
        plain = "\n".join(_plain(text) for text in texts)
        found = {name for name, pattern in self.phrases.items() if pattern.search(plain)}
        return Reading(
            mood=Mood.HOSTILE if "hostile" in found else Mood.UPSET if "upset" in found else Mood.CALM,
            asks_for_person="asks_for_person" in found,
            asks_no_contact="asks_no_contact" in found,
            already_knows="already_knows" in found,
            mentions_hardship="mentions_hardship" in found,
            suspicious="suspicious" in found or any(map(self.shapes.search, texts)),
        )


def load_word_reader(path: Path = WORDS_FILE) -> WordReader:
    """Read the word lists.

    Raises:
        InputError: The file cannot be read or does not fit.
    """
    source = read_text(path)
    words = parse_yaml(source, Words, path=path)
    lists: dict[str, Phrases] = {
        "hostile": words.hostile,
        "upset": words.upset,
        "asks_for_person": words.asks_for_person,
        "asks_no_contact": words.asks_no_contact,
        "already_knows": words.already_knows,
        "mentions_hardship": words.mentions_hardship,
        "suspicious": words.suspicious,
    }
    return WordReader(
        version=words.version,
        hash=text_hash(source),
        phrases={name: _pattern(phrases) for name, phrases in lists.items()},
        shapes=re.compile(
            "|".join(f"(?:{shape})" for shape in words.suspicious_shapes), re.MULTILINE | re.IGNORECASE
        ),
    )


class RulesModel:
    """The model port without a model."""

    def __init__(self, templates: TemplateStore, words: WordReader | None = None) -> None:
        self._templates = templates
        reader = words or load_word_reader()
        self._read = lru_cache(maxsize=_MOST_READ)(reader.read)
        self._read_use = _use(f"rules_words@{reader.version}", reader.hash)

    @property
    def name(self) -> str:
        """`rules`."""
        return RULES

    async def read(self, request: ReadRequest) -> Answer[Reading]:
        """Read by words in English, German, Portuguese, Spanish and French."""
        return Answer(value=self._read(request.texts), use=self._read_use)

    async def assess(self, request: AssessRequest) -> Answer[Step]:
        """Ask once for tickets when nothing is known of them, then judge by `judge`."""
        asked = any(result.tool is LookUpTool.TICKETS for result in request.results)
        known = asked or any(fact.name.startswith("ticket") for fact in request.facts)
        if not known and request.calls_left > 0:
            step: LookUp | Assessment = LookUp(action="look_up", tool=LookUpTool.TICKETS)
        else:
            step = judge(request)
        return Answer(value=Step(step=step), use=_use("", ""))

    async def compose(self, request: ComposeRequest) -> Answer[Composition]:
        """Return the approved template, branches settled by the slots and flags that hold.

        Raises:
            ModelError: There is no template for this language or in English; kind `invalid`.
        """
        available = [*(slot.name for slot in request.slots), *request.flags]
        try:
            slotted = self._templates.slotted(request.scenario, request.template, request.locale, available)
        except InputError as exc:
            raise ModelError(f"the rules model has no text: {exc.problem}", kind="invalid") from exc
        source = f"{slotted.id}@{slotted.version_hash[:12]}"
        return Answer(
            value=Composition(subject=slotted.subject, body=slotted.body),
            use=_use(source, slotted.version_hash),
        )

    async def aclose(self) -> None:
        """Do nothing: there are no connections."""


def judge(request: AssessRequest) -> Assessment:
    """Judge a situation: reaching out makes sense unless something speaks against it.

    A customer who knows already, or a ticket that is being worked on, says no. Hostile, suspicious or hard
    readings and missing facts leave it to people. Otherwise the value rule was right to ask.
    """
    readings = request.readings
    if any(reading.already_knows for reading in readings) or _somebody_is_on_it(request):
        return _assessment(Warranted.NO, Concern.ALREADY_HANDLED)
    if any(
        reading.suspicious or reading.mood is Mood.HOSTILE or reading.mentions_hardship
        for reading in readings
    ):
        return _assessment(Warranted.UNSURE, Concern.SENSITIVE)
    if any(fact.kind == _MISSING for fact in request.facts):
        return _assessment(Warranted.UNSURE, Concern.MISSING_FACTS)
    return _assessment(Warranted.YES, Concern.NONE)


def _somebody_is_on_it(request: AssessRequest) -> bool:
    """Whether every member has a ticket that is being worked on; one member's speaks for nobody else."""
    tickets = {
        fact.name: fact.value
        for result in request.results
        if result.tool is LookUpTool.TICKETS
        for fact in result.facts
    }
    return tickets.get("ticket.present") == "all" and tickets.get("ticket.status") in _BEING_WORKED_ON


def _assessment(warranted: Warranted, concern: Concern) -> Assessment:
    return Assessment(action="assess", warranted=warranted, concern=concern)


def _use(prompt: str, prompt_hash: str) -> ModelUse:
    return ModelUse(model=RULES, prompt=prompt, prompt_hash=prompt_hash, calls=(), cost_micros=0)


def _plain(text: str) -> str:
    """Return a text as words are looked for in it: small letters, no accents, no hidden characters."""
    decomposed = unicodedata.normalize("NFKD", "".join(char for char in text if not is_hidden(char)))
    letters = "".join(char for char in decomposed if not unicodedata.combining(char)).casefold()
    return " ".join(letters.replace("\u2019", "'").split())


def _pattern(phrases: Phrases) -> re.Pattern[str]:
    every = sorted({_plain(phrase) for group in phrases.values() for phrase in group})
    alternatives = "|".join(re.escape(phrase).replace(r"\*", r"\w*") for phrase in every)
    return re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)")
