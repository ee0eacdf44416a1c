"""Turns one stream of a connector file into a plan to read rows by, or says what is wrong with it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from tools.ports import StreamSpec
from tools.records.base import Record
from tools.records.registry import RECORD_TYPES
from tools.sql.config import SqlConnectorConfig, StreamConfig
from tools.sql.position import ChangeColumn
from tools.sql.problems import Problem
from tools.sql.query import has_id_parameter, statement_problem, trimmed
from tools.sql.readings import AmountPlan, ColumnPlan, FieldPlanner
from tools.yaml_source import Loc

_OWNER_FIELDS: Final = ("customer_id", "owner_id")
_VERSION_LENGTH: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPlan:
    """Everything about a stream that is known before the database is asked."""

    index: int
    config: StreamConfig
    record: type[Record]
    spec: StreamSpec
    version: str
    """Changes when query, key, cursor or mapping change."""
    change: ChangeColumn | None
    """None for a snapshot."""
    id_column: str
    base: dict[str, object]
    """Constants, and the values for NULL."""
    columns: tuple[ColumnPlan, ...]
    amounts: tuple[AmountPlan, ...]
    owner_field: str | None
    """The record's own field that names its customer."""

    @property
    def loc(self) -> Loc:
        """The stream's place in the file."""
        return ("streams", self.index)

    @property
    def needed(self) -> dict[str, Loc]:
        """The columns that the query must return, and where the file asks for them."""
        here = self.loc
        wanted: dict[str, Loc] = {self.config.key: (*here, "key")}
        if self.change is not None:
            wanted.setdefault(self.change.name, (*here, "cursor"))
        for column, place in ((self.config.deleted, "deleted"), (self.config.customer_ref, "customer_ref")):
            if column is not None:
                wanted.setdefault(column, (*here, place))
        for plan in self.columns:
            wanted.setdefault(plan.column, (*here, "map", plan.field))
        for amount in self.amounts:
            wanted.setdefault(amount.column, (*here, "map", amount.field))
            if amount.currency is not None:
                wanted.setdefault(amount.currency, (*here, "map", amount.field))
        return wanted


def plan_streams(connector: SqlConnectorConfig) -> tuple[tuple[StreamPlan, ...], tuple[Problem, ...]]:
    """Return the plans of all streams, what others point at first, and every problem.

    The plans are complete only when there are no problems.
    """
    plans: list[StreamPlan] = []
    problems: list[Problem] = []
    for index, stream in enumerate(connector.streams):
        planned = _plan_stream(connector, stream, index)
        if isinstance(planned, StreamPlan):
            plans.append(planned)
        else:
            problems.extend(planned)
    order = {name: rank for rank, name in enumerate(RECORD_TYPES)}
    plans.sort(key=lambda plan: order[plan.spec.record_type])
    return tuple(plans), tuple(problems)


def _plan_stream(
    connector: SqlConnectorConfig, stream: StreamConfig, index: int
) -> StreamPlan | list[Problem]:
    loc: Loc = ("streams", index)
    record = RECORD_TYPES[stream.record]
    fields = FieldPlanner(record, title=stream.record, loc=(*loc, "map"), zone=connector.tz)
    for name, written in stream.map.items():
        fields.add(name, written)
    fields.require(stream.key, stream.map)
    problems = [*_query_problems(stream, loc), *fields.problems]
    change = None
    if stream.cursor is not None:
        zone = stream.cursor.tz or connector.tz or _only_zone(stream)
        if stream.cursor.type != "datetime":
            zone = "UTC"
        if zone is None:
            problem = "the zone of the change times is not stated"
            remedy = f"state it: `cursor: {{col: {stream.cursor.col}, tz: UTC}}`"
            problems.append(Problem((*loc, "cursor"), problem, remedy))
        else:
            change = ChangeColumn(name=stream.cursor.col, kind=stream.cursor.type, zone=ZoneInfo(zone))
    id_column = stream.map["id"].col if "id" in stream.map else None
    if problems or id_column is None:
        return problems
    return StreamPlan(
        index=index,
        config=stream,
        record=record,
        spec=_spec(stream),
        version=_version(stream, change),
        change=change,
        id_column=id_column,
        base=fields.base,
        columns=tuple(fields.columns),
        amounts=tuple(fields.amounts),
        owner_field=next((name for name in _OWNER_FIELDS if name in record.model_fields), None),
    )


def _query_problems(stream: StreamConfig, loc: Loc) -> list[Problem]:
    problems: list[Problem] = []
    for place, query in (("query", stream.query), ("get", stream.get)):
        if query is not None and (found := statement_problem(query)):
            problems.append(Problem((*loc, place), *found))
    if stream.get is not None and not has_id_parameter(stream.get):
        problem = "the query for one record does not name `:id`"
        problems.append(Problem((*loc, "get"), problem, "add `where … = :id`"))
    return problems


def _only_zone(stream: StreamConfig) -> str | None:
    """Return the one zone that all mapped times state, if they agree."""
    zones = {written.tz for written in stream.map.values() if written.tz}
    return zones.pop() if len(zones) == 1 else None


def _spec(stream: StreamConfig) -> StreamSpec:
    snapshot = stream.cursor is None
    every, lookback = stream.reconcile.every, stream.reconcile.lookback
    return StreamSpec(
        name=stream.title,
        record_type=stream.record,
        page=stream.page,
        snapshot=snapshot,
        reconcile_every_seconds=None if snapshot else int(every.total_seconds()),
        reconcile_lookback_seconds=None if snapshot else int(lookback.total_seconds()),
    )


def _version(stream: StreamConfig, change: ChangeColumn | None) -> str:
    """Return the version of a stream: a change of meaning makes it be read again from its beginning."""
    position: Sequence[str] = () if change is None else (change.name, change.kind, change.zone.key)
    content = {
        "query": " ".join(trimmed(stream.query).split()),
        "key": stream.key,
        "cursor": position,
        "mapping": stream.model_dump(mode="json", include={"record", "map", "deleted", "customer_ref"}),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:_VERSION_LENGTH]
