"""Checks of a playbook that need more than one field: names that must exist, combinations that must not."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from policies.fact_names import fact_kind, fact_names, is_coarse, is_untrusted, nearest_fact, record_types_of
from policies.model import Playbook
from tools.errors import InputError
from tools.records.registry import RECORD_TYPES
from tools.records.vocabulary import Purpose
from tools.yaml_file import did_you_mean
from tools.yaml_source import Loc

Report = Callable[[Loc, str, str], InputError]
"""From a place in the file, a problem and a remedy to an error."""

_CRITICAL: Final = frozenset({Purpose.SAFETY, Purpose.ACCOUNT_SECURITY})
_FEWEST_CHANNELS: Final = 2


def playbook_mistakes(playbook: Playbook, report: Report) -> Iterator[InputError]:
    """Yield everything wrong with a playbook that its fields alone do not show, conditions aside."""
    wrong_types = list(_record_types(playbook, report))
    yield from wrong_types
    if not wrong_types:
        yield from _facts(playbook, report)
    yield from _combinations(playbook, report)


def _record_types(playbook: Playbook, report: Report) -> Iterator[InputError]:
    trigger = playbook.trigger
    named: list[tuple[Loc, str]] = [(("trigger", "record"), trigger.record)]
    named += [(("trigger", "related", at), name) for at, name in enumerate(trigger.related)]
    seen: set[str] = set()
    for loc, name in named:
        if name not in RECORD_TYPES:
            known = ", ".join(RECORD_TYPES)
            yield report(
                loc,
                f"unknown record type `{name}`",
                did_you_mean(name, list(RECORD_TYPES)) or f"use one of: {known}",
            )
        elif name in seen:
            yield report(loc, f"`{name}` is named twice", "remove one")
        seen.add(name)


def _facts(playbook: Playbook, report: Report) -> Iterator[InputError]:
    reachable = {playbook.trigger.record, *playbook.trigger.related, "customer"}
    lists: dict[str, Sequence[str]] = {
        "facts": playbook.facts,
        "required_facts": playbook.required_facts,
        "untrusted": playbook.untrusted,
        "situation": playbook.situation,
    }
    for field, names in lists.items():
        for at, name in enumerate(names):
            problem = _fact_problem(field, name, playbook, reachable)
            if problem is not None:
                yield report((field, at), *problem)
    stake = playbook.stake
    if stake is not None:
        problem = _fact_problem("stake", stake, playbook, reachable) or _no_stake(stake, playbook)
        if problem is not None:
            yield report(("stake",), *problem)


def _fact_problem(field: str, name: str, playbook: Playbook, reachable: set[str]) -> tuple[str, str] | None:
    """Return the problem and the remedy of one fact name, or None when it is right."""
    if name not in fact_names():
        near = nearest_fact(name)
        return f"unknown fact `{name}`", f"did you mean `{near}`?" if near else "write record.field"
    missing = sorted(set(record_types_of(name)) - reachable)
    if missing:
        return f"`{name}` needs the record `{missing[0]}`", f"add {missing[0]} to trigger.related"
    return _misplaced(field, name, playbook)


def _misplaced(field: str, name: str, playbook: Playbook) -> tuple[str, str] | None:
    """Return what is wrong with a known fact standing in this list."""
    by_strangers = is_untrusted(name)
    if field == "untrusted" and not by_strangers:
        return f"`{name}` is not written by strangers", "move it to facts"
    if field != "untrusted" and by_strangers:
        return f"`{name}` is text by strangers", "move it to untrusted, or use customer.first_name for a name"
    if field == "required_facts" and name not in playbook.facts:
        return f"`{name}` is required but not gathered", "add it to facts"
    if field == "situation" and not is_coarse(name):
        return f"`{name}` has too many values to group by", "use a status, a kind of closed words, or a flag"
    return None


def _no_stake(name: str, playbook: Playbook) -> tuple[str, str] | None:
    """Return why a known fact cannot be what a message is about in money."""
    if fact_kind(name) != "money":
        return f"`{name}` is no amount of money", "name one such as order.total, or leave stake out"
    if name not in playbook.facts:
        return f"`{name}` is the stake but not gathered", "add it to facts"
    return None


def _second_channel(playbook: Playbook, report: Report) -> Iterator[InputError]:
    """Yield what is wrong with the one exception to sending once, which must be declared in full."""
    if playbook.when_unknown == "leave":
        for at, channel in enumerate(playbook.channels):
            if channel.second:
                yield report(
                    ("channels", at, "second"),
                    "no second message is ever sent",
                    "write when_unknown: second_channel, or remove it",
                )
        return
    if playbook.purpose not in _CRITICAL:
        yield report(
            ("when_unknown",),
            f"{playbook.purpose.value} messages are never sent a second time",
            "write leave; only safety and account_security messages may repeat",
        )
    if len(playbook.channels) < _FEWEST_CHANNELS:
        yield report(("when_unknown",), "there is no second channel", "add one to channels, or write leave")
    for at, channel in enumerate(playbook.channels):
        if not channel.second:
            yield report(
                ("channels", at),
                f"there is no text for a second message by {channel.kind.value}",
                "add second: with the template of a text that says that it may repeat",
            )
        elif channel.second in {one.template for one in playbook.channels}:
            yield report(
                ("channels", at, "second"),
                f"{channel.second!r} is the text of a first message",
                "write another one, which says that it may repeat",
            )


def _combinations(playbook: Playbook, report: Report) -> Iterator[InputError]:
    yield from _second_channel(playbook, report)
    trigger = playbook.trigger
    if trigger.scope == "affected" and trigger.record != "incident":
        yield report(("trigger", "scope"), "only an incident affects customers", "use owner")
    kinds = [channel.kind for channel in playbook.channels]
    for at, kind in enumerate(kinds):
        if kind in kinds[:at]:
            yield report(("channels", at, "kind"), f"{kind.value!r} is named twice", "remove one")
    if playbook.holdout is not None and playbook.purpose in _CRITICAL:
        yield report(
            ("holdout",), f"nobody is kept back from {playbook.purpose.value} messages", "remove holdout"
        )
    if playbook.purpose is Purpose.COLLECTIONS and playbook.review == "auto":
        yield report(("review",), "messages about debt always go through a person", "write required")
