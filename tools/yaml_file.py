"""Loads a YAML file into a strict pydantic model, and says exactly what is wrong and where when it cannot."""

import difflib
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tools.described import field_meanings
from tools.errors import InputError
from tools.yaml_source import Loc, YamlDocument, dotted, read_yaml

M = TypeVar("M", bound=BaseModel)

_CHOICES = re.compile(r"'([^']*)'")
_REMEDIES = {
    "bool_type": "write true or false",
    "bool_parsing": "write true or false",
    "string_type": "put the value in quotes",
    "int_type": "write a whole number, without quotes",
    "int_parsing": "write a whole number, without quotes",
    "int_from_float": "write a whole number",
    "date_from_datetime_parsing": "write a date as 2026-11-30",
    "date_parsing": "write a date as 2026-11-30",
    "model_type": "write `name: value` lines, indented below the field",
    "dict_type": "write `name: value` lines, indented below the field",
    "tuple_type": "write a list: [first, second]",
    "list_type": "write a list: [first, second]",
}


def load_yaml(path: Path, model: type[M]) -> M:
    """Read a YAML file into `model`.

    Raises:
        InputError: The file cannot be read or does not fit; the message names every mistake with its line.
    """
    return parse_yaml(read_text(path), model, path=path)


def parse_yaml(text: str, model: type[M], *, path: Path) -> M:
    """Read YAML text into `model`; `path` is named in messages only.

    Raises:
        InputError: As `load_yaml`.
    """
    return fit(read_yaml(text, path=path), model)


def read_text(path: Path) -> str:
    """Return a file's text.

    Raises:
        InputError: There is no such file, it cannot be read, or it is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as exc:
        raise InputError("there is no such file", path=path, remedy="check the name and the folder") from exc
    except UnicodeDecodeError as exc:
        raise InputError("the file is not UTF-8", path=path, remedy="save it as UTF-8") from exc
    except OSError as exc:
        raise InputError(
            f"the file cannot be read: {exc.strerror}",
            path=path,
            remedy="check what it is and its permissions",
        ) from exc


def fit(document: YamlDocument, model: type[M]) -> M:
    """Validate a document's data as `model`.

    The data goes through JSON, so that strict models accept lists as tuples and texts as codes and dates.

    Raises:
        InputError: The data does not fit.
    """
    try:
        return model.model_validate_json(json.dumps(document.data))
    except ValidationError as exc:
        errors = [one for one in exc.errors(include_url=False) if not _follows(one, exc)]
        mistakes = [_mistake(error, document, model) for error in errors]
    raise gathered(_distinct(mistakes))


def gathered(mistakes: Sequence[InputError]) -> InputError:
    """Return the first mistake of a file as an error that also carries the others, in the file's order."""
    first, *rest = sorted(mistakes, key=lambda mistake: (mistake.line or 0, mistake.column or 0))
    return type(first)(
        first.problem,
        remedy=first.remedy,
        path=first.path,
        line=first.line,
        column=first.column,
        field=first.field,
        also=rest,
    )


def did_you_mean(word: str, known: Sequence[str]) -> str | None:
    """Return the remedy that names the nearest known word, or None when nothing is near."""
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean `{near[0]}`?" if near else None


def _follows(error: ErrorDetails, exc: ValidationError) -> bool:
    """Whether a list is only too short because mistakes in its members left these out."""
    loc = error["loc"]
    return error["type"] == "too_short" and any(
        len(other["loc"]) > len(loc) and other["loc"][: len(loc)] == loc for other in exc.errors()
    )


def _mistake(error: ErrorDetails, document: YamlDocument, model: type[BaseModel]) -> InputError:
    loc = _named(error["loc"], document)
    unknown = error["type"] == "extra_forbidden"
    place = document.key_place(loc) if unknown else document.place(loc)
    problem, remedy = _wording(error, loc, model)
    return InputError(
        problem,
        remedy=remedy,
        path=document.path,
        line=place.line,
        column=place.column,
        field=dotted(loc) or None,
    )


def _named(loc: Sequence[str | int], document: YamlDocument) -> Loc:
    """Keep the parts of a pydantic location that stand in the file, and the name of a missing field."""
    kept: list[str | int] = []
    for at, part in enumerate(loc):
        if document.holds((*kept, part)):
            kept.append(part)
        elif at == len(loc) - 1 and part != "[key]" and document.is_mapping(tuple(kept)):
            kept.append(part)  # a field that is missing; anything else names a branch of a union
    return tuple(kept)


def _wording(error: ErrorDetails, loc: Loc, model: type[BaseModel]) -> tuple[str, str]:
    """Return the problem and the remedy of one pydantic error."""
    name = str(loc[-1]) if loc else ""
    if error["type"] == "extra_forbidden":
        fields = sorted({field for parent in _models_at(model, loc[:-1]) for field in parent.model_fields})
        return "unknown field", did_you_mean(name, fields) or f"known here: {', '.join(fields)}"
    if error["type"] == "missing":
        return "the field is missing", f"add `{name}: …`{_meaning(model, loc)}"
    if error["type"] == "value_error":
        problem, _, remedy = error["msg"].removeprefix("Value error, ").rpartition("; ")
        return (problem, remedy) if problem else (remedy, f"correct the value{_meaning(model, loc)}")
    problem = error["msg"].replace("Input should be", "must be").replace("Input should", "must")
    if error["type"] in {"enum", "literal_error"}:
        known = _CHOICES.findall(error["msg"])
        remedy = did_you_mean(str(error["input"]), known) or f"use one of: {', '.join(known)}"
        return f"{error['input']!r} is not allowed here", remedy
    shown = "" if isinstance(error["input"], dict | list) else f", not {error['input']!r}"
    return f"{problem}{shown}", _REMEDIES.get(error["type"], f"correct the value{_meaning(model, loc)}")


def _meaning(model: type[BaseModel], loc: Loc) -> str:
    """Return the field's own description, in brackets, when it has one."""
    for parent in _models_at(model, loc[:-1]):
        words = field_meanings(parent).get(str(loc[-1])) if loc else None
        if words:
            return f" ({' '.join(words.split())})"
    return ""


def _models_at(model: type[BaseModel], loc: Loc) -> list[type[BaseModel]]:
    """Return the models whose fields may stand at `loc`; several where a union allows several."""
    models = [model]
    for part in loc:
        fields = [parent.model_fields[str(part)] for parent in models if part in parent.model_fields]
        if fields:
            models = [inner for field in fields for inner in _models_in(field.annotation)]
    return models


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    """Yield the models inside a type, through lists, mappings and unions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _distinct(mistakes: Sequence[InputError]) -> list[InputError]:
    """Keep one mistake per place: the branches of a union all complain about the same value.

    A field that is missing because its name is misspelt is left to the message about the misspelt name.
    """
    meant = {
        (mistake.field or "").rpartition(".")[0] + mistake.remedy for mistake in mistakes if mistake.remedy
    }
    return list(
        {
            (mistake.line, mistake.column, mistake.field): mistake
            for mistake in mistakes
            if _meant(mistake.field or "") not in meant
        }.values()
    )


def _meant(field: str) -> str:
    parent, _, name = field.rpartition(".")
    return f"{parent}did you mean `{name}`?"
