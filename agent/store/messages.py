"""Messages as they are kept: the canonical text that approval is bound to, and back."""

from typing import Final

from pydantic import TypeAdapter

from tools.messages import Outbound

_OUTBOUND: Final = TypeAdapter(Outbound)


def message_to_json(message: Outbound) -> str:
    """Return the canonical text of a message; its SHA-256 is the content hash."""
    return message.canonical().decode()


def message_from_json(text: str) -> Outbound:
    """Invert `message_to_json`.

    Raises:
        pydantic.ValidationError: The text is no message.
    """
    return _OUTBOUND.validate_json(text, strict=True)
