"""Suites by name: hand-made datasets, generated sets, and strangers' texts in every field that takes one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.canonical import canonical, text_hash
from evals.cases.loading import DATASETS, dataset_files, load_suites
from evals.cases.model import Case
from evals.results import Decided
from tools.errors import InputError
from tools.yaml_file import did_you_mean

HAND_MADE: Final = "hand_made"
"""All datasets together."""
ALL: Final = "all"
_SHOWN: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A suite that is made on request, with the reason why it cannot be made here, if there is one."""

    cases: tuple[Case, ...] = ()
    skipped: str = ""


Make = Callable[[int, Sequence[Case]], Made]
"""Makes a suite from a seed and the cases of all datasets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The cases of a run."""

    suites: tuple[str, ...]
    cases: tuple[Case, ...]
    skipped: tuple[str, ...] = ()
    """Suites that could not be made here, each with its reason."""

    @property
    def dataset_hash(self) -> str:
        """SHA-256 over the cases, hex."""
        return text_hash(
            canonical([case.model_dump(mode="json", exclude_defaults=True) for case in self.cases])
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which cases to run; empty fields leave everything in."""

    suites: tuple[str, ...] = (HAND_MADE,)
    scenarios: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    seed: int = 1
    datasets: Path = DATASETS


def choose(wanted: Wanted, made: Mapping[str, Make]) -> Chosen:
    """Return the cases that are wanted, in the order of suites and files.

    Raises:
        InputError: There is no such suite, scenario, family or case, or a dataset is wrong.
    """
    written = load_suites(dataset_files(wanted.datasets))
    by_hand = [case for cases in written.values() for case in cases]
    names = _names(wanted.suites, written, made)
    found: list[Case] = []
    skipped: list[str] = []
    for name in names:
        if name in written:
            found += written[name]
            continue
        suite = made[name](wanted.seed, by_hand)
        found += suite.cases
        if suite.skipped:
            skipped.append(f"{name}: {suite.skipped}")
    cases = _narrowed(found, wanted)
    if not cases and not skipped:
        raise InputError(
            "no case is left", remedy="leave some of the options away; --list shows what there is"
        )
    return Chosen(suites=wanted.suites, cases=tuple(cases), skipped=tuple(skipped))


def count_by_suite(wanted: Wanted, made: Mapping[str, Make]) -> list[tuple[str, int, int, str]]:
    """Return (suite, cases, of them without a contact, why it cannot be made here) of every suite."""
    written = load_suites(dataset_files(wanted.datasets))
    by_hand = [case for cases in written.values() for case in cases]
    rows = [(name, cases, "") for name, cases in written.items()]
    for name, make in made.items():
        suite = make(wanted.seed, by_hand)
        rows.append((name, suite.cases, suite.skipped))
    return [
        (name, len(cases), sum(not case.expect.contact for case in cases), why) for name, cases, why in rows
    ]


def always_and_never(cases: Sequence[Case]) -> dict[str, float]:
    """Return the share of cases whose decision plain policies would get right.

    A suite in which `always` is right in more than half of the cases is too easy.
    """
    silence = {Decided.ABSTAIN, Decided.DEFER, Decided.NONE}
    return {
        "always": sum(case.expect.contact for case in cases) / len(cases),
        "never": sum(case.expect.decisions[0] in silence for case in cases) / len(cases),
    }


def _names(
    suites: Sequence[str], written: dict[str, tuple[Case, ...]], made: Mapping[str, Make]
) -> list[str]:
    known = [HAND_MADE, ALL, *written, *made]
    names: dict[str, None] = {}
    for suite in suites:
        if suite not in known:
            raise InputError(
                f"there is no suite {suite!r}",
                field="--suite",
                remedy=did_you_mean(suite, known) or f"take one of: {', '.join(known)}",
            )
        members = [*written, *(made if suite == ALL else ())] if suite in {HAND_MADE, ALL} else [suite]
        names |= dict.fromkeys(members)
    return list(names)


def _narrowed(cases: Sequence[Case], wanted: Wanted) -> list[Case]:
    fields: tuple[tuple[str, tuple[str, ...], Callable[[Case], set[str]]], ...] = (
        ("--scenario", wanted.scenarios, lambda case: {case.scenario}),
        ("--family", wanted.families, lambda case: {case.family.value, f"{case.family.number}"}),
        ("--case", wanted.cases, lambda case: {case.id}),
    )
    left = list(cases)
    for option, names, values_of in fields:
        known = sorted({value for case in cases for value in values_of(case)})
        for name in names:
            if name not in known:
                remedy = did_you_mean(name, known) or f"there are: {', '.join(known[:_SHOWN])}"
                raise InputError(f"no case has {name!r}", field=option, remedy=remedy)
        if names:
            left = [case for case in left if values_of(case).intersection(names)]
    return left
