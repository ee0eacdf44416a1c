"""Canonical JSON and the hashes of the audit chain.

The form is RFC 8785 for the values we allow: no floats, keys in ASCII, integers below 2**53.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Final, cast

GENESIS: Final = hashlib.sha256(b"outrider audit chain").digest()
_SAFE_INTEGER = 2**53
_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
_EXACT: Final = frozenset({str, bool, type(None)})
_SEQUENCES: Final = (list, tuple)


def canonical(value: object) -> str:
    """Return the canonical text of a JSON value.

    Raises:
        TypeError: It contains a float, a key that is not ASCII text, or another type JSON lacks.
        ValueError: It contains an integer that a double cannot hold.
    """
    _refuse_inexact(value)
    return _ENCODER.encode(value)


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


def _refuse_inexact(value: object) -> None:
    if isinstance(value, dict):
        items = cast("dict[object, object]", value)
        for key in items:
            if not isinstance(key, str) or not key.isascii():
                raise TypeError(f"key {key!r} is no ASCII text")
        _refuse_any_inexact(items.values())
    elif isinstance(value, _SEQUENCES):
        _refuse_any_inexact(cast("Sequence[object]", value))
    elif isinstance(value, int):
        if not -_SAFE_INTEGER < value < _SAFE_INTEGER:
            raise ValueError(f"{value} is beyond 2**53; write it as text")
    elif value is not None and not isinstance(value, str):
        raise TypeError(f"{value!r} has no exact canonical form")


def _refuse_any_inexact(items: Iterable[object]) -> None:
    for item in items:
        if type(item) not in _EXACT:  # most values are texts, and a call costs more than this question
            _refuse_inexact(item)
