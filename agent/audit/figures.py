"""Micro-units and millionths as people read them, on cards and screens alike."""


def micros(amount: int) -> str:
    """Return micro-units as a decimal number with four places, rounded towards zero."""
    sign = "-" if amount < 0 else ""
    return f"{sign}{abs(amount) // 1_000_000}.{abs(amount) % 1_000_000 // 100:04d}"


def percent(ppm: int) -> str:
    """Return parts per million as a percentage with one place, rounded down."""
    return f"{ppm // 10_000}.{ppm % 10_000 // 1_000} %"
