"""When each policy writes: the plain rule, the shipped playbook, and a ranking learned from the past."""

from datetime import timedelta
from pathlib import Path
from typing import Final

import numpy as np

import policies
from evals.olist.population import Floats, Orders
from policies.model import Playbook
from tools.yaml_file import load_yaml

PLAYBOOK: Final = Path(policies.__file__).parent / "playbooks" / "shop" / "shipping_delay.yaml"


def by_rule(orders: Orders, days_before: float) -> Floats:
    """Return the day of the notice, NaN without one: not delivered N days before the promised day ends."""
    at = orders.promised_end - days_before
    return np.where((orders.delivered > at) & (orders.bought <= at), at, np.nan)


def by_playbook(orders: Orders, path: Path = PLAYBOOK) -> Floats:
    """Return the day on which the shipped playbook's trigger becomes true, NaN where it never does.

    The files know neither shipments nor expected times, so of the trigger's branches the one of
    `params.notice_before` decides. Quiet hours then move the message to the morning; that is not counted.

    Raises:
        InputError: The playbook cannot be read.
    """
    before = load_yaml(path, Playbook).params["notice_before"]
    if not isinstance(before, timedelta):
        raise TypeError(f"notice_before is no duration: {before!r}")
    return by_rule(orders, before / timedelta(days=1))
