"""L2: every value stated in a rendered text must be that of a fact, and no word may claim one."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final, assert_never
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision

from policies.guards.characters import currency_signs_in, digits_in, hidden_in, strange_in
from policies.guards.finding import Finding
from policies.guards.lexicon import languages, listed_words
from policies.guards.links import link_problem
from policies.guards.locale_formats import LocaleFormats, locale_formats, plain
from policies.guards.spans import TYPED, UNTYPED, Amount, Clock, Code, Counted, Day, Link, Span, Value
from tools.records.base import Money
from tools.records.facts import Fact

_KINDS: Final = (
    "link",
    "date",
    "time",
    "money",
    "percent",
    "duration",
    "quantity",
    "phone",
    "id",
    "number",
)
_TAKEN = "\x00"
"""Stands for characters whose value is accounted for; part of no pattern."""
_GAP: Final = re.compile(r",? (?:at |um |a las |as |a |, )?")
_MINUTES: Final = {"minutes": 1, "hours": 60, "days": 1440}
_DETAIL_LENGTH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation:
    """A length of time that may be stated though no fact holds it: from one day or instant to another."""

    later: str
    earlier: str


def check_rendered(
    subject: str,
    body: str,
    *,
    facts: Mapping[str, Fact],
    link_hosts: Collection[str],
    locale: str,
    zone: str,
    derivations: Sequence[Derivation] = (),
    worded: bool = True,
) -> tuple[Finding, ...]:
    """Check a text as the customer will read it; it may leave when every finding is ok.

    Args:
        subject: The subject or title, empty for channels without one.
        body: The text.
        facts: What is known for this customer; only trusted facts ground anything.
        link_hosts: Hosts that may be linked to, exact.
        locale: How values are written in the text.
        zone: IANA zone of the times in the text.
        derivations: Lengths of time that may be stated beside the facts.
        worded: Also look for claims in words ("tomorrow", "a full refund"), by the lists of the locale's
            language; False for a text whose words were approved before.

    Returns:
        One finding for each kind of value, then characters and words.
    """
    raw = f"{subject}\n{body}"
    known = Known.of(facts, locale=locale, zone=zone, derivations=derivations)
    text = plain(raw)
    wrong, rest = _ungrounded(text, known, link_hosts)
    findings = [
        _finding("hidden", hidden_in(raw)),
        _finding("digit", [char for char in digits_in(raw) if not char.isascii()]),
        *(_finding(kind, [span.text for span in wrong if span.kind == kind]) for kind in _KINDS),
        _finding("currency", currency_signs_in(rest)),
    ]
    if worded:
        findings += _worded(rest, locale)
    return tuple(findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The values that a text may state for one customer."""

    formats: LocaleFormats
    texts: tuple[str, ...]
    """In plain form, longest first."""
    money: frozenset[tuple[str, Decimal]]
    """(sign or code, amount) pairs."""
    days: frozenset[date]
    instants: frozenset[datetime]
    """Local times."""
    numbers: frozenset[Decimal]
    percents: frozenset[Decimal]
    minutes: frozenset[Decimal]
    quantities: frozenset[tuple[Decimal, str]]
    """(number, unit) pairs of facts of the same record."""

    @classmethod
    def of(
        cls, facts: Mapping[str, Fact], *, locale: str, zone: str, derivations: Sequence[Derivation] = ()
    ) -> "Known":
        """Sort the trusted facts by what they ground."""
        formats = locale_formats(locale)
        where = ZoneInfo(zone)
        values = {name: fact.value for name, fact in facts.items() if fact.trusted and fact.value is not None}
        numbers = {
            name: value
            for name, value in values.items()
            if isinstance(value, int) and not isinstance(value, bool)
        }
        texts = {name: plain(_one_line(value)) for name, value in values.items() if isinstance(value, str)}
        instants = {value.astimezone(where) for value in values.values() if isinstance(value, datetime)}
        days = {
            value for value in values.values() if isinstance(value, date) and not isinstance(value, datetime)
        }
        return cls(
            formats=formats,
            texts=tuple(sorted(filter(None, texts.values()), key=len, reverse=True)),
            money=frozenset(
                pair
                for value in values.values()
                if isinstance(value, Money)
                for pair in _amounts(value.minor, value.currency, formats)
            ),
            days=frozenset(days | {instant.date() for instant in instants}),
            instants=frozenset(instants),
            numbers=frozenset(Decimal(value) for value in numbers.values()),
            percents=frozenset(Decimal(value) for name, value in numbers.items() if name.endswith("percent")),
            minutes=frozenset(
                {*_stated_minutes(numbers), *_derived_minutes(values, derivations)},
            ),
            quantities=frozenset(
                (Decimal(value), text)
                for name, value in numbers.items()
                for other, text in texts.items()
                if other.partition(".")[0] == name.partition(".")[0]
            ),
        )

    def grounds(self, value: Value, link_hosts: Collection[str]) -> bool:
        """Whether a value found in the text is that of a fact."""
        match value:
            case Amount():
                return value.number is not None and (value.sign, value.number) in self.money
            case Day():
                return any(value.means(day) for day in self.days)
            case Clock():
                return any(self._shows(instant, value) for instant in self.instants)
            case Counted():
                return self._counts(value)
            case Link():
                return value.text in self.texts and not link_problem(value.text, hosts=link_hosts)
            case Code():
                return value.number in self.numbers or self._is_phone(value.text)
            case _:
                assert_never(value)

    def _shows(self, instant: datetime, clock: Clock) -> bool:
        if (instant.hour, instant.minute) != (clock.hour, clock.minute):
            return False
        return clock.zone is None or clock.zone in self.formats.zone_names(instant)

    def _counts(self, value: Counted) -> bool:
        if value.number is None:
            return False
        if value.unit == "%":
            return value.number in self.percents
        if value.unit == "minute":
            return value.number in self.minutes
        return (value.number, value.unit) in self.quantities

    def _is_phone(self, digits: str) -> bool:
        return any(text.startswith("+") and re.sub(r"\D", "", text) == digits for text in self.texts)


