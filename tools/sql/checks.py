"""The health check of a SQL source: what could lose, invent or damage data, each with its remedy."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select

from tools.errors import ToolError
from tools.ports import Finding, Health, Rejected
from tools.sql.convert import word_of
from tools.sql.database import CompanyDatabase
from tools.sql.mapping import Row
from tools.sql.plan import StreamPlan
from tools.sql.position import ChangeColumn
from tools.sql.problems import Problem
from tools.sql.readings import ColumnPlan
from tools.sql.rights import rights_findings, uses_index
from tools.sql.streams import OpenStream
from tools.yaml_source import dotted

_SAMPLE_ROWS: Final = 200
_KEY_SAMPLE: Final = 10_000
_MOST_WORDS: Final = 500
_TOLERATED_SKEW: Final = timedelta(seconds=30)

Opening = Callable[[StreamPlan], OpenStream | tuple[Problem, ...]]


def check_streams(
    database: CompanyDatabase,
    plans: tuple[StreamPlan, ...],
    *,
    open_one: Opening,
    clock: Callable[[], datetime] | None,
) -> Health:
    """Return what is found; a database that cannot be reached is one error and ends the check."""
    try:
        findings = list(_clock_findings(database, clock))
    except ToolError as exc:
        remedy = "check the address, the rights and whether the database is running"
        return Health(
            system=database.system,
            findings=(Finding(level="error", what=str(exc), remedy=remedy, no_answer=True),),
        )
    for plan in plans:
        try:
            opened = open_one(plan)
        except ToolError as exc:
            findings.append(
                Finding(
                    level="error",
                    what=f"stream {plan.spec.name!r}: {exc}",
                    remedy="try again",
                    no_answer=True,
                )
            )
            continue
        if isinstance(opened, OpenStream):
            findings += _StreamCheck(database, opened).findings()
        else:
            findings += [
                Finding(
                    level="error", what=f"{dotted(problem.loc)}: {problem.problem}", remedy=problem.remedy
                )
                for problem in opened
            ]
    findings += rights_findings(database, plans)
    return Health(system=database.system, findings=tuple(findings))


def _clock_findings(database: CompanyDatabase, clock: Callable[[], datetime] | None) -> Iterator[Finding]:
    with database.transaction() as connection:
        server_now = database.now(connection)
    yield Finding(level="ok", what=f"connected; the server's clock says {server_now:%Y-%m-%d %H:%M:%S} UTC")
    if clock is not None:
        skew = abs(server_now - clock())
        if skew > _TOLERATED_SKEW:
            yield Finding(
                level="warning",
                what=f"the server's clock and ours differ by {int(skew.total_seconds())} s",
                remedy="synchronise both clocks; reading goes by the server's, quiet hours by ours",
            )


@dataclass(frozen=True, slots=True)
class _StreamCheck:
    """Checks one stream whose query answers."""

    database: CompanyDatabase
    stream: OpenStream

    def findings(self) -> list[Finding]:
        found: list[Finding] = []
        for check in (self._keys, self._positions, self._index, self._words, self._rows):
            try:
                found += check()
            except ToolError as exc:
                found.append(self._warning(f"could not be checked: {exc}", "raise `statement_timeout`"))
        if all(finding.level == "ok" for finding in found):
            found.append(Finding(level="ok", what=f"{self._title} reads and maps"))
        return found

    @property
    def _title(self) -> str:
        return f"stream {self.stream.plan.spec.name!r}"

    def _error(self, what: str, remedy: str) -> Finding:
        return Finding(level="error", what=f"{self._title}: {what}", remedy=remedy)

    def _warning(self, what: str, remedy: str) -> Finding:
        return Finding(level="warning", what=f"{self._title}: {what}", remedy=remedy)

    def _keys(self) -> Iterator[Finding]:
        key = self.stream.plan.config.key
        sample = select(self.stream.rows.c[key].label("k")).limit(_KEY_SAMPLE).subquery("sample")
        double = select(sample.c.k).group_by(sample.c.k).having(func.count() > 1).limit(1)
        with self.database.transaction() as connection:
            found = connection.execute(double).first()
        if found is not None and found[0] is not None:
            yield self._error(
                f"the key {key!r} is not unique: {found[0]!r} occurs twice",
                "use a unique column, or make one in the query",
            )

    def _positions(self) -> Iterator[Finding]:
        with self.database.transaction() as connection:
            lost = connection.execute(self.stream.statements.without_position).first()
        if lost is not None:
            yield self._warning(
                "there are rows whose key or time of change is NULL; they are never read",
                "use coalesce in the query",
            )

    def _index(self) -> Iterator[Finding]:
        change = self.stream.plan.change
        if change is not None and not uses_index(self.database, self.stream, change.name):
            yield self._warning(
                f"the cursor column {change.name!r} is not indexed, so every read scans the table",
                f"create an index on ({change.name}, {self.stream.plan.config.key})",
            )

    def _words(self) -> Iterator[Finding]:
        for item in self.stream.plan.columns:
            if item.words is not None:
                yield from self._unmapped(item, item.words)

    def _unmapped(self, item: ColumnPlan, known: frozenset[str]) -> Iterator[Finding]:
        values = self.stream.rows.c[item.column]
        statement = select(values).where(values.is_not(None)).distinct().limit(_MOST_WORDS)
        with self.database.transaction() as connection:
            found = {word_of(row[0]) for row in connection.execute(statement)}
        for word in sorted(found - known):
            yield self._error(
                f"{item.column!r} holds {word!r}, which has no meaning for `{item.field}`",
                f"add `{word}: …` under map.{item.field}.enum",
            )

    def _rows(self) -> Iterator[Finding]:
        """Map the newest rows and tell what would be put aside, one finding per kind of mistake."""
        with self.database.transaction() as connection:
            rows = connection.execute(self.stream.statements.newest, {"size": _SAMPLE_ROWS}).fetchall()
            now = self.database.now(connection)
        change = self.stream.plan.change
        if change is not None:
            yield from self._forms(change, rows)
        mapper = self.stream.mapper
        mapped = (mapper.envelope(row, version="", changed_at=now, observed_at=now) for row in rows)
        invalid = [item for item in mapped if isinstance(item, Rejected) and item.kind == "invalid"]
        counts = Counter(item.field for item in invalid)
        for name, count in counts.items():
            first = next(item for item in invalid if item.field == name)
            yield self._warning(
                f"{count} of the newest {len(rows)} rows would be put aside: "
                f"{name or 'the row'} {first.value!r}: {first.problem}",
                "correct the mapping, or the rows",
            )

    def _forms(self, change: ChangeColumn, rows: Sequence[Row]) -> Iterator[Finding]:
        place = self.stream.mapper.position
        form: str | None = None
        for row in rows:
            raw = row[place or 0]
            try:
                change.instant(raw)
                form = change.same_form(raw, form)
            except ValueError as exc:
                yield self._error(
                    f"the cursor column {change.name!r} holds {raw!r}: {exc}",
                    "bring all times of the column into one form in the query",
                )
                return
