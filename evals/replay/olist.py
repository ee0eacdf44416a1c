"""The Olist history: 99,441 real orders of a Brazilian marketplace as dated changes and as truth.

The files carry no zone and no time of cancellation. Times are read at a fixed UTC-3 (Brasília), so that a
day always has 24 hours; an order that was cancelled keeps its last dated status, because showing the
cancellation earlier or later than it happened would be a guess.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Final, Protocol, cast

from tools.errors import InputError

BRASILIA: Final = timezone(timedelta(hours=-3))
FILES: Final = (
    "olist_orders.parquet",
    "olist_customers.parquet",
    "olist_order_payments.parquet",
    "olist_order_reviews.parquet",
)
BAD_SCORE: Final = 2
"""A review of this score or less stands in for a complaint."""

Row = dict[str, object]


class _Batch(Protocol):
    def to_pylist(self) -> list[Row]: ...


class _ParquetFile(Protocol):
    """The one method used of pyarrow, which has no types."""

    def iter_batches(self, batch_size: int) -> Iterator[_Batch]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderHistory:
    """One order with every date it ever had; only the scorer sees it whole."""

    order_id: str
    person_id: str
    state: str
    postcode: str
    status: str
    purchased_at: datetime
    approved_at: datetime | None
    handed_over_at: datetime | None
    delivered_at: datetime | None
    promised_on: date
    total_cents: int
    review_score: int | None
    """Score of the order's first review, 1 to 5; None without a review."""
    review_asked_at: datetime | None
    review_answered_at: datetime | None

    @property
    def promised_end(self) -> datetime:
        """End of the promised day, exclusive."""
        following = self.promised_on + timedelta(days=1)
        return datetime(following.year, following.month, following.day, tzinfo=BRASILIA).astimezone(UTC)

    @property
    def days_late(self) -> int | None:
        """Calendar days from the promised to the real day; None when it never arrived."""
        if self.delivered_at is None:
            return None
        return (self.delivered_at.astimezone(BRASILIA).date() - self.promised_on).days

    @property
    def late(self) -> bool:
        """Whether it came after the promised day or never."""
        days = self.days_late
        return days is None or days > 0

    @property
    def bad(self) -> bool:
        """Whether its first review was a complaint."""
        return self.review_score is not None and self.review_score <= BAD_SCORE

    @property
    def in_reference(self) -> bool:
        """Whether it belongs to the population of the reference trigger table."""
        return self.handed_over_at is not None and self.status != "canceled"


def load_history(folder: Path) -> list[OrderHistory]:
    """Read the parquet files and return all orders by time of purchase.

    Raises:
        InputError: A file is missing, or the reader of parquet files is not installed.
    """
    for name in FILES:
        if not (folder / name).is_file():
            raise InputError(
                f"no such file: {name}", path=folder, remedy="point --data at the folder with the Olist files"
            )
    people = {str(row["customer_id"]): row for row in _rows(folder / FILES[1])}
    totals: dict[str, int] = {}
    for row in _rows(folder / FILES[2]):
        order_id = str(row["order_id"])
        totals[order_id] = totals.get(order_id, 0) + round(cast("float", row["payment_value"]) * 100)
    reviews = _first_reviews(folder / FILES[3])
    orders = [
        _order(row, people[str(row["customer_id"])], totals, reviews) for row in _rows(folder / FILES[0])
    ]
    return sorted(orders, key=lambda order: (order.purchased_at, order.order_id))


def _order(row: Row, person: Row, totals: dict[str, int], reviews: dict[str, Row]) -> OrderHistory:
    order_id = str(row["order_id"])
    review = reviews.get(order_id, {})
    purchased = _instant(row["order_purchase_timestamp"])
    if purchased is None:
        raise InputError("an order without time of purchase", path=FILES[0], field=order_id)
    return OrderHistory(
        order_id=order_id,
        person_id=str(person["customer_unique_id"]),
        state=str(person["customer_state"]),
        postcode=str(person["customer_zip_code_prefix"]),
        status=str(row["order_status"]),
        purchased_at=purchased,
        approved_at=_instant(row["order_approved_at"]),
        handed_over_at=_instant(row["order_delivered_carrier_date"]),
        delivered_at=_instant(row["order_delivered_customer_date"]),
        promised_on=cast("datetime", row["order_estimated_delivery_date"]).date(),
        total_cents=totals.get(order_id, 0),
        review_score=cast("int | None", review.get("review_score")),
        review_asked_at=_instant(review.get("review_creation_date")),
        review_answered_at=_instant(review.get("review_answer_timestamp")),
    )


def _first_reviews(path: Path) -> dict[str, Row]:
    first: dict[str, Row] = {}
    for row in _rows(path):
        order_id = str(row["order_id"])
        known = first.get(order_id)
        if known is None or _created(row) < _created(known):
            first[order_id] = row
    return first


def _created(row: Row) -> datetime:
    return cast("datetime | None", row["review_creation_date"]) or datetime.max  # noqa: DTZ901  # only compared


def _instant(value: object) -> datetime | None:
    if not isinstance(value, datetime):
        return None
    return value.replace(tzinfo=BRASILIA).astimezone(UTC)


def _rows(path: Path) -> Iterator[Row]:
    try:
        from pyarrow import parquet  # noqa: PLC0415  # an extra, and heavy
    except ImportError as exc:
        raise InputError(
            "parquet files cannot be read", path=path, remedy="pip install 'outrider[olist]'"
        ) from exc
    file = cast("_ParquetFile", parquet.ParquetFile(path))
    for batch in file.iter_batches(batch_size=20_000):
        yield from batch.to_pylist()
