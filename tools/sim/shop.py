"""The shop: orders that are packed, handed over and delivered, most of them on the promised day."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Final

from tools.sim.carriers import CARRIERS, SHOP_ZONE, Carriers, Stage, day_end_of
from tools.sim.chance import between, happens, one_of, weighted
from tools.sim.journal import Journal
from tools.sim.moments import DAY, HOUR, MINUTE, Second, day_end, local_day, stamp, working_day_after
from tools.sim.names import GOODS, HOSTILE_TITLES
from tools.sim.people import Customer
from tools.sim.rows import OrderItem, Parcel, WebOrder
from tools.sim.truth import About, Cause, Truths

ORDER: Final = "bestellung"
"""The company's word for an order in `about_kind`."""
WARM_UP: Final = 12 * DAY
"""Orders exist from this long before the start, so that the first day already has parcels on their way."""

_BETWEEN_ORDERS: Final = 9 * DAY
_UNMAPPED_EVERY: Final = 230
_FIRST_UNMAPPED: Final = 15
_HOSTILE_TITLE_EVERY: Final = 97
_TWO_PARCELS_PPM: Final = 20_000
_REFUND_PPM: Final = 12_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How one order goes: the seconds that matter."""

    placed: Second
    packed: Second
    handed: Second
    promised: Second
    """The exclusive end of the promised day."""
    delivered: Second


@dataclass(frozen=True, slots=True, kw_only=True)
class LateOrder:
    """An order that misses its promise, for the parts that write about it."""

    order_no: str
    person_no: int
    placed: Second
    delivered: Second


Script = Callable[["Shop", Way], list[Stage]]


class Shop:
    """Draws the orders of all customers of the shop."""

    def __init__(
        self, journal: Journal, truths: Truths, chance: Random, *, since: Second, until: Second
    ) -> None:
        self._journal = journal
        self._truths = truths
        self._chance = chance
        self._since = since
        self._until = until
        self._carriers = Carriers(journal, chance, since=since)
        self._orders = count(1)
        self._items = count(1)
        self._parcels = count(1)
        self._new_orders = count(1)
        self.late: list[LateOrder] = []
        self.placed: list[tuple[str, int, Second]] = []
        """Number, person and second of every order."""

    def draw(self, customers: list[Customer]) -> None:
        """Write the orders of these customers, about one in nine days each."""
        for customer in customers:
            for placed in self._times():
                self._order(customer, placed)

    def _times(self) -> Iterator[Second]:
        at = self._since - WARM_UP + int(self._chance.expovariate(1 / _BETWEEN_ORDERS))
        while at < self._until:
            yield at
            at += HOUR + int(self._chance.expovariate(1 / _BETWEEN_ORDERS))

    def _order(self, customer: Customer, placed: Second) -> None:
        chance = self._chance
        number = next(self._orders)
        order_no = f"WO-{number:07}"
        lines = self._lines(order_no, customer, number)
        promised = day_end(working_day_after(local_day(placed, SHOP_ZONE), between(chance, 3, 7)), SHOP_ZONE)
        row = WebOrder(
            order_no=order_no,
            person_no=customer.number,
            placed_on=stamp(placed),
            promised_day=local_day(promised - 1, SHOP_ZONE).isoformat(),
            promised_until=stamp(promised),
            state="placed",
            pay_state="bezahlt",
            refund_state="keine",
            handed_over_on=None,
            done_on=None,
            total_cents=sum(line.qty * line.price_cents for line in lines),
            currency=customer.place.currency,
            plz=customer.row.plz,
        )
        self.placed.append((order_no, customer.number, placed))
        self._journal.write(row, placed)
        for line in lines:
            self._journal.write(line, placed)
        kind = weighted(chance, _KINDS)
        if kind == "cancelled":
            cancelled = row._replace(state="storniert", pay_state="erstattet", refund_state="voll")
            self._journal.write(cancelled, placed + between(chance, 10 * MINUTE, 20 * HOUR))
            return
        self._fulfil(row, _WAYS[kind](chance, placed, promised), _SCRIPTS[kind])

    def _lines(self, order_no: str, customer: Customer, number: int) -> list[OrderItem]:
        chance = self._chance
        lines: list[OrderItem] = []
        for _ in range(1 if happens(chance, 600_000) else between(chance, 2, 4)):
            sku, title, cents = one_of(chance, GOODS)
            if number % _HOSTILE_TITLE_EVERY == 1:
                title = one_of(chance, HOSTILE_TITLES)
            price = cents * customer.place.price_percent // 100
            quantity = 1 if happens(chance, 850_000) else 2
            lines.append(OrderItem(next(self._items), order_no, sku, title, quantity, price))
        return lines

    def _fulfil(self, row: WebOrder, way: Way, script: Script) -> None:
        chance = self._chance
        carrier = one_of(chance, CARRIERS)
        if way.placed >= self._since and next(self._new_orders) % _UNMAPPED_EVERY == _FIRST_UNMAPPED:
            # a new word of the warehouse, in use for some hours
            self._journal.write(row._replace(state="zollpruefung"), (way.placed + way.packed) // 2)
        row = row._replace(state="packed")
        self._journal.write(row, way.packed)
        self._parcel(row, carrier, way, script)
        if happens(chance, _TWO_PARCELS_PPM):
            self._parcel(row, one_of(chance, CARRIERS), way, script)
        row = row._replace(state="handed_over", handed_over_on=stamp(way.handed))
        self._journal.write(row, way.handed)
        heard = self._carriers.heard(carrier, way.delivered)
        done = (way.delivered if heard is None else heard) + between(chance, MINUTE, 10 * MINUTE)
        row = row._replace(state="done", done_on=stamp(way.delivered))
        self._journal.write(row, done)
        if happens(chance, _REFUND_PPM):
            row = row._replace(refund_state="teilweise")
            self._journal.write(row, done + between(chance, DAY, 6 * DAY))
        elif happens(chance, _REFUND_PPM):
            self._journal.write(row, done + DAY)  # written again by a nightly job, unchanged
        if way.delivered > way.promised:
            self._trouble(row, way)

    def _parcel(self, row: WebOrder, carrier: str, way: Way, script: Script) -> None:
        number = next(self._parcels)
        parcel = Parcel(
            parcel_no=f"{carrier[:2].upper()}{number:09}",
            order_no=row.order_no,
            person_no=row.person_no,
            carrier=carrier,
            state="angemeldet",
            needs_action=0,
            eta_first=None,
            eta_now=None,
            eta_day=None,
        )
        self._carriers.carry(parcel, script(self, way))

    def _trouble(self, row: WebOrder, way: Way) -> None:
        self.late.append(
            LateOrder(
                order_no=row.order_no, person_no=row.person_no, placed=way.placed, delivered=way.delivered
            )
        )
        self._truths.trouble(
            row.person_no,
            About(ORDER, row.order_no),
            Cause.LATE_PARCEL,
            since=max(way.promised - 10 * HOUR, way.placed),
            until=way.delivered,
        )

    def transit(self, way: Way, eta: Second) -> list[Stage]:
        """Draw the scans from the label to the last sorting, expecting the day that ends at `eta`."""
        chance = self._chance
        stages = [
            Stage(at=way.packed, state="angemeldet"),
            Stage(at=way.handed, state="unterwegs", eta=eta),
        ]
        last = way.delivered - 9 * HOUR
        at = way.handed
        for _ in range(between(chance, 1, 4)):
            at += max((last - way.handed) // 4, HOUR)
            if at < last:
                stages.append(Stage(at=at, state="HUB"))
        return stages

    def arrival(self, way: Way) -> list[Stage]:
        """Draw the last two scans."""
        left = between(self._chance, 2 * HOUR, 6 * HOUR)
        return [
            Stage(at=max(way.delivered - left, way.handed + MINUTE), state="in_zustellung"),
            Stage(at=way.delivered, state="zugestellt"),
        ]

    def slip(self, way: Way) -> list[Stage]:
        """Draw one scan that moves the expected day behind the promise, before the promise is over."""
        low = way.handed + 2 * HOUR
        at = between(self._chance, low, max(way.promised - 6 * HOUR, low + HOUR))
        return [Stage(at=at, state="verspaetet", eta=day_end_of(way.delivered))]


def _in_time(chance: Random, placed: Second, promised: Second) -> Way:
    early = weighted(chance, ((0, 380_000), (1, 400_000), (2, 220_000)))
    delivered = promised - early * DAY - between(chance, 6 * HOUR, 14 * HOUR)
    delivered = max(delivered, placed + 30 * HOUR)
    handed = placed + (delivered - placed) * between(chance, 25, 55) // 100
    packed = placed + (handed - placed) * between(chance, 30, 85) // 100
    return Way(placed=placed, packed=packed, handed=handed, promised=promised, delivered=delivered)


def _late(chance: Random, placed: Second, promised: Second) -> Way:
    days = weighted(chance, ((1, 350_000), (2, 250_000), (3, 180_000), (5, 140_000), (9, 80_000)))
    delivered = promised + days * DAY - between(chance, 6 * HOUR, 14 * HOUR)
    handed = placed + (promised - placed) * between(chance, 25, 60) // 100
    packed = placed + (handed - placed) * between(chance, 30, 85) // 100
    return Way(placed=placed, packed=packed, handed=handed, promised=promised, delivered=delivered)


def _stuck(chance: Random, placed: Second, promised: Second) -> Way:
    """The shelf was empty: packed only after the promise."""
    packed = promised + between(chance, 4 * HOUR, 40 * HOUR)
    handed = packed + between(chance, 2 * HOUR, 12 * HOUR)
    delivered = handed + between(chance, 20 * HOUR, 60 * HOUR)
    return Way(placed=placed, packed=packed, handed=handed, promised=promised, delivered=delivered)


def _plain(shop: Shop, way: Way) -> list[Stage]:
    return [*shop.transit(way, day_end_of(way.delivered)), *shop.arrival(way)]


def _announced(shop: Shop, way: Way) -> list[Stage]:
    return _sorted([*shop.transit(way, way.promised), *shop.slip(way), *shop.arrival(way)])


def _unannounced(shop: Shop, way: Way) -> list[Stage]:
    return [*shop.transit(way, way.promised)[:3], *shop.arrival(way)]


def _missed_at_the_door(shop: Shop, way: Way) -> list[Stage]:
    tried = way.promised - 9 * HOUR
    first = [
        Stage(at=tried - 3 * HOUR, state="in_zustellung"),
        Stage(at=tried, state="gescheitert", eta=day_end_of(way.delivered)),
    ]
    return _sorted([*shop.transit(way, way.promised)[:3], *first, *shop.arrival(way)])


def _address_unclear(shop: Shop, way: Way) -> list[Stage]:
    """The carrier cannot find the house and gives no day; somebody has to act."""
    asked = way.handed + (way.promised - way.handed) // 2
    return _sorted(
        [*shop.transit(way, way.promised)[:2], Stage(at=asked, state="klaerung"), *shop.arrival(way)]
    )


def _recovered(shop: Shop, way: Way) -> list[Stage]:
    """A false alarm: the expected day slips and comes back."""
    middle = (way.handed + way.delivered) // 2
    back = middle + max((way.delivered - middle) // 2, HOUR)
    alarm = [
        Stage(at=middle, state="verspaetet", eta=way.promised + DAY),
        Stage(at=back, state="HUB", eta=way.promised),
    ]
    return _sorted([*shop.transit(way, way.promised)[:2], *alarm, *shop.arrival(way)])


def _sorted(stages: list[Stage]) -> list[Stage]:
    return sorted(stages, key=lambda stage: stage.at)


_KINDS: Final = (
    ("plain", 875_000),
    ("cancelled", 25_000),
    ("recovered", 20_000),
    ("announced", 38_000),
    ("unannounced", 15_000),
    ("stuck", 16_000),
    ("unclear", 3_000),
    ("missed", 8_000),
)
_WAYS: Final[dict[str, Callable[[Random, Second, Second], Way]]] = {
    "plain": _in_time,
    "recovered": _in_time,
    "announced": _late,
    "unannounced": _late,
    "stuck": _stuck,
    "missed": _late,
    "unclear": _late,
}
_SCRIPTS: Final[dict[str, Script]] = {
    "plain": _plain,
    "recovered": _recovered,
    "announced": _announced,
    "unannounced": _unannounced,
    "stuck": _plain,
    "missed": _missed_at_the_door,
    "unclear": _address_unclear,
}
