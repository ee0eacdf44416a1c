"""Reads the drafts of `slotted_drafts.yaml`."""

from pathlib import Path
from typing import Final

from tools.records.base import Strict
from tools.yaml_file import load_yaml

ALLOWED: Final = frozenset(
    {
        "customer.first_name",
        "order.number",
        "order.promised_on",
        "order.total",
        "shipment.carrier",
        "shipment.eta_on",
        "shipment.delay_days",
        "shipment.tracking_no",
        "invoice.number",
        "invoice.amount_due",
        "invoice.due_on",
        "invoice.pay_url",
        "incident.started_at",
        "incident.next_update_at",
        "usage.percent",
        "usage.left",
        "usage.unit",
        "usage.resets_on",
    }
)


class Draft(Strict):
    name: str
    guard: str = ""
    """The guard that must refuse it; empty for a good one."""
    language: str = "en"
    subject: str = ""
    body: str = ""
    middle: str = ""
    """Instead of a body: what stands between two harmless sentences."""


class Drafts(Strict):
    start: str
    end: str
    good: tuple[Draft, ...]
    bad: tuple[Draft, ...]

    def body_of(self, draft: Draft) -> str:
        return f"{self.start}{draft.middle}{self.end}" if draft.middle else draft.body


DRAFTS: Final = load_yaml(Path(__file__).with_suffix(".yaml"), Drafts)
