"""Data meters of the network line: read twice a day, reset once a month, corrected now and then."""

from datetime import timedelta
from random import Random
from typing import Final

from tools.sim.billing import TERMS
from tools.sim.chance import between, happens, weighted
from tools.sim.journal import Journal
from tools.sim.moments import DAY, HOUR, Second, day_end, local_day, stamp
from tools.sim.people import Line
from tools.sim.rows import Contract, UsageMeter
from tools.sim.truth import About, Cause, Truths

METER: Final = "zaehler"
"""The company's word for a meter in `about_kind`."""

_PERIOD: Final = 30
_READ_EVERY: Final = 12 * HOUR
_INCLUDED: Final = {"Mobil S": 3_000, "Mobil M": 10_000, "Mobil L": 40_000}
_FLAT_PPM: Final = 80_000
_APPETITES: Final = ((35, 340_000), (62, 260_000), (88, 180_000), (112, 150_000), (170, 70_000))
"""Percent of the allowance that a person would use in a whole period."""
_CORRECTED_PPM: Final = 2_500
_LOST_PPM: Final = 15_000
_NEAR: Final = 80
_FULL: Final = 100


class Meters:
    """Writes the meters of all mobile contracts."""

    def __init__(
        self, journal: Journal, truths: Truths, chance: Random, *, since: Second, until: Second
    ) -> None:
        self._journal = journal
        self._truths = truths
        self._chance = chance
        self._since = since
        self._until = until

    def draw(self, contract: Contract) -> None:
        """Write every period of one contract that overlaps the company's days."""
        chance = self._chance
        zone = TERMS[Line.NETWORK].zone
        start = local_day(self._since, zone) - timedelta(days=between(chance, 1, _PERIOD))
        flat = happens(chance, _FLAT_PPM)
        while (begin := day_end(start - timedelta(days=1), zone)) < self._until:
            reset = start + timedelta(days=_PERIOD)
            end = day_end(reset - timedelta(days=1), zone)
            included = _INCLUDED[contract.tariff]
            meter = UsageMeter(
                meter_no=f"M{contract.contract_no}-{start:%y%m%d}",
                person_no=contract.person_no,
                contract_no=contract.contract_no,
                metric="daten",
                unit="MB",
                period_from=stamp(begin),
                period_until=stamp(end),
                resets_day=reset.isoformat(),
                used=0,
                included=0 if flat else included,
                flat=int(flat),
                read_on=stamp(begin),
            )
            self._readings(meter, begin, end)
            start = reset

    def _readings(self, meter: UsageMeter, begin: Second, end: Second) -> None:
        chance = self._chance
        allowance = meter.included or _INCLUDED["Mobil M"]
        appetite = weighted(chance, _APPETITES) + between(chance, -12, 13)
        per_reading = allowance * appetite // 100 // (_PERIOD * 2)
        used, troubles = 0, 0
        at = begin + between(chance, 0, _READ_EVERY)
        # what was read before the start is one figure, not a history
        while at < min(end, self._until):
            used += between(chance, 0, per_reading * 2 + 1)
            if at + _READ_EVERY >= self._since and not happens(chance, _LOST_PPM):
                reading = max(used - allowance // 25, 0) if happens(chance, _CORRECTED_PPM) else used
                read = meter._replace(used=reading, read_on=stamp(at))
                self._journal.write(read, at)
                troubles = self._trouble(read, at, end, troubles)
            at += _READ_EVERY + between(chance, -HOUR, HOUR)

    def _trouble(self, meter: UsageMeter, at: Second, end: Second, troubles: int) -> int:
        """Draw the trouble of each threshold once; return how many were drawn so far."""
        if meter.flat:
            return troubles
        percent = meter.used * 100 // meter.included
        reached = (percent >= _NEAR) + (percent >= _FULL)
        if reached > troubles and at >= self._since - DAY:
            self._truths.trouble(
                meter.person_no, About(METER, meter.meter_no), Cause.DATA_LOW, since=at + HOUR, until=end
            )
        return max(reached, troubles)
