"""The envelopes of audit events: the canonical text that is hashed, what events share written once."""

from collections.abc import Mapping
from typing import Final

from agent.canonical import CanonicalText, ObjectForm, canonical, plain_text
from agent.domain.audit import AuditEvent

_KEYS: Final = ("actor", "at", "body", "case", "id", "subject", "type")
_OPEN: Final = ObjectForm(*_KEYS)
_WITH_PRIVATE: Final = ObjectForm(*_KEYS, "private")


class Envelopes:
    """Writes the envelopes of the events of one transaction.

    A page of the screen records thousands of events with the same type, actor and instant, and often the
    same body. Such parts are known by identity, so all events must live as long as this does.
    """

    def __init__(self) -> None:
        self._forms: dict[tuple[int, int, str, bool], ObjectForm] = {}
        self._bodies: dict[int, str] = {}

    def text(self, event: AuditEvent, *, event_id: str, subject_ref: str | None, private: str | None) -> str:
        """Return the envelope of an event; `private` is the ciphertext of its private fields, if any."""
        body = event.body
        values = {
            "body": body if isinstance(body, CanonicalText) else self._body(body),
            "case": plain_text(event.case_id),
            "id": plain_text(event_id),
            "subject": plain_text(subject_ref),
        }
        if private is not None:
            values["private"] = plain_text(private)
        return self._form(event, private=private is not None).text(values)

    def _form(self, event: AuditEvent, *, private: bool) -> ObjectForm:
        key = id(event.actor), id(event.at), event.type, private
        form = self._forms.get(key)
        if form is None:
            shared = {
                "actor": canonical(event.actor.to_list()),
                "at": plain_text(event.at.isoformat()),
                "type": plain_text(event.type),
            }
            form = self._forms[key] = (_WITH_PRIVATE if private else _OPEN).filled(shared)
        return form

    def _body(self, body: Mapping[str, object]) -> str:
        text = self._bodies.get(id(body))
        if text is None:
            text = self._bodies[id(body)] = canonical(body)
        return text
