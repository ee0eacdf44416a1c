"""Who is kept back at random, so that the effect of outreach can be measured."""

import hashlib
from typing import Final

from policies.model import PPM, Holdout

_BUCKETS: Final = 2**64


def draw(holdout: Holdout | None, *, customer_id: str, scenario: str) -> tuple[bool, int]:
    """Draw the arm of one customer in one scenario; the same answer every time until the salt changes.

    Args:
        holdout: The playbook's share and salt; None keeps nobody back.
        customer_id: The customer, whose cases of the scenario all fall to the same arm.
        scenario: The scenario.

    Returns:
        Whether the customer is held out, and the probability of the arm drawn in millionths.
    """
    if holdout is None or holdout.share == 0:
        return False, PPM
    # lengths keep ("ab", "c") and ("a", "bc") apart
    salt = holdout.salt
    key = f"{len(salt)}:{salt}{len(scenario)}:{scenario}{len(customer_id)}:{customer_id}"
    bucket = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
    held_out = bucket * PPM < holdout.share * _BUCKETS
    return held_out, holdout.share if held_out else PPM - holdout.share
