"""Replaces what identifies people and business objects, the same one by the same each time."""

from dataclasses import dataclass, field
from typing import Any, Final, cast
from urllib.parse import urlsplit, urlunsplit

import phonenumbers

from evals.cases.world import record_id
from tools.records.base import Record
from tools.records.registry import UNTRUSTED

_REFERENCES: Final = {
    "customer_id": "customer",
    "owner_id": "customer",
    "order_id": "order",
    "invoice_id": "invoice",
    "subscription_id": "subscription",
    "account_id": "account",
    "ticket_id": "ticket",
    "incident_id": "incident",
}
"""Fields that name another record, with its type."""
_NUMBERS: Final = ("number", "tracking_no", "proof", "send_id", "provider_id", "merchant")
_LINKS: Final = ("pay_url", "public_url")
_HARMLESS: Final = "A text was here."
_UNASSIGNED: Final = "+493090182{:04}"


@dataclass(slots=True)
class Disguise:
    """One case's replacements."""

    keep_texts: bool
    """Whether texts by strangers stay, because they are what went wrong."""
    _ids: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    _numbers: dict[str, str] = field(default_factory=dict[str, str])

    def id_of(self, record_type: str, identifier: str) -> str:
        """Return the replacement of an id: `c1` for the first customer, and so on."""
        known = sum(kind == record_type for kind, _ in self._ids)
        return self._ids.setdefault((record_type, identifier), record_id(record_type, known + 1))

    def reference(self, ref: str) -> str:
        """Return the replacement of `type:id`."""
        record_type, _, identifier = ref.partition(":")
        return f"{record_type}:{self.id_of(record_type, identifier)}"

    def values_of(self, record_type: str, record: Record) -> dict[str, Any]:
        """Return a record's fields in JSON form, disguised."""
        values: dict[str, Any] = record.model_dump(mode="json")
        values["id"] = self.id_of(record_type, record.id)
        for name, value in values.items():
            if value is not None and name != "id":
                values[name] = self._value(record_type, name, value, values["id"])
        return values

    def _value(self, record_type: str, name: str, value: Any, identifier: str) -> Any:  # noqa: ANN401, PLR0911  # one return per kind
        if name in _REFERENCES:
            return self.id_of(_REFERENCES[name], str(value))
        if name in {"about", "object_ref"}:
            return self.reference(str(value))
        if name == "customer_ids":
            return [self.id_of("customer", str(one)) for one in value]
        if (record_type, name) in UNTRUSTED:
            return self._text(record_type, name, value)
        if name == "emails":
            return [f"{identifier}.{place}@example.com" for place, _ in enumerate(value, start=1)]
        if name == "phones":
            return [_example_phone(str(one), place) for place, one in enumerate(value, start=1)]
        if name == "push_tokens":
            return [f"token-{identifier}-{place}" for place, _ in enumerate(value, start=1)]
        if name in _LINKS:
            return _without_path(str(value))
        if name in _NUMBERS or name == "postcode":
            return self._numbers.setdefault(str(value), f"{1001 + len(self._numbers)}")
        return value

    def _text(self, record_type: str, name: str, value: Any) -> Any:  # noqa: ANN401  # a text, or parts with one
        if record_type == "customer":
            return "Ada Lovelace"
        if self.keep_texts:
            return value
        if isinstance(value, list):
            inner = "title" if name == "lines" else "text"
            parts = cast("list[dict[str, Any]]", value)
            return [{**part, inner: _HARMLESS if part[inner] else ""} for part in parts]
        return _HARMLESS if value else ""


def _example_phone(phone: str, place: int) -> str:
    """Return a number of the same country that belongs to nobody, so that zones stay plausible."""
    try:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(phone))
    except phonenumbers.NumberParseException:
        region = None
    example = phonenumbers.example_number(region) if region else None
    if example is None:
        return _UNASSIGNED.format(place)
    return phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)


def _without_path(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, "/x", "", ""))
