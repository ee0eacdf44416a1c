"""The value rule: whether a message is worth more than silence, in integer micro-units of money."""

from dataclasses import dataclass

from policies.model import PPM, Limits, ValueRule
from tools.records.vocabulary import ChannelKind

MICROS_PER_MINOR = 10_000
"""One minor unit (a cent) is 10,000 micro-units of the major unit (a euro)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Valuation:
    """The value of one message and its parts, each in micro-units of `currency`."""

    currency: str
    prevented: int
    """Contact cost times the drop in contact probability; negative when outreach induces contacts."""
    benefit: int
    send_cost: int
    fatigue_cost: int
    harm_cost: int
    total: int
    band: int
    p_contact_ppm: int
    p_contact_after_ppm: int
    provenance: str
    source: str

    @property
    def worth_it(self) -> bool:
        """Whether the value is above zero."""
        return self.total > 0

    @property
    def in_band(self) -> bool:
        """Whether the value is too close to zero to decide without a person."""
        return abs(self.total) < self.band


def evaluate(rule: ValueRule, *, send_cost: int, sent_last_week: int) -> Valuation:
    """Value one message against silence.

    ``V = c_in * (p0 - pa) + b - c_send - c_fatigue * 2**n - p_harm * c_harm``, the rule of expected net
    value with induced contacts inside ``pa``; ``n`` is the number of messages in the last seven days.

    Args:
        rule: The declared costs and probabilities.
        send_cost: Price of the message in micro-units.
        sent_last_week: Messages the customer got in the last seven days; doubling stops at 16.
    """
    prevented = rule.contact_cost * MICROS_PER_MINOR * (rule.p_contact - rule.p_contact_after) // PPM
    fatigue = rule.fatigue_cost * MICROS_PER_MINOR * 2 ** min(sent_last_week, 16)
    harm = rule.harm_cost * MICROS_PER_MINOR * rule.p_harm // PPM
    benefit = rule.benefit * MICROS_PER_MINOR
    return Valuation(
        currency=rule.currency,
        prevented=prevented,
        benefit=benefit,
        send_cost=send_cost,
        fatigue_cost=fatigue,
        harm_cost=harm,
        total=prevented + benefit - send_cost - fatigue - harm,
        band=rule.band * MICROS_PER_MINOR,
        p_contact_ppm=rule.p_contact,
        p_contact_after_ppm=rule.p_contact_after,
        provenance=rule.provenance,
        source=rule.source,
    )


def send_cost(limits: Limits, channel: ChannelKind | None) -> int:
    """Return the price of one message in micro-units; of the dearest channel while none is chosen."""
    match channel:
        case ChannelKind.EMAIL:
            return limits.send_cost.email
        case ChannelKind.SMS:
            return limits.send_cost.sms
        case ChannelKind.PUSH:
            return limits.send_cost.push
        case None:
            return max(limits.send_cost.email, limits.send_cost.sms, limits.send_cost.push)
