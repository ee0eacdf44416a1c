"""A stream whose query has been put to the database: its statements, and the mapper of its rows."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.sql.selectable import Subquery

from tools.errors import ToolError
from tools.sql.database import CompanyDatabase, is_query_mistake
from tools.sql.mapping import RowMapper
from tools.sql.plan import StreamPlan
from tools.sql.problems import Problem, nearest
from tools.sql.query import Statements, build_statements, columns_statement, wrap

_RENAMED: Final = re.compile(r".+:[0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenStream:
    """A stream ready to be read."""

    plan: StreamPlan
    rows: Subquery
    """The query, wrapped so that more can be asked of its rows."""
    statements: Statements
    mapper: RowMapper


def open_stream(database: CompanyDatabase, plan: StreamPlan) -> OpenStream | tuple[Problem, ...]:
    """Ask the database for the columns of a stream's query; return the stream, or what is wrong with it.

    Raises:
        ToolError: The database failed for a reason that is not the query's.
    """
    try:
        with database.transaction() as connection:
            columns = list(connection.execute(columns_statement(plan.config.query)).keys())
    except ToolError as exc:
        if not is_query_mistake(exc.__cause__):
            raise
        problem = f"the database refuses the query: {str(exc).removeprefix(f'{exc.system}: ')}"
        return (Problem((*plan.loc, "query"), problem, "run it by hand and correct it"),)
    if problems := column_problems(plan, columns):
        return problems
    config = plan.config
    rows = wrap(config.query, columns)
    return OpenStream(
        plan=plan,
        rows=rows,
        mapper=RowMapper(plan, database.system, columns),
        statements=build_statements(
            rows,
            key=config.key,
            cursor=None if plan.change is None else plan.change.name,
            record_id=plan.id_column,
            deleted=config.deleted,
        ),
    )


def column_problems(plan: StreamPlan, columns: Sequence[str]) -> tuple[Problem, ...]:
    """Return what is missing or ambiguous in a result with `columns`."""
    problems = [
        Problem(loc, f"the query returns no column {name!r}", nearest(name, columns))
        for name, loc in plan.needed.items()
        if name not in columns
    ]
    # SQLite renames the second `state` of a wrapped query to `state:1`
    renamed = {name.rpartition(":")[0] for name in columns if _RENAMED.fullmatch(name)}
    twice = sorted({name for name in columns if columns.count(name) > 1 or name in renamed})
    if twice:
        problems.append(
            Problem(
                (*plan.loc, "query"),
                f"the query returns {', '.join(map(repr, twice))} twice",
                "name the columns one by one, with `as` where two are alike",
            )
        )
    return tuple(problems)
