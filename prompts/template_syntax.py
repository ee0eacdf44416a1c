"""What a message template may contain: text, slots, and branches on which facts there are. Nothing else."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import StrictUndefined, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from prompts.render import SLOT
from tools.errors import InputError
from tools.safe_text import safe_text

_ALLOWED = "text, slots like {order.number}, and {% if 'order.total' in facts %} … {% endif %}"
_TESTS: Final = {"in", "notin"}


@cache
def sandbox() -> ImmutableSandboxedEnvironment:
    """Return the environment of all templates and prompts: sandboxed, strict about undefined names."""
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        autoescape=False,  # plain text in every channel, never HTML
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["quoted"] = quoted
    return environment


def quoted(text: str) -> str:
    """Return a text as one JSON string that nothing in it can end: how prompts show what others wrote.

    Letters of every language stay readable; hidden characters become visible, and `<` and `>` are escaped so
    that no text can look like the marks of a conversation.
    """
    visible = json.dumps(safe_text(text), ensure_ascii=False)
    return visible.replace("<", "\\u003c").replace(">", "\\u003e")


def named_facts(source: str, *, path: Path, first_line: int) -> frozenset[str]:
    """Check a template text and return the facts that its branches name.

    Raises:
        InputError: It contains anything but text, slots and branches on facts.
    """
    try:
        tree = sandbox().parse(source)
    except TemplateSyntaxError as exc:
        raise InputError(
            f"the template cannot be read: {exc.message}",
            path=path,
            line=first_line + exc.lineno - 1,
            remedy=f"a template may contain {_ALLOWED}",
        ) from exc
    return frozenset(_walk(tree, path, first_line))


def refuse_stray_braces(source: str, *, path: Path, first_line: int) -> None:
    """Check that every brace belongs to a slot or a branch.

    Raises:
        InputError: A brace does not.
    """
    for number, line in enumerate(source.split("\n"), start=first_line):
        rest = SLOT.sub("", re.sub(r"\{%.*?%\}", "", line))
        if "{" in rest or "}" in rest:
            raise InputError(
                "a brace belongs to no slot",
                path=path,
                line=number,
                remedy="write slots as {record.field}, for example {order.number}",
            )


def _walk(node: nodes.Node, path: Path, first_line: int) -> Iterator[str]:
    """Yield the facts named in tests; refuse whatever is not on the list."""
    match node:
        case nodes.Compare(
            expr=nodes.Const(value=str() as fact),
            ops=[nodes.Operand(op=op, expr=nodes.Name(name="facts"))],
        ) if op in _TESTS:
            yield fact
        case nodes.TemplateData():
            pass
        case nodes.Template() | nodes.Output() | nodes.If() | nodes.And() | nodes.Or() | nodes.Not():
            for child in node.iter_child_nodes():
                yield from _walk(child, path, first_line)
        case _:
            raise InputError(
                f"a template may not contain {type(node).__name__.lower()}",
                path=path,
                line=first_line + node.lineno - 1,
                remedy=f"a template may contain {_ALLOWED}",
            )
