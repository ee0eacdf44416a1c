"""Canonical JSON and the hashes of the audit chain.

The form is RFC 8785 for the values we allow: no floats, keys in ASCII, integers below 2**53.
"""

import base64
import hashlib
from collections.abc import Sequence
from typing import Final, cast

from pydantic import TypeAdapter

GENESIS: Final = hashlib.sha256(b"outrider audit chain").digest()
_SAFE_INTEGER = 2**53
_JSON: Final = TypeAdapter[object](object)
"""Writes JSON as RFC 8785 does but for the order of keys, six times as fast as the standard library."""
_PLAIN: Final = frozenset({str, bool, type(None)})
_SEQUENCES: Final = (list, tuple)


def canonical(value: object) -> str:
    """Return the canonical text of a JSON value.

    Raises:
        TypeError: It contains a float, a key that is not ASCII text, or another type JSON lacks.
        ValueError: It contains an integer that a double cannot hold, or half of a surrogate pair.
    """
    return _JSON.dump_json(_exact(value)).decode()


def leaf_hash(envelope: str) -> bytes:
    """SHA-256 of 0x00 and the canonical envelope, as RFC 9162 hashes leaves."""
    return hashlib.sha256(b"\x00" + envelope.encode()).digest()


def chain_hash(previous: bytes, leaf: bytes) -> bytes:
    """SHA-256 of 0x01, the chain value before, and the leaf."""
    return hashlib.sha256(b"\x01" + previous + leaf).digest()


def text_hash(text: str) -> str:
    """SHA-256 of a text, hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def encode_bytes(data: bytes) -> str:
    """Return bytes as URL-safe base 64 without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode_bytes(text: str) -> bytes:
    """Invert `encode_bytes`."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _exact(value: object) -> object:
    """Return a value with the keys of all its objects in order."""
    if isinstance(value, dict):
        items = cast("dict[object, object]", value)
        keys = [key for key in items if isinstance(key, str) and key.isascii()]
        if len(keys) < len(items):
            raise TypeError(f"a key of {list(items)!r} is no ASCII text")
        # most values are plain, and a call costs more than this question
        return {key: item if type(item := items[key]) in _PLAIN else _exact(item) for key in sorted(keys)}
    if isinstance(value, _SEQUENCES):
        elements = cast("Sequence[object]", value)
        return [item if type(item) in _PLAIN else _exact(item) for item in elements]
    if isinstance(value, int):
        if not -_SAFE_INTEGER < value < _SAFE_INTEGER:
            raise ValueError(f"{value} is beyond 2**53; write it as text")
    elif value is not None and not isinstance(value, str):
        raise TypeError(f"{value!r} has no exact canonical form")
    return value
