"""The orders as columns: when what happened, in days, and who sent where."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol, cast

import numpy as np
import numpy.typing as npt

from evals.replay.olist import BRASILIA, OrderHistory, load_history
from tools.errors import InputError

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]

ITEMS: Final = "olist_order_items.parquet"
SELLERS: Final = "olist_sellers.parquet"
EPOCH: Final = datetime(2016, 1, 1, tzinfo=BRASILIA)
"""Day 0; a day starts at midnight in Brasília."""


class _Table(Protocol):
    def to_pydict(self) -> dict[str, list[object]]: ...


class _ParquetFile(Protocol):
    """The one method used of pyarrow, which has no types."""

    def read(self, columns: list[str]) -> _Table: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """Orders that were handed to a carrier and not cancelled, one place per order in every column.

    Instants are days since `EPOCH` with fractions; infinite is never.
    """

    ids: tuple[str, ...]
    promised_end: Numbers
    """The midnight that ends the promised day."""
    bought: Floats
    handed_over: Floats
    """Also the future of an order that waits: compare with now before use."""
    hand_over_limit: Floats
    delivered: Floats
    asked: Floats
    """When the customer was asked for a review."""
    answered: Floats
    bad: Flags
    """Whether the first review was 1 or 2."""
    late: Flags
    items: Floats
    paid: Floats
    seller: tuple[str, ...]
    """Of the first item."""
    route: tuple[str, ...]
    state: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)


def load_orders(folder: Path) -> Orders:
    """Read the Olist files.

    Raises:
        InputError: A file is missing, or the reader of parquet files is not installed.
    """
    history = [order for order in load_history(folder) if order.in_reference]
    return orders_of(history, _first_items(folder), _states(folder))


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstItem:
    """The first item of an order, and how many there are."""

    seller: str
    limit: datetime | None
    items: int


def orders_of(
    history: list[OrderHistory], first: dict[str, FirstItem], seller_states: dict[str, str]
) -> Orders:
    """Return histories as columns."""
    unknown = FirstItem(seller="", limit=None, items=1)
    items = [first.get(order.order_id, unknown) for order in history]
    return Orders(
        ids=tuple(order.order_id for order in history),
        promised_end=np.rint(_days([order.promised_end for order in history])).astype(np.int64),
        bought=_days([order.purchased_at for order in history]),
        handed_over=_days([order.handed_over_at for order in history]),
        hand_over_limit=_days([item.limit for item in items]),
        delivered=_days([order.delivered_at for order in history]),
        asked=_days([order.review_asked_at for order in history]),
        answered=_days([order.review_answered_at for order in history]),
        bad=np.array([order.bad for order in history], dtype=bool),
        late=np.array([order.late for order in history], dtype=bool),
        items=np.array([item.items for item in items], dtype=float),
        paid=np.array([order.total_cents / 100 for order in history]),
        seller=tuple(item.seller for item in items),
        route=tuple(
            f"{seller_states.get(item.seller, '')}>{order.state}"
            for order, item in zip(history, items, strict=True)
        ),
        state=tuple(order.state for order in history),
    )


def _days(instants: list[datetime] | list[datetime | None]) -> Floats:
    return np.array(
        [np.inf if instant is None else (instant - EPOCH) / timedelta(days=1) for instant in instants]
    )


def _first_items(folder: Path) -> dict[str, FirstItem]:
    columns = _columns(folder / ITEMS, ["order_id", "seller_id", "shipping_limit_date"])
    rows = zip(columns["order_id"], columns["seller_id"], columns["shipping_limit_date"], strict=True)
    first: dict[str, FirstItem] = {}
    for order, seller, limit in rows:
        known = first.get(str(order))
        local = limit.replace(tzinfo=BRASILIA) if isinstance(limit, datetime) else None
        first[str(order)] = (
            FirstItem(seller=str(seller), limit=local, items=1)
            if known is None
            else FirstItem(seller=known.seller, limit=known.limit, items=known.items + 1)
        )
    return first


def _states(folder: Path) -> dict[str, str]:
    columns = _columns(folder / SELLERS, ["seller_id", "seller_state"])
    return dict(zip(map(str, columns["seller_id"]), map(str, columns["seller_state"]), strict=True))


def _columns(path: Path, names: list[str]) -> dict[str, list[object]]:
    from pyarrow import parquet  # noqa: PLC0415  # an extra, and heavy; load_history has asked for it

    if not path.is_file():
        raise InputError(
            f"no such file: {path.name}",
            path=path.parent,
            remedy="point --data at the folder with the Olist files",
        )
    return cast("_ParquetFile", parquet.ParquetFile(path)).read(names).to_pydict()
