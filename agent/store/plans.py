"""Keeping the planner on the right index: which conditions only filter what an index has found."""

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Mapped


def filtered(column: Mapped[str]) -> ColumnElement[str]:
    """Return a text column for a condition that no index may serve.

    Without statistics SQLite takes any index for `column = ?` to find about ten rows, and prefers it to
    another one for `key IN (…)` with more values than that. A state or a type has few values, so that plan
    reads a share of the whole table, and the cost of a sweep would grow with the mirror.
    """
    return column + ""
