"""What decisions are worth under a cost table, and what plain policies would be worth."""

from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Due = Literal["contact", "person", "silence"]
"""What a case asks for: a message, a person, or nothing (now)."""


class CostTable(BaseModel):
    """What right and wrong decisions are worth, each in micro-units of `currency`, none negative.

    Silence that was right is worth 0: everything is measured against it.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    currency: str = Field(min_length=3, max_length=3, description="ISO 4217")
    reached: int = Field(ge=0, description="gain of a message that was due: the contact it prevents")
    false_alarm: int = Field(ge=0, description="loss of a message that was not due: sending, fatigue, harm")
    missed: int = Field(ge=0, description="loss of silence where a message or a person was due")
    person: int = Field(ge=0, description="cost of handing a case to a person")


def decision_worth(table: CostTable, *, due: Due, done: Due) -> int:
    """Return what one decision is worth, in micro-units, without what the model cost.

    A person who gets a case in which a message was due sees to it: the gain is kept, the person is paid.

    Args:
        table: The costs.
        due: What was right.
        done: What was decided.
    """
    if done == "contact":
        return table.reached if due == "contact" else -table.false_alarm
    if done == "person":
        return (table.reached if due == "contact" else 0) - table.person
    return 0 if due == "silence" else -table.missed


def always_worth(table: CostTable, due: Iterable[Due]) -> int:
    """Return what contacting in every case would be worth."""
    return sum(decision_worth(table, due=one, done="contact") for one in due)


def never_worth(table: CostTable, due: Iterable[Due]) -> int:
    """Return what silence in every case would be worth."""
    return sum(decision_worth(table, due=one, done="silence") for one in due)


def even_false_alarm(
    table: CostTable, *, due: Sequence[Due], done: Sequence[Due], spent: int = 0
) -> float | None:
    """Return what a needless message must cost for decisions to be worth as much as writing to everybody.

    Above it they are worth more, whatever else `table.false_alarm` says: that entry is the least certain of
    the table, so a report that rests on it should say how much.

    Args:
        table: The other costs.
        due: What was right, case by case.
        done: What was decided.
        spent: What deciding cost, in micro-units.

    Returns:
        Micro-units, 0 when they are worth more at any cost; None when they hold as many needless messages.
    """
    free = table.model_copy(update={"false_alarm": 0})
    pairs = list(zip(due, done, strict=True))
    decided = sum(decision_worth(free, due=right, done=kind) for right, kind in pairs) - spent
    spared = sum(right != "contact" and kind != "contact" for right, kind in pairs)
    return max(0.0, (always_worth(free, due) - decided) / spared) if spared else None
