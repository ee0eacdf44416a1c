"""Keeping the planner on the right index: which conditions only filter what an index has found."""

import json
from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, Connection, func, select
from sqlalchemy.orm import Mapped
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
    text = json.dumps(values, ensure_ascii=False)
    if conn.dialect.name != "sqlite" or _NUL in text:
        return col(column).in_(values)
    listed = func.json_each(text).table_valued("value")
    return col(column).in_(select(listed.c.value))
