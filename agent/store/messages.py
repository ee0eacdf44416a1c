"""Messages as they are kept: the canonical text that approval is bound to, and back."""

from typing import Final

from pydantic import TypeAdapter, ValidationError

from agent.errors import TamperedError
from tools.messages import Outbound

_OUTBOUND: Final = TypeAdapter(Outbound)


def message_to_json(message: Outbound) -> str:
    """Return the canonical text of a message; its SHA-256 is the content hash."""
    return message.canonical().decode()


def message_from_json(text: str) -> Outbound:
    """Invert `message_to_json`.

    Raises:
        TamperedError: The text is no message; something other than Outrider wrote it.
    """
    try:
        return _OUTBOUND.validate_json(text, strict=True)
    except ValidationError as exc:
        raise TamperedError("a stored message cannot be read; it was changed from outside") from exc
