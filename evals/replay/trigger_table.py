"""The exact check of the triggers: the published table of a plain rule, from signals of the real sweep."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final

import sqlalchemy
from sqlalchemy import Connection
from sqlmodel import col

from agent.clock import SimulatedClock, system_monotonic
from agent.ids import seeded_ids
from agent.store.database import open_database
from agent.store.keyring import KEY_BYTES, Keyring
from agent.store.tables.cases import CaseFile
from agent.store.transaction import Store
from agent.watch.ingest import Ingest
from agent.watch.sweep import Sweep
from evals.replay.live import LiveCompany
from evals.replay.measure import cpu_seconds
from evals.replay.olist import BRASILIA, OrderHistory
from evals.replay.score import TriggerRow, trigger_row
from evals.replay.scratch import forgo_sync
from policies.model import Playbook
from policies.triggers import CompiledPlaybook, compile_playbook
from tools.registry import open_source
from tools.yaml_file import load_yaml

PLAYBOOK: Final = Path(__file__).with_name("undelivered.yaml")
TICK: Final = timedelta(days=1)
"""Every instant of the rule is a midnight in Brasília, and so is every tick."""
_DAY: Final = timedelta(days=1)
_AFTERWARDS: Final = 4 * _DAY
"""From the last promised day on, until the last trigger of the table has fired."""
_SEED: Final = 20160904


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One row of the published table."""

    days_before: int
    per_thousand: int
    p_late: str
    """Share with as many decimals as it was published with; the same for the other shares."""
    p_serious: str
    reached: str


PUBLISHED: Final = tuple(
    Published(days_before=days, per_thousand=notices, p_late=late, p_serious=serious, reached=reached)
    for days, notices, late, serious, reached in (
        (7, 220, "0.357", "0.293", "1.00"),
        (5, 160, "0.490", "0.402", "1.00"),
        (3, 122, "0.640", "0.525", "1.00"),
        (2, 107, "0.735", "0.603", "1.00"),
        (1, 92, "0.855", "0.702", "1.00"),
        (0, 78, "1.00", "0.821", "1.00"),
        (-1, 70, "1.00", "0.920", "0.89"),
        (-2, 64, "1.00", "1.00", "0.82"),
    )
)
"""Measured on the same files by other code, without any part of this system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row, found and published."""

    found: TriggerRow
    published: Published
    repeated: int
    """Orders with more than one case; must be none."""
    late: int
    """Cases that opened later than the first tick at which the rule held; must be none."""
    early: int
    """Cases that opened before the rule held; must be none."""

    @property
    def differences(self) -> tuple[str, ...]:
        """Return in words what is not as published, or not as it must be."""
        pairs = (
            ("notices per 1,000", str(self.found.per_thousand), str(self.published.per_thousand)),
            ("P(late)", _as(self.found.p_late, self.published.p_late), self.published.p_late),
            ("P(3 days late)", _as(self.found.p_serious, self.published.p_serious), self.published.p_serious),
            ("late reached", _as(self.found.reached, self.published.reached), self.published.reached),
        )
        differing = [
            f"{name} {found}, not {published}" for name, found, published in pairs if found != published
        ]
        for number, words in (
            (self.repeated, "orders signalled twice"),
            (self.late, "signals too late"),
            (self.early, "signals too early"),
        ):
            if number:
                differing.append(f"{number} {words}")
        return tuple(differing)


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerTable:
    """The whole table and what it took."""

    rows: tuple[Row, ...]
    orders: int
    changes: int
    evaluated: int
    """Playbooks evaluated on records."""
    signals: int
    seconds: float
    cpu_seconds: float

    @property
    def equal(self) -> bool:
        """Whether every row is as published."""
        return not any(row.differences for row in self.rows)


def trigger_table(
    history: Sequence[OrderHistory],
    *,
    folder: Path,
    connector: Path,
    progress: Callable[[int, int], None],
    tick: timedelta = TICK,
) -> TriggerTable:
    """Run ingest and sweep over the whole history and score the signals of every row.

    Args:
        history: All orders.
        folder: Where both databases go; empty.
        connector: The connector file of the company.
        progress: Called with (ticks done, ticks in all).
        tick: Time between sweeps; must divide a day, because the rule turns true at midnights.
    """
    begun, cpu_begun = system_monotonic(), cpu_seconds()
    days = tuple(row.days_before for row in PUBLISHED)
    run = sweep_history(history, days, folder=folder, connector=connector, progress=progress, tick=tick)
    return TriggerTable(
        rows=tuple(
            compare(published, run.opened[published.days_before], history, tick=tick)
            for published in PUBLISHED
        ),
        orders=len(history),
        changes=run.changes,
        evaluated=run.evaluated,
        signals=sum(len(opened) for opened in run.opened.values()),
        seconds=system_monotonic() - begun,
        cpu_seconds=cpu_seconds() - cpu_begun,
    )


