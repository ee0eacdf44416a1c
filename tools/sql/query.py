"""The SQL that is sent: a connector's query, wrapped, with a position, an order and a bound."""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BindParameter, ColumnElement, Select, TextClause, bindparam, column, or_, select, text
from sqlalchemy.sql.selectable import Subquery
from sqlalchemy.types import NullType

_TOKEN: Final = re.compile(
    r"""
    (?P<skipped> --[^\n]* | /\*.*?\*/ | \s+ )
  | (?P<quoted> '(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*` | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ )
  | (?P<id> (?<!:) :id\b (?!:) )
  | (?P<word> [^\W\d]\w* )
  | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_WRITES: Final = (
    ("insert", "into"),
    ("delete", "from"),
    ("merge", "into"),
    ("for", "update"),
    ("for", "share"),
    ("for", "no"),
)
_BOUNDS: Final = frozenset({"limit", "offset", "fetch"})


def statement_problem(query: str) -> tuple[str, str] | None:
    """Return what is wrong with a query as (problem, remedy), or None when it is one bounded-less SELECT."""
    words = list(_words(query.strip()))
    plain = [word for word, _ in words]
    if not plain or plain[0] not in {"select", "with"}:
        return "the query is no SELECT", "write one SELECT; the connector only reads"
    if ";" in plain:
        return "the query holds several statements", "write one SELECT"
    pairs = set(itertools.pairwise(plain))
    written = [" ".join(pair).upper() for pair in _WRITES if pair in pairs]
    if written or ("into" in plain and plain[0] == "select" and ("into", 0) in words):
        return f"the query contains {written[0] if written else 'INTO'}", "write a SELECT that only reads"
    if bound := next((word for word, depth in words if depth == 0 and word in _BOUNDS), None):
        return (
            f"{bound.upper()} at the end of the query hides rows",
            "remove it; `page` says how many rows are read at a time",
        )
    return None


def _words(query: str) -> Iterator[tuple[str, int]]:
    """Yield the words and signs outside of quotes and comments, in lower case, with their depth in brackets.

    A semicolon at the very end is left out.
    """
    depth = 0
    for match in _TOKEN.finditer(query.rstrip().removesuffix(";")):
        found = match[0]
        depth += (found == "(") - (found == ")")
        if match.lastgroup in {"word", "other"}:
            yield found.lower(), depth


def trimmed(query: str) -> str:
    """Return the query without surrounding space and the closing semicolon."""
    return query.strip().removesuffix(";").rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """Everything that is asked of one stream; built once, executed with parameters."""

    first: Select[Any]
    """The first page: parameter `size`."""
    after: Select[Any]
    """The page after a place: parameters `position` (not for a snapshot), `key`, `size`."""
    since: Select[Any]
    """The first page at or after a position: parameters `position`, `size`; for a snapshot, as `first`."""
    newest: Select[Any]
    """The rows that changed last, newest first; for a snapshot any rows: parameter `size`."""
    without_position: Select[Any]
    """One row that no position leads to, because its key or its time of change is NULL."""
    by_id: Select[Any]
    """The newest row with one of some ids: parameter `ids`."""
    identities: Select[Any]
    """Key, id and deletion mark of the first rows by key: parameter `size`."""
    identities_after: Select[Any]
    """The same after a key: parameters `key`, `size`."""


def columns_statement(query: str) -> TextClause:
    """Return the statement that names the columns of a query and reads no row."""
    return _around(query, before="select * from", after="where 1 = 0")


def explain_statement(how: str, query: str, *, order: Sequence[str] = ()) -> TextClause:
    """Return the statement that explains how a query's rows would be found.

    Args:
        how: The database's own words, for example `EXPLAIN QUERY PLAN`.
        query: A person's SELECT.
        order: Quoted names of columns to be ordered by.
    """
    ordered = f"order by {', '.join(order)}" if order else ""
    return _around(query, before=f"{how} select * from", after=f"{ordered} limit 1")


def wrap(query: str, columns: Sequence[str]) -> Subquery:
    """Return the rows of a query whose result has `columns`."""
    return text(_escaped(query) + "\n").columns(*(column(name, NullType()) for name in columns)).subquery("q")


def build_statements(
    rows: Subquery, *, key: str, cursor: str | None, record_id: str, deleted: str | None
) -> Statements:
    """Return the statements over the rows of a query."""
    keys = rows.c[key]
    size: BindParameter[int] = bindparam("size")
    pages = select(rows).where(keys.is_not(None)).limit(size)
    by_id = select(rows).where(rows.c[record_id].in_(bindparam("ids", expanding=True, type_=NullType())))
    marks = [rows.c[deleted]] if deleted else []
    identities = select(keys, rows.c[record_id], *marks).where(keys.is_not(None)).order_by(keys).limit(size)
    lost: ColumnElement[bool] = keys.is_(None)
    newest = select(rows).limit(size)
    if cursor is None:
        pages = pages.order_by(keys)
        first = since = pages
        after = pages.where(keys > _untyped("key"))
    else:
        changed, position = rows.c[cursor], _untyped("position")
        pages = pages.order_by(changed, keys)
        first = pages.where(changed.is_not(None))
        since = pages.where(changed >= position)
        # `changed >= position` alone says nothing new, but it is what an index can seek by
        after = since.where(or_(changed > position, keys > _untyped("key")))
        newest = newest.where(changed.is_not(None)).order_by(changed.desc())
        lost = or_(lost, changed.is_(None))
        by_id = by_id.order_by(changed.desc())
    return Statements(
        first=first,
        after=after,
        since=since,
        newest=newest,
        without_position=select(rows).where(lost).limit(1),
        by_id=by_id.limit(1),
        identities=identities,
        identities_after=identities.where(keys > _untyped("key")),
    )


def get_statement(query: str) -> TextClause:
    """Return a person's query for one record, with `:id` as its only parameter."""
    parts = [
        match[0] if match.lastgroup == "id" else match[0].replace(":", r"\:")
        for match in _TOKEN.finditer(trimmed(query))
    ]
    return text("".join(parts) + "\n").bindparams(_untyped("id"))


def has_id_parameter(query: str) -> bool:
    """Whether a query names `:id` outside of quotes and comments."""
    return any(match.lastgroup == "id" for match in _TOKEN.finditer(query))


def _around(query: str, *, before: str, after: str) -> TextClause:
    return text(f"{before} (\n{_escaped(query)}\n) q {after}")


def _escaped(query: str) -> str:
    """Return a person's SQL with nothing in it taken for a parameter.

    What is put after it must begin with a line break: the query may end in a comment.
    """
    return trimmed(query).replace(":", r"\:")


def _untyped(name: str) -> BindParameter[Any]:
    # with a type of its own the parameter would be cast, and then compared as another type than the column
    return bindparam(name, type_=NullType())
