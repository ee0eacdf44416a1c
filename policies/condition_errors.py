"""Finds what is wrong with a condition and says it in a person's words, with the character at fault."""

import difflib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from cel_expr_python import cel

from policies.condition_tree import Node, NodeKind
from policies.variables import Variable, VariableSchema

_REPORT = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")
_UNDECLARED = re.compile(r"undeclared reference to '([^']*)'")
_OVERLOAD = re.compile(r"found no matching overload for '([^']*)' applied to '\((.*)\)'")
_SELECT = "cannot be the operand of a select operation"
_QUOTED = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\"""")
_HAS_MACRO = re.compile(r"(?<![\w.])has\s*\(")
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_WORD_OPERATORS: Final = {"and": "&&", "or": "||", "not": "!", "AND": "&&", "OR": "||", "NOT": "!"}
_FUNCTIONS: Final = (
    "contains", "duration", "endsWith", "exists", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear",
    "getFullYear", "getHours", "getMilliseconds", "getMinutes", "getMonth", "getSeconds", "int", "matches",
    "size", "startsWith", "string", "timestamp",
)  # fmt: skip
_ZONED: Final = frozenset(name for name in _FUNCTIONS if name.startswith("get"))
_TYPE_WORDS: Final = {
    "google.protobuf.Timestamp": "timestamp",
    "google.protobuf.Duration": "duration",
    "string": "text",
    "int": "whole number",
    "bool": "true or false",
    "double": "decimal number",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One thing wrong with a condition."""

    offset: int
    """The character at fault, from 0; line breaks count as characters."""
    problem: str
    remedy: str


def compile_mistakes(expression: str, report: str, schema: VariableSchema) -> list[Mistake]:
    """Translate the compiler's report; the first mistake only where it could not even read the expression."""
    found = _REPORT.findall(report)
    mistakes: list[Mistake] = []
    for line, column, message in found:
        offset = _offset(expression, int(line), int(column))
        if message.startswith("Syntax error"):
            return [_syntax(expression, offset, message)]
        if (undeclared := _UNDECLARED.search(message)) is not None:
            mistakes.append(_unknown_name(expression, offset, undeclared[1], schema))
        elif message.endswith(_SELECT):
            mistakes.append(_unknown_name(expression, offset, _dotted_around(expression, offset), schema))
        elif (overload := _OVERLOAD.search(message)) is not None:
            mistakes.append(_wrong_types(offset, overload[1], overload[2]))
        else:
            mistakes.append(Mistake(offset=offset, problem=message, remedy="correct the expression"))
    return mistakes or [Mistake(offset=0, problem=report, remedy="correct the expression")]


def macro_mistakes(expression: str) -> Iterator[Mistake]:
    """Yield uses of CEL's `has(…)`: on flat names it gives the value, not whether there is one."""
    blanked = _QUOTED.sub(lambda quoted: " " * len(quoted[0]), expression)
    for use in _HAS_MACRO.finditer(blanked):
        name = _DOTTED.match(expression, use.end())
        yield Mistake(
            offset=use.start(),
            problem="has(…) is not available",
            remedy=f"write has.{name[0] if name else 'record.field'}, without brackets",
        )


def literal_mistakes(tree: Node, schema: VariableSchema) -> Iterator[Mistake]:
    """Yield texts that compile but can never mean anything.

    A code compared with a word outside its vocabulary would silently never match, and a duration, zone or
    pattern that cannot be parsed would make the condition Unknown for ever.
    """
    for node in tree.walk():
        if node.kind is NodeKind.CALL:
            yield from _vocabulary_mistakes(node, schema)
            yield from _argument_mistakes(node, schema)


def _offset(expression: str, line: int, column: int) -> int:
    before = expression.split("\n")[: line - 1]
    return min(sum(len(text) + 1 for text in before) + column - 1, max(len(expression) - 1, 0))


def _syntax(expression: str, offset: int, message: str) -> Mistake:
    detail = message.removeprefix("Syntax error: ").partition(" expecting ")[0]
    word = _DOTTED.match(expression, offset)
    if word is not None and word[0] in _WORD_OPERATORS:
        return Mistake(
            offset=offset, problem=f"`{word[0]}` is no operator", remedy=f"write `{_WORD_OPERATORS[word[0]]}`"
        )
    if expression.startswith("=", offset) and not expression.startswith("==", offset):
        return Mistake(offset=offset, problem="`=` is no operator", remedy="write `==` to compare")
    return Mistake(
        offset=offset,
        problem=f"cannot be read here: {detail}",
        remedy="check brackets, quotes and operators",
    )


