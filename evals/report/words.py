"""Figures as people read them; the same words in the terminal and on the page."""

from evals.stats.interval import Interval
from evals.summary import Share, Worth

_MICROS = 1_000_000


def percent(share: float) -> str:
    """Return a share as a percentage with one place."""
    return f"{share:.1%}"


def points(difference: float) -> str:
    """Return a difference of shares in percentage points, signed."""
    return f"{100 * difference:+.1f} points"


def between(interval: Interval | None) -> str:
    """Return a share with its bounds, or `none` without one."""
    if interval is None:
        return "none"
    return f"{percent(interval.estimate)} ({percent(interval.low)} to {percent(interval.high)})"


def counted(share: Share) -> str:
    """Return a share with its bounds and its counts."""
    return f"{between(share.interval)}, {share.hits} of {share.n}" if share.n else "none"


def chance(p: float) -> str:
    """Return a p-value with four places."""
    least = 0.0001
    return f"p < {least:.4f}" if p < least else f"p = {p:.4f}"


def money(micros: float, currency: str) -> str:
    """Return micro-units as an amount with four places."""
    return f"{micros / _MICROS:,.4f} {currency}"


def plain_policies(worth: Worth) -> list[tuple[str, float]]:
    """Return the worth per decision of the run and of the policies it must beat, in micro-units."""
    rows = [
        ("Outrider", worth.decided),
        ("rules only", worth.rules_only),
        ("always contact", worth.always),
        ("never contact", worth.never),
    ]
    return [(name, value) for name, value in rows if value is not None]
