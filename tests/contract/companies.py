"""Small companies' databases for the tests of sources: one table of orders, kept in many forms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, text

from tools.ports import Batch, Cursor, Rejected
from tools.records.base import Envelope
from tools.sql.config import SqlConnectorConfig
from tools.sql.source import SqlSource

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
"""The company's clock at the start of a test."""
LONG_AGO = NOW - timedelta(days=30)
COLUMNS = ("order_no", "person_no", "placed_on", "state", "total_cents", "currency", "gone", "changed_on")


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How a database keeps the time of a change."""

    name: str
    postgres: bool
    column: str
    """SQL type of the column."""
    cursor: Mapping[str, str]
    """How the connector file describes it."""
    write: Callable[[datetime], object]
    step: timedelta
    """The smallest difference that the column can hold."""


def _text(template: str) -> Callable[[datetime], object]:
    return lambda instant: instant.strftime(template)


def _count(step: timedelta) -> Callable[[datetime], object]:
    return lambda instant: (instant - datetime(1970, 1, 1, tzinfo=UTC)) // step


def _berlin(instant: datetime) -> object:
    return instant.astimezone(ZoneInfo("Europe/Berlin")).replace(tzinfo=None)


SECOND, MILLI, MICRO = timedelta(seconds=1), timedelta(milliseconds=1), timedelta(microseconds=1)
UTC_CURSOR = {"tz": "UTC"}
FORMS = (
    Form(
        name="sqlite-seconds",
        postgres=False,
        column="text",
        cursor=UTC_CURSOR,
        write=_text("%Y-%m-%d %H:%M:%S"),
        step=SECOND,
    ),
    Form(
        name="sqlite-iso-offset",
        postgres=False,
        column="text",
        cursor=UTC_CURSOR,
        write=lambda instant: instant.isoformat(),  # no fraction on a whole second
        step=MICRO,
    ),
    Form(
        name="sqlite-iso-z",
        postgres=False,
        column="datetime",
        cursor=UTC_CURSOR,
        write=_text("%Y-%m-%dT%H:%M:%S.%fZ"),
        step=MICRO,
    ),
    Form(
        name="sqlite-epoch-seconds",
        postgres=False,
        column="integer",
        cursor={"type": "epoch_s"},
        write=_count(SECOND),
        step=SECOND,
    ),
    Form(
        name="sqlite-epoch-millis",
        postgres=False,
        column="integer",
        cursor={"type": "epoch_ms"},
        write=_count(MILLI),
        step=MILLI,
    ),
    Form(
        name="postgres-timestamptz",
        postgres=True,
        column="timestamptz",
        cursor=UTC_CURSOR,
        write=lambda instant: instant,
        step=MICRO,
    ),
    Form(
        name="postgres-local-time",
        postgres=True,
        column="timestamp",
        cursor={"tz": "Europe/Berlin"},
        write=_berlin,
        step=MICRO,
    ),
)


@dataclass(slots=True, kw_only=True)
class Company:
    """A company with one table of orders and a clock that the test moves."""

    form: Form
    url: str
    engine: Engine
    now: datetime = NOW
    opened: list[SqlSource] = field(default_factory=list[SqlSource])

    def create(self) -> None:
        self.sql(
            "drop table if exists web_order",
            "create table web_order (order_no integer primary key, person_no integer, placed_on text, "
            f"state text, total_cents integer, currency text, gone integer, changed_on {self.form.column})",
            "create index ix_web_order on web_order (changed_on, order_no)",
        )

    def sql(self, *statements: str) -> None:
        with self.engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def put(self, *orders: Mapping[str, object]) -> None:
        """Insert orders, or replace those with the same number."""
        names = ", ".join(COLUMNS)
        marks = ", ".join(f":{name}" for name in COLUMNS)
        sets = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS)
        with self.engine.begin() as connection:
            connection.execute(
                text(
                    f"insert into web_order ({names}) values ({marks}) "
                    f"on conflict (order_no) do update set {sets}"
                ),
                list(orders),
            )

    def order(self, number: int, changed_at: datetime = LONG_AGO, **other: object) -> dict[str, object]:
        """Return an order as the company keeps it."""
        usual: dict[str, object] = {
            "order_no": number,
            "person_no": number % 10,
            "placed_on": "2026-10-01 08:00:00",
            "state": "shipped",
            "total_cents": 1999,
            "currency": "EUR",
            "gone": 0,
            "changed_on": self.form.write(changed_at),
        }
        return usual | other

    def source(self, *, server_clock: bool = False, **settings: object) -> SqlSource:
        """Return a source over the orders; `settings` replace lines of the stream.

        Args:
            server_clock: Go by the server's own clock instead of the test's.
            settings: Lines of the stream.
        """
        config = connector(self.form.cursor, **settings)
        source = SqlSource(config, url=self.url, server_now=None if server_clock else lambda: self.now)
        self.opened.append(source)
        return source

    def close(self) -> None:
        for source in self.opened:
            source.close()
        self.engine.dispose()


def connector(form_cursor: Mapping[str, str], **settings: object) -> SqlConnectorConfig:
    """Return a connector file with one stream of orders."""
    stream: dict[str, object] = {
        "record": "order",
        "query": "select * from web_order",
        "key": "order_no",
        "cursor": {"col": "changed_on", **form_cursor},
        "lag": "5s",
        "page": 100,
        "deleted": "gone",
        "map": {
            "id": "order_no",
            "number": "order_no",
            "customer_id": "person_no",
            "placed_at": {"col": "placed_on", "tz": "UTC"},
            "status": {"col": "state", "enum": {"placed": "open", "shipped": "fulfilled"}},
            "total": {"col": "total_cents", "currency": "currency"},
        },
    }
    chosen = {name: value for name, value in (stream | settings).items() if value is not None}
    return SqlConnectorConfig.model_validate(
        {"connector": "sql", "name": "shop", "url": "${SHOP_URL}", "streams": (chosen,)}
    )


@dataclass(slots=True)
class Collector:
    """Applies batches as the mirror does: records and cursor together, by id, version and content."""

    records: dict[str, Envelope] = field(default_factory=dict[str, Envelope])
    rejected: list[Rejected] = field(default_factory=list[Rejected])
    cursor: Cursor | None = None
    offered: int = 0
    """Envelopes that came, be they new or not."""
    changed: int = 0
    """Envelopes that were news."""

    def apply(self, batch: Batch) -> None:
        for envelope in batch.envelopes:
            self.offered += 1
            known = self.records.get(envelope.id)
            if known is None or (
                envelope.source_updated_at >= known.source_updated_at
                and envelope.content_hash != known.content_hash
            ):
                self.records[envelope.id] = envelope
                self.changed += 1
        self.rejected.extend(batch.rejected)
        self.cursor = batch.next_cursor or self.cursor

    def poll(self, source: SqlSource, *, now: datetime = NOW) -> list[Batch]:
        """Read what is new and apply it; return the batches."""
        batches = list(source.read("order", self.cursor, now=now))
        for batch in batches:
            self.apply(batch)
        return batches


def ids_of(batches: list[Batch]) -> list[str]:
    """Return the ids of all envelopes in the order in which they came."""
    return [envelope.id for batch in batches for envelope in batch.envelopes]
