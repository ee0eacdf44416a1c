"""What one guard says about a text."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One guard's answer; a text may leave when all its findings are ok."""

    guard: str
    """Stable id, for example `slots.digit`."""
    ok: bool
    detail: str = ""
    """What is wrong and where, for the reviewer and for the model's next try."""
