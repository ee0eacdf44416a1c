"""How sure a share is that was counted on few cases."""

from dataclasses import dataclass
from math import sqrt
from typing import Final

from policies.model import PPM

_Z: Final = 1.959963984540054
"""The 97.5 % point of the normal distribution: two-sided 95 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A counted share with its 95 % interval, in parts per million."""

    count: int
    of: int
    ppm: int
    low_ppm: int
    high_ppm: int


def share(count: int, of: int) -> Share:
    """Return `count` out of `of` with its Wilson 95 % interval; nothing counted is anything from 0 to 1.

    Raises:
        ValueError: `count` is negative or above `of`.

    Source: Wilson, Journal of the American Statistical Association 22 (1927):
        ``(p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n)``.
    """
    if not 0 <= count <= of:
        raise ValueError(f"{count} of {of} is no share")
    if of == 0:
        return Share(count=0, of=0, ppm=0, low_ppm=0, high_ppm=PPM)
    p, z2 = count / of, _Z * _Z
    middle = p + z2 / (2 * of)
    reach = _Z * sqrt(p * (1 - p) / of + z2 / (4 * of * of))
    scale = PPM / (1 + z2 / of)
    return Share(
        count=count,
        of=of,
        ppm=round(p * PPM),
        low_ppm=max(0, round((middle - reach) * scale)),
        high_ppm=min(PPM, round((middle + reach) * scale)),
    )
