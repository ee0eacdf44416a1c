"""The envelopes of audit events: the canonical text that is hashed, what events share written once."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from agent.canonical import CanonicalText, ObjectForm, canonical, plain_text
from agent.domain.audit import Actor, AuditEvent

_KEYS: Final = ("actor", "at", "body", "case", "id", "subject", "type")
_OPEN: Final = ObjectForm(*_KEYS)
_WITH_PRIVATE: Final = ObjectForm(*_KEYS, "private")


class Envelopes:
    """Writes the envelopes of the events of one transaction.

    A page of the screen records thousands of events with the same actor, instant and often the same body.
    Such parts are known by identity, so all events must live as long as this does.
    """

    def __init__(self) -> None:
        self._written: dict[int, str] = {}

    def text(self, event: AuditEvent, *, event_id: str, subject_ref: str | None, private: str | None) -> str:
        """Return the envelope of an event; `private` is the ciphertext of its private fields, if any."""
        body = event.body
        values = {
            "actor": self._shared(event.actor, _actor),
            "at": self._shared(event.at, _instant),
            "body": body if isinstance(body, CanonicalText) else self._shared(body, canonical),
            "case": plain_text(event.case_id),
            "id": plain_text(event_id),
            "subject": plain_text(subject_ref),
            "type": plain_text(event.type),
        }
        if private is None:
            return _OPEN.text(values)
        return _WITH_PRIVATE.text(values | {"private": plain_text(private)})

    def _shared(self, part: object, write: Callable[[Any], str]) -> str:
        text = self._written.get(id(part))
        if text is None:
            text = self._written[id(part)] = write(part)
        return text


def _actor(actor: Actor) -> str:
    return canonical(actor.to_list())


def _instant(at: datetime) -> str:
    return plain_text(at.isoformat())
