"""Money for outside calls: reserved before a call, settled after it, never spent and held above the cap."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, delete, func, insert, update
from sqlmodel import col, select

from agent.store.tables.ledger import BudgetHold, BudgetRow
from agent.store.transaction import Tx, insert_new

_DEAD: Final = (
    select(BudgetHold.id, BudgetHold.amount)
    .where(col(BudgetHold.at) < bindparam("before"))
    .order_by(col(BudgetHold.scope), col(BudgetHold.period))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """One scope and period; money in micro-units."""

    cap: int
    held: int
    """Reserved for calls under way."""
    spent: int

    @property
    def left(self) -> int:
        """What may still be reserved; never below zero, also when the cap was lowered meanwhile."""
        return max(self.cap - self.held - self.spent, 0)


def reserve(
    tx: Tx, *, scope: str, period: str, amount: int, cap: int, owner: str, at: datetime
) -> str | None:
    """Hold an amount and return the hold's id, or None when spent and held would pass the cap.

    One conditional update decides, so that callers at the same time cannot both take the last money. The cap
    of the latest caller counts: a changed limit takes effect at once.

    Args:
        tx: The transaction.
        scope: What the money is for, for example `model`.
        period: The UTC day, `2026-11-02`.
        amount: Most that the call can cost, in micro-units.
        cap: Most that may be spent and held in the period, inclusive.
        owner: The process that will settle, so that its holds can be found when it dies.
        at: Now.

    Raises:
        ValueError: The amount is negative.
    """
    if amount < 0:
        raise ValueError(f"cannot reserve {amount}")
    row = {"scope": scope, "period": period, "cap": cap, "held": 0, "spent": 0}
    insert_new(tx.conn, BudgetRow, [row])
    taken = tx.conn.execute(
        update(BudgetRow)
        .where(
            col(BudgetRow.scope) == scope,
            col(BudgetRow.period) == period,
            col(BudgetRow.spent) + col(BudgetRow.held) + amount <= cap,
        )
        .values(held=col(BudgetRow.held) + amount, cap=cap)
    )
    if taken.rowcount != 1:
        return None
    hold_id = tx.ids.new("hold", at=at)
    hold = {"id": hold_id, "scope": scope, "period": period, "amount": amount, "owner": owner, "at": at}
    tx.conn.execute(insert(BudgetHold), [hold])
    return hold_id


def settle(tx: Tx, hold_id: str, *, cost: int) -> bool:
    """Replace a hold by what the call cost; return False when a janitor was faster and nothing is changed.

    A cost above the hold is booked in full: the books say what was spent, also when the bound was wrong.

    Raises:
        ValueError: The cost is negative.
    """
    if cost < 0:
        raise ValueError(f"cannot settle {cost}")
    hold = tx.conn.execute(
        select(BudgetHold.scope, BudgetHold.period, BudgetHold.amount).where(col(BudgetHold.id) == hold_id)
    ).first()
    if hold is None:
        return False
    scope, period, amount = hold
    books = (col(BudgetRow.scope) == scope, col(BudgetRow.period) == period)
    # locked before the hold, as `reserve` does: the other order could wait crosswise with a janitor
    tx.conn.execute(select(BudgetRow.scope).where(*books).with_for_update())
    # the delete decides who settles: two at once would book the same hold twice
    if tx.conn.execute(delete(BudgetHold).where(col(BudgetHold.id) == hold_id)).rowcount != 1:
        return False
    tx.conn.execute(
        update(BudgetRow)
        .where(*books)
        .values(held=col(BudgetRow.held) - amount, spent=col(BudgetRow.spent) + cost)
    )
    return True


def release_dead(tx: Tx, *, before: datetime, owner: str | None = None) -> int:
    """Settle the holds that nobody will settle any more; return how many.

    What was held counts as spent: the provider may have answered and billed a call whose caller died.

    Args:
        tx: The transaction.
        before: Only holds made earlier; must lie further back than a call can last.
        owner: Only this owner's holds; None for everybody's.
    """
    wanted = _DEAD if owner is None else _DEAD.where(col(BudgetHold.owner) == owner)
    dead = tx.conn.execute(wanted, {"before": before}).all()
    return sum(settle(tx, hold_id, cost=amount) for hold_id, amount in dead)


def balance(connection: Connection, *, scope: str, period: str) -> Balance | None:
    """Return the books of a scope and period, or None when nothing was reserved yet."""
    row = connection.execute(
        select(BudgetRow.cap, BudgetRow.held, BudgetRow.spent).where(
            col(BudgetRow.scope) == scope, col(BudgetRow.period) == period
        )
    ).first()
    return None if row is None else Balance(cap=row[0], held=row[1], spent=row[2])


def held_amounts(connection: Connection, *, scope: str, period: str) -> int:
    """Return the sum of the single holds; equals `Balance.held` when the books are right."""
    total = connection.execute(
        select(func.coalesce(func.sum(col(BudgetHold.amount)), 0)).where(
            col(BudgetHold.scope) == scope, col(BudgetHold.period) == period
        )
    ).scalar_one()
    return int(total)
