"""Reading one stream page by page: in order, up to the horizon, each page in a transaction of its own."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select

from tools.errors import ToolError
from tools.ports import Batch, Cursor, Rejected
from tools.records.base import Envelope
from tools.sql.convert import is_deleted, to_text
from tools.sql.database import CompanyDatabase, is_impossible_value
from tools.sql.mapping import Row, RowError, RowMapper
from tools.sql.position import (
    ChangeColumn,
    RawKey,
    RawPosition,
    can_be_asked,
    form_of,
    from_cursor,
    key_of,
    to_cursor,
)
from tools.sql.query import get_statement
from tools.sql.streams import OpenStream, column_problems

_ID_PAGE: Final = 10_000
_PLAIN_NUMBER: Final = re.compile(r"0|-?[1-9][0-9]{0,17}")
"""Whole numbers written in the one usual way, that SQLite can hold."""
_MARK: Final = 2
"""Place of the deletion mark in a row of identities."""
_SNAPSHOT_VERSION: Final = "snapshot"


@dataclass(slots=True, kw_only=True)
class _Progress:
    """How far a reading has come."""

    form: str | None = None
    """The form in which the column keeps its times, once known."""
    reached: tuple[RawPosition, RawKey] | None = None
    """The last row that is good and within the horizon: the position to store."""
    place: tuple[object, object] | None = None
    """The last row looked at, good or not: where the next page starts."""

    def move(self, position: object, key: object) -> None:
        """Note that a row has been looked at, unless it cannot be named to the database again."""
        if can_be_asked(position, key):
            self.place = (position, key)


@dataclass(slots=True)
class _Page:
    envelopes: list[Envelope] = field(default_factory=list[Envelope])
    rejected: list[Rejected] = field(default_factory=list[Rejected])
    past_horizon: bool = False

    def add(self, read: Envelope | Rejected) -> None:
        if isinstance(read, Rejected):
            self.rejected.append(read)
        else:
            self.envelopes.append(read)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamReader:
    """Reads one open stream; `now` stamps what is read."""

    database: CompanyDatabase
    stream: OpenStream
    now: datetime

    def read(self, cursor: Cursor | None) -> Iterator[Batch]:
        """Yield the changes after `cursor`, or everything when it is None or of another version."""
        change = self.stream.plan.change
        if change is None:
            return self._snapshot()
        progress = _Progress()
        if cursor is not None and cursor.stream_version == self.stream.plan.version:
            position, key = from_cursor(cursor)
            progress = _Progress(form=form_of(position), reached=(position, key), place=(position, key))
        return self._changes(change, progress)

    def lookback(self) -> Iterator[Batch]:
        """Yield the rows that changed within the look-back window; the batches carry no cursor."""
        change, statements = self.stream.plan.change, self.stream.statements
        if change is None:
            return self._snapshot()
        with self.database.transaction() as connection:
            since = self._horizon(connection) - self.stream.plan.config.reconcile.lookback
            newest = connection.execute(statements.newest, {"size": 1}).first()
        sample = None if newest is None else newest[self._indexes()[0]]
        return self._changes(change, _Progress(), since=since, start=change.floor(since, sample))

    def get(self, record_id: str) -> Envelope | Rejected | None:
        """Return one record as it is now, whatever the horizon."""
        own = self.stream.plan.config.get
        if not can_be_asked(record_id):
            return None
        try:
            with self.database.transaction() as connection:
                if own is None:
                    found = connection.execute(
                        self.stream.statements.by_id, {"ids": self._id_forms(record_id)}
                    )
                else:
                    found = connection.execute(get_statement(own), {"id": record_id})
                columns, row = list(found.keys()), found.first()
                server_now = self.database.now(connection)
        except ToolError as exc:
            if is_impossible_value(exc.__cause__):
                return None  # an id that the column cannot hold names no row
            raise
        if row is None:
            return None
        return self._single(row, self._mapper(columns), server_now)

    def _changes(
        self,
        change: ChangeColumn,
        progress: _Progress,
        *,
        since: datetime | None = None,
        start: RawPosition | None = None,
    ) -> Iterator[Batch]:
        size = self.stream.plan.config.page
        horizon: datetime | None = None
        while True:
            before = progress.place
            statement, parameters = self._next_page(progress, start)
            with self.database.transaction() as connection:
                # the clock is read before the page: what it does not show yet is not within the horizon
                horizon = horizon or self._horizon(connection)
                rows = connection.execute(statement, parameters).fetchall()
            page = self._page(rows, change, progress, horizon=horizon, since=since)
            complete = page.past_horizon or len(rows) < size
            self._check_moved(before, progress, complete=complete)
            yield Batch(
                envelopes=tuple(page.envelopes),
                rejected=tuple(page.rejected),
                next_cursor=None if since is not None else self._cursor(progress),
                watermark=horizon,
                complete=complete,
            )
            if complete:
                return

    def _snapshot(self) -> Iterator[Batch]:
        size = self.stream.plan.config.page
        progress = _Progress()
        horizon: datetime | None = None
        while True:
            before = progress.place
            statement, parameters = self._next_page(progress, None)
            with self.database.transaction() as connection:
                horizon = horizon or self.database.now(connection)
                rows = connection.execute(statement, parameters).fetchall()
            page = _Page()
            mapper = self.stream.mapper
            for row in rows:
                progress.move(None, row[mapper.key])
                page.add(
                    mapper.envelope(row, version=_SNAPSHOT_VERSION, changed_at=horizon, observed_at=self.now)
                )
            complete = len(rows) < size
            self._check_moved(before, progress, complete=complete)
            yield Batch(
                envelopes=tuple(page.envelopes),
                rejected=tuple(page.rejected),
                next_cursor=None,
                watermark=horizon,
                complete=complete,
            )
            if complete:
                return

    def _check_moved(
        self, before: tuple[object, object] | None, progress: _Progress, *, complete: bool
    ) -> None:
        """Refuse to read the same page for ever."""
        if not complete and progress.place == before:
            raise ToolError(
                f"stream {self.stream.plan.spec.name!r}: a whole page has keys that are no valid text",
                system=self.database.system,
                retryable=False,
            )

    def _horizon(self, connection: Connection) -> datetime:
        return self.database.now(connection) - self.stream.plan.config.lag

    def _next_page(
        self, progress: _Progress, start: RawPosition | None
    ) -> tuple[Select[Any], dict[str, object]]:
        statements = self.stream.statements
        parameters: dict[str, object] = {"size": self.stream.plan.config.page}
        if progress.place is not None:
            position, key = progress.place
            parameters |= (
                {"key": key} if self.stream.plan.change is None else {"position": position, "key": key}
            )
            return statements.after, parameters
        if start is not None:
            return statements.since, parameters | {"position": start}
        return statements.first, parameters

    def _page(
        self,
        rows: Sequence[Row],
        change: ChangeColumn,
        progress: _Progress,
        *,
        horizon: datetime,
        since: datetime | None,
    ) -> _Page:
        """Map rows up to the horizon and note how far they lead."""
        page, mapper = _Page(), self.stream.mapper
        position_index, key_index = self._indexes()
        for row in rows:
            raw = row[position_index]
            try:
                changed_at = change.instant(raw)
                position, key = change.position(raw), key_of(row[key_index])
                progress.form = change.same_form(raw, progress.form)
            except ValueError as exc:
                # such a row is no position: what sorts around it need not be near it in time
                page.add(mapper.reject(row, RowError(str(exc), field=change.name, value=raw)))
                progress.move(raw, row[key_index])
                continue
            if changed_at > horizon:
                page.past_horizon = True
                return page
            progress.move(raw, row[key_index])
            progress.reached = (position, key)
            if since is None or changed_at >= since:
                page.add(mapper.envelope(row, version=str(raw), changed_at=changed_at, observed_at=self.now))
        return page

    def _mapper(self, columns: list[str]) -> RowMapper:
        plan = self.stream.plan
        if plan.config.get is None:
            return self.stream.mapper
        if problems := column_problems(plan, columns):
            raise ToolError(
                f"stream {plan.spec.name!r}, `get`: {problems[0].problem}",
                system=self.database.system,
                retryable=False,
            )
        return RowMapper(plan, self.database.system, columns)

    def _single(self, row: Row, mapper: RowMapper, server_now: datetime) -> Envelope | Rejected:
        change, version, changed_at = self.stream.plan.change, _SNAPSHOT_VERSION, server_now
        if change is not None and mapper.position is not None:
            raw = row[mapper.position]
            version = str(raw)
            try:
                changed_at = change.instant(raw)
            except ValueError as exc:
                return mapper.reject(row, RowError(str(exc), field=change.name, value=raw))
        return mapper.envelope(row, version=version, changed_at=changed_at, observed_at=self.now)

    def _id_forms(self, record_id: str) -> list[object]:
        """Return an id as the column may hold it: SQLite does not find the number 7 by the text 7."""
        if self.database.backend == "sqlite" and _PLAIN_NUMBER.fullmatch(record_id):
            return [record_id, int(record_id)]
        return [record_id]

    def _indexes(self) -> tuple[int, int]:
        position = self.stream.mapper.position
        if position is None:
            raise TypeError("a snapshot has no positions")
        return position, self.stream.mapper.key

    def _cursor(self, progress: _Progress) -> Cursor | None:
        if progress.reached is None:
            return None
        return to_cursor(*progress.reached, version=self.stream.plan.version)


def read_ids(database: CompanyDatabase, stream: OpenStream) -> Iterator[str]:
    """Yield the ids of all rows that are not marked as deleted, page by page in the order of the key."""
    statements = stream.statements
    statement, parameters = statements.identities, dict[str, object](size=_ID_PAGE)
    while True:
        with database.transaction() as connection:
            rows = connection.execute(statement, parameters).fetchall()
        for row in rows:
            if (found := _identity(row)) is not None:
                yield found
        last = next((row[0] for row in reversed(rows) if can_be_asked(row[0])), None)
        if len(rows) < _ID_PAGE or last is None:
            return
        statement, parameters = statements.identities_after, {"size": _ID_PAGE, "key": last}


def _identity(row: Row) -> str | None:
    """Return the id of (key, id, deletion mark), or None where it is deleted or unreadable."""
    try:
        found = to_text(row[1])
    except ValueError:
        return None
    if not can_be_asked(found) or (len(row) > _MARK and _is_marked(row[_MARK])):
        return None
    return found


def _is_marked(raw: object) -> bool:
    """Whether a deletion mark is set; one that cannot be read deletes nothing."""
    try:
        return is_deleted(raw)
    except ValueError:
        return False