@dataclass(slots=True)
class HistoryRun:
    """What sweeping a history found."""

    changes: int = 0
    evaluated: int = 0
    opened: dict[int, list[tuple[str, datetime]]] = field(
        default_factory=dict[int, list[tuple[str, datetime]]]
    )
    """N → (order id, when its case opened), one for each case."""


def sweep_history(
    history: Sequence[OrderHistory],
    days: Sequence[int],
    *,
    folder: Path,
    connector: Path,
    progress: Callable[[int, int], None],
    tick: timedelta = TICK,
) -> HistoryRun:
    """Let the company live through its history and sweep it at every tick with one playbook per N."""
    playbooks = undelivered_playbooks(days)
    clock = SimulatedClock(_midnight_before(min(order.purchased_at for order in history)))
    end = max(max(order.promised_end, order.purchased_at) for order in history) + _AFTERWARDS
    company = LiveCompany(folder / "company.db", history)
    source = open_source(
        connector, env={"COMPANY_URL": f"sqlite:///{folder / 'company.db'}"}, server_now=clock
    )
    store = _open_store(folder)
    forgo_sync(store)
    ingest, sweep = Ingest(store), Sweep(store, playbooks, shadow=True)
    wanted = {kind for compiled in playbooks.values() for kind in compiled.relevant_types}
    streams = [stream for stream in source.streams() if stream.record_type in wanted]
    run = HistoryRun()
    ticks = -((clock() - end) // tick)
    try:
        for number in range(1, ticks + 1):
            now = clock.advance(tick)
            run.changes += company.advance(now)
            for stream in streams:
                ingest.pull(source, stream, now=now)
            run.evaluated += sweep.run(now=now).evaluated
            progress(number, ticks)
        with store.read() as conn:
            run.opened = {n: _opened(conn, _scenario(n)) for n in days}
    finally:
        source.close()
        company.close()
        store.writer.dispose()
        store.reader.dispose()
    return run


def compare(
    published: Published,
    opened: Sequence[tuple[str, datetime]],
    history: Sequence[OrderHistory],
    *,
    tick: timedelta,
) -> Row:
    """Score the cases of one row and judge each one's instant."""
    orders = {order.order_id: order for order in history}
    waits = [at - _holds_from(orders[order_id], published.days_before) for order_id, at in opened]
    return Row(
        found=trigger_row(published.days_before, (order_id for order_id, _ in opened), history),
        published=published,
        repeated=sum(number > 1 for number in Counter(order_id for order_id, _ in opened).values()),
        late=sum(wait >= tick for wait in waits),
        early=sum(wait < timedelta(0) for wait in waits),
    )


def undelivered_playbooks(days: Sequence[int]) -> Mapping[str, CompiledPlaybook]:
    """Return the rule compiled for each N, by scenario."""
    playbook = load_yaml(PLAYBOOK, Playbook)
    content_hash = sha256(PLAYBOOK.read_bytes()).hexdigest()
    compiled: dict[str, CompiledPlaybook] = {}
    for number in days:
        params = {**playbook.params, "before": max(number, 0) * _DAY, "after": max(-number, 0) * _DAY}
        copy = playbook.model_copy(update={"scenario": _scenario(number), "params": params})
        compiled[copy.scenario] = compile_playbook(copy, content_hash=content_hash, path=PLAYBOOK)
    return compiled


def _scenario(days_before: int) -> str:
    return f"undelivered_{days_before}".replace("-", "minus_")


def _holds_from(order: OrderHistory, days_before: int) -> datetime:
    return max(order.promised_end - days_before * _DAY, order.purchased_at)


def _midnight_before(instant: datetime) -> datetime:
    local = instant.astimezone(BRASILIA)
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(instant.tzinfo)


def _open_store(folder: Path) -> Store:
    ids = seeded_ids(_SEED)
    writer, reader = open_database(f"sqlite:///{folder / 'outrider.db'}")
    keyring = Keyring(ids.secret(KEY_BYTES), random=ids.secret)
    return Store(writer=writer, reader=reader, ids=ids, keyring=keyring)


def _opened(conn: Connection, scenario: str) -> list[tuple[str, datetime]]:
    rows = conn.execute(
        sqlalchemy.select(col(CaseFile.object_ref), col(CaseFile.opened_at)).where(
            col(CaseFile.scenario) == scenario
        )
    )
    return [(ref.partition(":")[2], at) for ref, at in rows]


def _as(share: float, published: str) -> str:
    return f"{share:.{len(published.partition('.')[2])}f}"


def bought_in(history: Sequence[OrderHistory], month: date) -> list[OrderHistory]:
    """Return the orders bought in the calendar month of a date, Brasília time."""
    wanted = (month.year, month.month)
    return [
        order
        for order in history
        if (order.purchased_at.astimezone(BRASILIA).year, order.purchased_at.astimezone(BRASILIA).month)
        == wanted
    ]
