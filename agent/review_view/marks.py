"""Marks that say the same with and without colour: each has its own sign, letter and style.

The colours stay apart for every common kind of colour blindness.
Source: Okabe and Ito, Color Universal Design.
"""

from typing import Final

from policies.review_rules import Risk
from policies.verdict import Outcome

GOOD: Final = "#009e73"
CARE: Final = "#e69f00"
BAD: Final = "bold #d55e00"
LINK: Final = "#56b4e9"
QUIET: Final = "dim"

RISK: Final = {
    Risk.HIGH: ("▲H", "high risk", BAD),
    Risk.NORMAL: ("·N", "normal risk", ""),
    Risk.LOW: ("▽L", "low risk", QUIET),
}
"""Sign and letter, words, style."""

OUTCOME: Final = {
    Outcome.PASS: ("✓", "passed", GOOD),
    Outcome.NEEDS_REVIEW: ("?", "a person looks", CARE),
    Outcome.DEFER: ("~", "not now", CARE),
    Outcome.BLOCK: ("✗", "forbidden", BAD),
}

_DIGITS: Final = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def raised(number: int) -> str:
    """Return a number as the small figure that marks a fact in the text and in the table."""
    return str(number).translate(_DIGITS)