def _unknown_name(expression: str, offset: int, name: str, schema: VariableSchema) -> Mistake:
    start = expression.rfind(name, 0, offset + len(name))
    start = offset if start < 0 else start
    if expression.startswith("(", start + len(name)):
        return Mistake(
            offset=start, problem=f"unknown function `{name}`", remedy=_nearest(name, _FUNCTIONS, "functions")
        )
    parts = [known for known in schema.variables if known.startswith(f"{name}.")]
    if parts:
        return Mistake(
            offset=start, problem=f"`{name}` has parts", remedy=f"name one: {', '.join(parts[:6])}"
        )
    return Mistake(
        offset=start,
        problem=f"unknown name `{name}`",
        remedy=_nearest(name, schema.variables, _relatives(name)),
    )


def _dotted_around(expression: str, offset: int) -> str:
    return next((name[0] for name in _DOTTED.finditer(expression) if name.start() <= offset < name.end()), "")


def _relatives(name: str) -> str:
    return "names" if "." in name else "records: write record.field; names"


def _nearest(name: str, known: Iterable[str], kind: str) -> str:
    words = list(known)
    near = difflib.get_close_matches(name, words, n=1)
    if near:
        return f"did you mean `{near[0]}`?"
    head = name.partition(".")[0]
    same = [word for word in words if word.startswith(f"{head}.")] or [
        word for word in words if "has." not in word
    ]
    return f"known {kind}: {', '.join(sorted(same))}"


def _wrong_types(offset: int, operator: str, types: str) -> Mistake:
    words = [_TYPE_WORDS.get(part, part) for part in types.split(", ")]
    symbol = operator.replace("_?_:_", "?:").replace("@", "").strip("_")
    remedy = "compare and add only values of one kind; durations come from params"
    if "decimal number" in words:
        remedy = "numbers are whole here: write 2 instead of 2.0, and money in minor units"
    elif "timestamp" in words and "text" in words:
        remedy = "compare it with now or another timestamp; days (fields ending in _on) are texts"
    elif "timestamp" in words and "whole number" in words:
        remedy = "add a duration: a param written as 3d, 12h or 30m"
    return Mistake(offset=offset, problem=f"`{symbol}` does not work on {' and '.join(words)}", remedy=remedy)


def _vocabulary_mistakes(node: Node, schema: VariableSchema) -> Iterator[Mistake]:
    if node.text not in {"_==_", "_!=_", "@in"}:
        return
    for one, other in (node.children, node.children[::-1]):
        variable = schema.variables.get(one.text) if one.kind is NodeKind.NAME else None
        if variable is not None and variable.vocabulary:
            for candidate in other.children if other.kind is NodeKind.LIST else (other,):
                yield from _foreign_word(candidate, variable, schema)


def _foreign_word(node: Node, variable: Variable, schema: VariableSchema) -> Iterator[Mistake]:
    word = node.text if node.kind is NodeKind.TEXT else schema.params.get(node.text)
    if isinstance(word, str) and word not in variable.vocabulary:
        near = difflib.get_close_matches(word, variable.vocabulary, n=1)
        yield Mistake(
            offset=node.offset,
            problem=f"`{variable.name}` is never {word!r}",
            remedy=f"did you mean {near[0]!r}?" if near else f"use one of: {', '.join(variable.vocabulary)}",
        )


def _argument_mistakes(node: Node, schema: VariableSchema) -> Iterator[Mistake]:
    """Evaluate calls with a fixed text on their own: inside `&&` and `||` an error could stay hidden."""
    literal = next((child for child in reversed(node.children) if child.kind is NodeKind.TEXT), None)
    if literal is None:
        return
    quoted = json.dumps(literal.text)
    if node.text == "duration":
        probe, remedy = (
            f"duration({quoted})",
            "write hours, minutes or seconds (36h), or use a param, which has days",
        )
    elif node.text == "timestamp":
        probe, remedy = f"timestamp({quoted})", "write it as 2026-11-30T00:00:00Z"
    elif node.text == "matches":
        probe, remedy = f'"".matches({quoted})', "correct the pattern (RE2 syntax)"
    elif node.text in _ZONED:
        probe, remedy = (
            f'timestamp("2026-11-02T12:00:00Z").{node.text}({quoted})',
            "write an IANA zone: Europe/Berlin",
        )
    else:
        return
    value = schema.env.compile(probe).eval()
    if value.type() == cel.Type.ERROR:
        name = "zone" if node.text in _ZONED else node.text
        yield Mistake(offset=literal.offset, problem=f"{literal.text!r} is no {name}", remedy=remedy)
