"""Keeping the planner on the right index: which conditions only filter what an index has found."""

import json
from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Text, bindparam, func, select
from sqlalchemy.orm import Mapped
from sqlalchemy.sql.expression import BindParameter, Select
from sqlmodel import col

_NUL: Final = "\\u0000"
"""SQLite's JSON functions lose values with this character, and an outside system may have it in an id."""


def filtered(column: Mapped[str]) -> ColumnElement[str]:
    """Return a text column for a condition that no index may serve.

    Without statistics SQLite takes any index for `column = ?` to find about ten rows, and prefers it to
    another one for `key IN (…)` with more values than that. A state or a type has few values, so that plan
    reads a share of the whole table, and the cost of a sweep would grow with the mirror.
    """
    return column + ""


def among(conn: Connection, column: str | None, values: Sequence[str]) -> ColumnElement[bool]:
    """Return that a text column is one of many values.

    SQLite gets them as one JSON text: a list of thousands of placeholders is built, parsed and planned anew
    for each statement, at a fifth of the cost of finding the rows.
    """
    many = packed(conn, values)
    return col(column).in_(_listed(many.value) if isinstance(many.value, str) else many.value)


class Packed(NamedTuple):
    """Many text values as one parameter of a statement that is built once."""

    value: str | list[str]
    as_text: bool
    """Whether they are one JSON text; the statement differs by it."""


def packed(conn: Connection, values: Sequence[str]) -> Packed:
    """Return many values as the parameter of `is_among`."""
    text = json.dumps(values, ensure_ascii=False)
    if conn.dialect.name != "sqlite" or _NUL in text:
        return Packed(list(values), as_text=False)
    return Packed(text, as_text=True)


def is_among(column: str | None, name: str, *, as_text: bool) -> ColumnElement[bool]:
    """Return what `among` returns for a statement that is built once and run with many parameters.

    Building a statement costs SQLAlchemy several times what running it costs, so what runs in every round
    is built once per process.

    Args:
        column: A text column.
        name: Of the parameter, which is `Packed.value`.
        as_text: As `Packed` says.
    """
    if as_text:
        return col(column).in_(_listed(bindparam(name, type_=Text())))
    return col(column).in_(bindparam(name, expanding=True))


def _listed(text: str | BindParameter[str]) -> Select[str]:
    listed = func.json_each(text).table_valued("value")
    return select(listed.c.value)
