"""Typed replies: the schema that is sent, the parsing of what comes back, and what a repair turn is told."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Final, TypeVar, cast

from pydantic import BaseModel, ValidationError

from agent.domain.model import Composition
from tools.safe_text import is_hidden

ReplyT = TypeVar("ReplyT", bound=BaseModel)
Schema = dict[str, object]

LONGEST_SUBJECT: Final = 300
LONGEST_BODY: Final = 6_000
"""Characters; far above any channel's limit, which the guards check. They keep nonsense out of the store."""
_MOST_ERRORS: Final = 10
_DROPPED: Final = frozenset({"title", "default", "discriminator", "examples"})
_ALLOWED: Final = frozenset(
    {
        "$defs", "$ref", "additionalProperties", "anyOf", "const", "description", "enum", "items",
        "properties", "required", "type",
    }
)  # fmt: skip
"""What every server's strict mode takes. Lengths and ranges are not among it: they are checked here."""


class ReplyError(Exception):
    """A reply does not fit its type; `problems` is what the model is told, one line each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@cache
def reply_schema(reply: type[BaseModel]) -> Schema:
    """Return the JSON schema of a reply type in the form that strict modes take.

    Objects are closed and all their fields required; a tagged union is `anyOf`, because `oneOf` and
    `discriminator` are refused by OpenAI and mean the same for branches with different tags.

    Raises:
        TypeError: The type uses a keyword that not every server's strict mode takes.
    """
    return _strict(cast("Schema", reply.model_json_schema()), reply.__name__)


def parse_reply(reply: type[ReplyT], text: str) -> ReplyT:
    """Return the reply that a text holds.

    Raises:
        ReplyError: The text is no JSON, does not fit the type, or breaks a limit that no schema carries.
    """
    try:
        value = reply.model_validate_json(text)
    except ValidationError as exc:
        raise ReplyError(_problems(exc)) from exc
    if isinstance(value, Composition) and (problems := _composition_problems(value)):
        raise ReplyError(problems)
    return value


def _strict(node: object, path: str) -> Schema:
    schema = cast("Schema", node)
    kept = {key: value for key, value in schema.items() if key not in _DROPPED}
    if "oneOf" in kept:
        kept["anyOf"] = kept.pop("oneOf")
    if unknown := sorted(kept.keys() - _ALLOWED):
        raise TypeError(f"{path}: strict modes do not all take {unknown[0]!r}; check it locally instead")
    for key in ("properties", "$defs"):
        if key in kept:
            named = cast("Schema", kept[key])
            kept[key] = {name: _strict(value, f"{path}.{name}") for name, value in named.items()}
    if "anyOf" in kept:
        kept["anyOf"] = [_strict(branch, path) for branch in cast("list[object]", kept["anyOf"])]
    if "items" in kept:
        kept["items"] = _strict(kept["items"], f"{path}[]")
    if kept.get("type") == "object":
        if "properties" not in kept:
            raise TypeError(f"{path}: an object without named fields is open, which strict modes refuse")
        kept["additionalProperties"] = False
        kept["required"] = list(cast("Schema", kept["properties"]))
    return kept


def _problems(error: ValidationError) -> tuple[str, ...]:
    """Say what is wrong without repeating the input, which may hold anything."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return tuple(
        f"{'.'.join(str(part) for part in entry['loc']) or 'reply'}: {_plain(entry['type'], entry['msg'])}"
        for entry in found[:_MOST_ERRORS]
    )


def _plain(kind: str, message: str) -> str:
    # names of unknown fields are the model's own words, so only the kind is repeated for broken JSON
    return "this is no complete JSON object" if kind == "json_invalid" else message


def _composition_problems(value: Composition) -> tuple[str, ...]:
    checks = (
        (not value.body.strip(), "body: it is empty"),
        (len(value.body) > LONGEST_BODY, f"body: longer than {LONGEST_BODY} characters"),
        (len(value.subject) > LONGEST_SUBJECT, f"subject: longer than {LONGEST_SUBJECT} characters"),
        ("\n" in value.subject, "subject: more than one line"),
        (any(map(is_hidden, value.subject + value.body)), "control characters are not allowed"),
    )
    return tuple(problem for holds, problem in checks if holds)


def schema_text(schema: Mapping[str, object]) -> str:
    """Return a schema as compact JSON in its own order, which servers also generate in."""
    return json.dumps(schema, separators=(",", ":"))
