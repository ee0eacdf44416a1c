"""What the role may do and how the database would find rows, asked of the database itself."""

import json
from collections.abc import Iterable, Iterator
from typing import Final, cast

from sqlalchemy import Connection, text

from tools.errors import ToolError
from tools.ports import Finding
from tools.sql.database import CompanyDatabase
from tools.sql.plan import StreamPlan
from tools.sql.query import explain_statement
from tools.sql.streams import OpenStream

_REMEDY: Final = "connect with a role that has SELECT on these tables and nothing else"


def rights_findings(database: CompanyDatabase, plans: Iterable[StreamPlan]) -> Iterator[Finding]:
    """Yield whether the role could write to what the queries read."""
    if database.backend == "sqlite":
        yield Finding(level="ok", what="the file is opened read-only")
    elif database.backend == "postgresql":
        yield from _postgres_rights(database, plans)
    else:
        yield Finding(
            level="warning",
            what=f"whether the role may write cannot be checked on {database.backend}",
            remedy=_REMEDY,
        )


def _postgres_rights(database: CompanyDatabase, plans: Iterable[StreamPlan]) -> Iterator[Finding]:
    tables: set[tuple[str, str]] = set()
    try:
        with database.transaction() as connection:
            role, superuser = connection.execute(
                text("select current_user, rolsuper from pg_roles where rolname = current_user")
            ).one()
            replica = connection.execute(text("select pg_is_in_recovery()")).scalar_one()
        for plan in plans:
            with database.transaction() as connection:
                tables |= set(_tables(_postgres_plan(connection, plan.config.query)))
        with database.transaction() as connection:
            writable = sorted(table for table in tables if _may_write(connection, *table))
    except ToolError as exc:
        yield Finding(level="warning", what=f"the role's rights could not be checked: {exc}", remedy=_REMEDY)
        return
    if superuser:
        yield Finding(level="error", what=f"write-capable role: {role!r} is a superuser", remedy=_REMEDY)
    elif writable:
        names = ", ".join(".".join(table) for table in writable)
        yield Finding(
            level="error", what=f"write-capable role: {role!r} may write to {names}", remedy=_REMEDY
        )
    else:
        yield Finding(level="ok", what=f"the role {role!r} can only read")
    if replica:
        yield Finding(
            level="warning",
            what="this server is a replica: rows arrive later than its clock says",
            remedy="set `lag` above the longest replication delay",
        )


def _postgres_plan(connection: Connection, query: str) -> object:
    found: object = connection.execute(
        explain_statement("EXPLAIN (FORMAT JSON, VERBOSE)", query)
    ).scalar_one()
    return json.loads(found) if isinstance(found, str) else found


def _tables(node: object) -> Iterator[tuple[str, str]]:
    """Yield (schema, table) of everything that a plan scans."""
    if isinstance(node, list):
        for item in cast("list[object]", node):
            yield from _tables(item)
    elif isinstance(node, dict):
        values = cast("dict[str, object]", node)
        if isinstance(values.get("Relation Name"), str):
            yield str(values.get("Schema", "public")), str(values["Relation Name"])
        for item in values.values():
            yield from _tables(item)


def _may_write(connection: Connection, schema: str, table: str) -> bool:
    return bool(
        connection.execute(
            text(
                "select has_table_privilege(format('%I.%I', cast(:schema as text), cast(:table as text)), "
                "'INSERT, UPDATE, DELETE, TRUNCATE')"
            ),
            {"schema": schema, "table": table},
        ).scalar_one()
    )


def uses_index(database: CompanyDatabase, stream: OpenStream, column: str) -> bool:
    """Whether rows can be found in the order of the change column without sorting all of them.

    Always true where the database cannot be asked.
    """
    config = stream.plan.config
    with database.transaction() as connection:
        quote = connection.dialect.identifier_preparer.quote
        order = (quote(column), quote(config.key))
        if database.backend == "sqlite":
            steps = connection.execute(explain_statement("EXPLAIN QUERY PLAN", config.query, order=order))
            return "USE TEMP B-TREE FOR ORDER BY" not in {str(step[-1]) for step in steps}
        if database.backend == "postgresql":
            # a small table is scanned whatever indexes it has, unless scanning and sorting are made dear
            for setting in ("enable_seqscan", "enable_sort"):
                connection.execute(text("select set_config(:setting, 'off', true)"), {"setting": setting})
            plan = connection.execute(explain_statement("EXPLAIN (FORMAT JSON)", config.query, order=order))
            return "Sort" not in set(_node_types(plan.scalar_one()))
    return True


def _node_types(node: object) -> Iterator[str]:
    if isinstance(node, list):
        for item in cast("list[object]", node):
            yield from _node_types(item)
    elif isinstance(node, dict):
        values = cast("dict[str, object]", node)
        if isinstance(values.get("Node Type"), str):
            yield str(values["Node Type"])
        for item in values.values():
            yield from _node_types(item)