def _ungrounded(text: str, known: Known, link_hosts: Collection[str]) -> tuple[list[Span], str]:
    """Return the values that no fact grounds, and the text without any values."""
    covered = [place for fact in known.texts for place in _places(fact, text)]
    wrong: list[Span] = []
    good: list[Span] = []
    rest = text
    for find in TYPED:
        for span in list(find(rest, known.formats)):
            is_link = isinstance(span.value, Link)
            inside = not is_link and any(start <= span.start and span.end <= end for start, end in covered)
            if inside:
                continue
            (good if known.grounds(span.value, link_hosts) else wrong).append(span)
            rest = _take(rest, span.start, span.end)
    for start, end in covered:
        rest = _take(rest, start, end)
    for find in UNTYPED:
        for span in list(find(rest, known.formats)):
            if not known.grounds(span.value, link_hosts):
                wrong.append(span)
            rest = _take(rest, span.start, span.end)
    wrong.extend(_crossed(text, good, known))
    return wrong, rest


def _crossed(text: str, good: Sequence[Span], known: Known) -> Iterator[Span]:
    """Yield times that stand right behind a day though no instant is at that time of that day."""
    days = {span.end: span.value for span in good if isinstance(span.value, Day)}
    for span in good:
        if not isinstance(span.value, Clock):
            continue
        for end, day in days.items():
            if end <= span.start and _GAP.fullmatch(text[end : span.start]):
                clock = span.value
                both = (
                    instant
                    for instant in known.instants
                    if day.means(instant.date())
                    and (instant.hour, instant.minute) == (clock.hour, clock.minute)
                )
                if next(both, None) is None:
                    yield span


def _worded(rest: str, locale: str) -> Iterator[Finding]:
    language = locale.replace("-", "_").partition("_")[0].lower()
    if language not in languages():
        yield Finding(guard="rendered.words", ok=False, detail=f"there are no word lists for {language!r}")
        return
    words = rest.replace(_TAKEN, " ")
    yield _finding("character", strange_in(words))
    yield _finding("words", [f"{word.word} ({word.kind})" for word in listed_words(words, language)])


def _finding(guard: str, wrong: Collection[str]) -> Finding:
    quoted = ", ".join(dict.fromkeys(wrong))
    return Finding(guard=f"rendered.{guard}", ok=not wrong, detail=quoted[:_DETAIL_LENGTH])


def _take(text: str, start: int, end: int) -> str:
    return f"{text[:start]}{_TAKEN * (end - start)}{text[end:]}"


def _places(fact: str, text: str) -> Iterator[tuple[int, int]]:
    """Yield where a fact's text stands as a whole: no letter, digit or part of the same id beside it."""
    start = text.find(fact)
    while start >= 0:
        end = start + len(fact)
        before, after = text[max(start - 2, 0) : start], text[end : end + 2]
        if not _JOINED_BEFORE.search(before) and not _JOINED_AFTER.match(after):
            yield start, end
        start = text.find(fact, end)


_JOINED_BEFORE: Final = re.compile(r"\w$|\w[-_/.]$")
_JOINED_AFTER: Final = re.compile(r"\w|[-_/.]\w")


def _one_line(value: str) -> str:
    return " ".join(value.split())


@lru_cache(maxsize=8192)
def _amounts(minor: int, currency: str, formats: LocaleFormats) -> tuple[tuple[str, Decimal], ...]:
    amount = Decimal(minor).scaleb(-get_currency_precision(currency))
    return tuple((symbol, amount) for symbol in formats.symbols(currency))


def _stated_minutes(numbers: Mapping[str, int]) -> Iterator[Decimal]:
    for name, value in numbers.items():
        for word in name.rpartition(".")[2].split("_"):
            if word in _MINUTES:
                yield Decimal(value * _MINUTES[word])


def _derived_minutes(values: Mapping[str, object], derivations: Sequence[Derivation]) -> Iterator[Decimal]:
    for derivation in derivations:
        length = _between(values.get(derivation.earlier), values.get(derivation.later))
        if length is not None:
            yield Decimal(length // timedelta(minutes=1))


def _between(earlier: object, later: object) -> timedelta | None:
    if isinstance(earlier, datetime) and isinstance(later, datetime):
        return later - earlier
    if type(earlier) is date and type(later) is date:
        return later - earlier
    return None
