"""Mistakes in a connector file, by their place in it, and the one message they are shown as."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tools.errors import InputError
from tools.yaml_source import Loc, YamlDocument, dotted


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where it stands, what it is, what to do about it."""

    loc: Loc
    problem: str
    remedy: str


def refusal(problems: Sequence[Problem], document: YamlDocument | None = None) -> InputError:
    """Return the error that names every problem, with file and line when the document is known."""
    errors = [_error(problem, document) for problem in problems]
    errors.sort(key=lambda error: (error.line or 0, error.column or 0))
    first, *rest = errors
    return InputError(
        first.problem,
        remedy=first.remedy,
        path=first.path,
        line=first.line,
        column=first.column,
        field=first.field,
        also=rest,
    )


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the remedy for a name that is not known: the nearest one, or all of them."""
    names = list(known)
    near = difflib.get_close_matches(word, names, n=1)
    return f"did you mean `{near[0]}`?" if near else f"known are: {', '.join(names)}"


def _error(problem: Problem, document: YamlDocument | None) -> InputError:
    if document is None:
        return InputError(problem.problem, remedy=problem.remedy, field=dotted(problem.loc))
    place = document.key_place(problem.loc)
    return InputError(
        problem.problem,
        remedy=problem.remedy,
        path=document.path,
        line=place.line,
        column=place.column,
        field=dotted(problem.loc),
    )
