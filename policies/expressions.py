"""Conditions in CEL behind a small wrapper: checked when loaded; True, False or Unknown when evaluated."""

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Final

from cel_expr_python import cel

from policies.condition_errors import Mistake, compile_mistakes, literal_mistakes, macro_mistakes
from policies.condition_tree import NodeKind, decode_tree
from policies.errors import ConditionError
from policies.variables import VariableSchema, VariableType
from tools.yaml_source import Place

Locate = Callable[[int], Place | None]
"""From a character of an expression to its place in the file."""


_SHOWN_BEFORE = 40
_SHOWN_AFTER = 60


class Truth(Enum):
    """The three answers of a condition; Unknown when a value that it needs is missing."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"

    def __bool__(self) -> bool:
        """Refuse: every member would count as true, Unknown and False included."""
        raise TypeError("compare with Truth.TRUE; a three-valued answer has no plain truth")


_CEL_RESULTS: Final = {
    VariableType.FLAG: cel.Type.BOOL,
    VariableType.INSTANT: cel.Type.TIMESTAMP,
    VariableType.TEXT: cel.Type.STRING,
}


class Expression:
    """One checked condition.

    Errors of evaluation come back from CEL as values (a non-empty text, which Python would take for true);
    here they are Unknown or None. `&&` and `||` absorb them where the other side decides.
    """

    def __init__(self, program: cel.Expression, names: frozenset[str]) -> None:
        """Wrap a compiled program; `compile_expression` is the way to make one."""
        self._program = program
        self.names = names
        """The variables it uses."""

    def truth(self, bindings: cel.Activation) -> Truth:
        """Evaluate a condition."""
        value = self._program.eval(bindings).value()
        if value is True:
            return Truth.TRUE
        return Truth.FALSE if value is False else Truth.UNKNOWN

    def instant(self, bindings: cel.Activation) -> datetime | None:
        """Evaluate a timestamp, aware and in UTC; None when Unknown."""
        value = self._program.eval(bindings).value()
        return value if isinstance(value, datetime) else None

    def text(self, bindings: cel.Activation) -> str | None:
        """Evaluate a text; None when Unknown."""
        value = self._program.eval(bindings)
        # an error's value is a text too, so its type decides
        return str(value.value()) if value.type() == cel.Type.STRING else None


def compile_expression(
    expression: str,
    schema: VariableSchema,
    *,
    result: VariableType,
    path: Path | None = None,
    field: str | None = None,
    locate: Locate | None = None,
) -> Expression:
    """Compile and check one expression.

    Args:
        expression: CEL text.
        schema: What it may name.
        result: What it must come to: FLAG, INSTANT or TEXT.
        path: Named in messages only.
        field: The same.
        locate: Finds characters of the expression in the file.

    Raises:
        ConditionError: It names something unknown, has the wrong type, compares a code with a word outside
            its vocabulary, or fails on sample values; all mistakes are in the message.
    """
    if mistakes := list(macro_mistakes(expression)):
        raise _error(expression, mistakes, path=path, field=field, locate=locate)
    try:
        program = schema.env.compile(expression)
    except RuntimeError as exc:
        mistakes = compile_mistakes(expression, str(exc), schema)
        raise _error(expression, mistakes, path=path, field=field, locate=locate) from exc
    tree = decode_tree(program.serialize())
    mistakes = list(literal_mistakes(tree, schema)) or _result_mistakes(program, result, schema)
    if mistakes:
        raise _error(expression, mistakes, path=path, field=field, locate=locate)
    names = {node.text for node in tree.walk() if node.kind is NodeKind.NAME}
    return Expression(program, frozenset(names & schema.variables.keys()))


def _result_mistakes(program: cel.Expression, result: VariableType, schema: VariableSchema) -> list[Mistake]:
    if program.return_type() != _CEL_RESULTS[result]:
        return [
            Mistake(
                offset=0,
                problem=f"this must come to {result.value}, not {program.return_type().name().lower()}",
                remedy="end it in a comparison" if result is VariableType.FLAG else f"name a {result.value}",
            )
        ]
    for flags in (True, False):
        value = program.eval(schema.sample(flags=flags))
        if value.type() == cel.Type.ERROR:
            return [
                Mistake(
                    offset=0,
                    problem=f"fails on sample values: {value.value()}",
                    remedy="check literals and divisions; it would never be true",
                )
            ]
    return []


def _error(
    expression: str,
    mistakes: Sequence[Mistake],
    *,
    path: Path | None,
    field: str | None,
    locate: Locate | None,
) -> ConditionError:
    errors: list[ConditionError] = []
    for mistake in mistakes:
        place = locate(mistake.offset) if locate else None
        errors.append(
            ConditionError(
                f"{mistake.problem}\n{_caret(expression, mistake.offset)}",
                remedy=mistake.remedy,
                path=path,
                line=place.line if place else None,
                column=place.column if place else None,
                field=field,
            )
        )
    first, *rest = errors
    if not rest:
        return first
    return ConditionError(
        first.problem,
        remedy=first.remedy,
        path=first.path,
        line=first.line,
        column=first.column,
        field=first.field,
        also=rest,
    )


def _caret(expression: str, offset: int) -> str:
    """Return the part of the expression around a character, with a caret below it."""
    start = max(expression.rfind("\n", 0, offset) + 1, offset - _SHOWN_BEFORE)
    end = expression.find("\n", offset)
    end = min(end if end >= 0 else len(expression), offset + _SHOWN_AFTER)
    return f"    {expression[start:end]}\n    {' ' * (offset - start)}^"
