"""Reads a company's SQL database as typed records: in order of change, behind a horizon, never writing."""

from collections.abc import Callable, Iterator
from datetime import datetime

from tools.errors import ToolError
from tools.ports import Batch, Cursor, Health, Rejected, StreamSpec
from tools.records.base import Envelope
from tools.sql.checks import check_streams
from tools.sql.config import SqlConnectorConfig
from tools.sql.database import CompanyDatabase
from tools.sql.plan import StreamPlan, plan_streams
from tools.sql.problems import Problem, refusal
from tools.sql.reader import StreamReader, read_ids
from tools.sql.streams import OpenStream, open_stream
from tools.yaml_source import YamlDocument


class SqlSource:
    """A `tools.ports.Source` over any database that SQLAlchemy reads; SQLite and PostgreSQL are proven.

    Nothing is asked of the database until something is read, checked or proven.

    Args:
        config: The connector file.
        url: SQLAlchemy URL with nothing left to substitute.
        server_now: Replaces the server's clock, for companies whose time is simulated.
        clock: Our own clock; with it, `check` compares the server's.
        document: The file's text, so that mistakes are shown with their line.

    Raises:
        InputError: The file cannot be used, as far as that shows without the database.
    """

    def __init__(
        self,
        config: SqlConnectorConfig,
        *,
        url: str,
        server_now: Callable[[], datetime] | None = None,
        clock: Callable[[], datetime] | None = None,
        document: YamlDocument | None = None,
    ) -> None:
        plans, problems = plan_streams(config)
        if problems:
            raise refusal(problems, document)
        self._name = config.name
        self._document = document
        self._clock = clock
        self._plans = {plan.spec.name: plan for plan in plans}
        self._open: dict[str, OpenStream] = {}
        self._database = CompanyDatabase(
            url, system=config.name, statement_timeout=config.statement_timeout, server_now=server_now
        )

    @property
    def name(self) -> str:
        """The name used in envelopes and settings."""
        return self._name

    @property
    def database(self) -> CompanyDatabase:
        """The database, which can only be read through it."""
        return self._database

    def prove(self) -> None:
        """Put every query to the database once, reading no rows.

        Raises:
            InputError: A query is refused, or does not return the columns that the file names.
            ToolError: The database failed.
        """
        problems: list[Problem] = []
        for plan in self._plans.values():
            opened = self._try_open(plan)
            if not isinstance(opened, OpenStream):
                problems.extend(opened)
        if problems:
            raise refusal(problems, self._document)

    def check(self) -> Health:
        """Test the connection, the clock, the role's rights, and every stream's query and mapping."""
        return check_streams(
            self._database, tuple(self._plans.values()), open_one=self._try_open, clock=self._clock
        )

    def streams(self) -> tuple[StreamSpec, ...]:
        """Return the streams in the order they are read: what others point at comes first."""
        return tuple(plan.spec for plan in self._plans.values())

    def read(self, stream: str, cursor: Cursor | None, *, now: datetime) -> Iterator[Batch]:
        """Yield pages of changes after `cursor`, oldest first, up to the horizon.

        There is always a last batch that is complete, be it empty. A cursor of another version of the
        stream is not used: everything is read again.

        Raises:
            ToolError: The database failed; what was yielded before is good.
        """
        return self._reader(stream, now).read(cursor)

    def lookback(self, stream: str, *, now: datetime) -> Iterator[Batch]:
        """Yield the rows of the look-back window again; the batches carry no cursor.

        Raises:
            ToolError: The database failed.
        """
        return self._reader(stream, now).lookback()

    def ids(self, stream: str) -> Iterator[str]:
        """Yield the ids that exist now and are not marked as deleted, in the order of the key.

        Raises:
            ToolError: The database failed.
        """
        return read_ids(self._database, self._opened(stream))

    def get(self, stream: str, record_id: str, *, now: datetime) -> Envelope | Rejected | None:
        """Read one record afresh, whatever the horizon; None when it does not exist (any more).

        Raises:
            ToolError: The database failed.
        """
        return self._reader(stream, now).get(record_id)

    def close(self) -> None:
        """Give back pooled connections."""
        self._database.close()

    def _reader(self, stream: str, now: datetime) -> StreamReader:
        return StreamReader(database=self._database, stream=self._opened(stream), now=now)

    def _opened(self, stream: str) -> OpenStream:
        opened = self._open.get(stream) or self._try_open(self._plans[stream])
        if isinstance(opened, OpenStream):
            return opened
        error = refusal(opened, self._document)
        raise ToolError(str(error), system=self._name, retryable=False) from error

    def _try_open(self, plan: StreamPlan) -> OpenStream | tuple[Problem, ...]:
        opened = open_stream(self._database, plan)
        if isinstance(opened, OpenStream):
            self._open[plan.spec.name] = opened
        return opened
