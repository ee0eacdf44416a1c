"""Canonical JSON and the hashes of the audit chain.

The form is RFC 8785 for the values we allow: no floats, keys in ASCII, integers below 2**53.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring
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


class CanonicalText(str):
    """The canonical text of a value, written beforehand so that others can take it in as it is."""

    __slots__ = ()


class ObjectForm:
    """Writes objects that all have the same keys from the canonical texts of their values.

    Where thousands of objects share most of their values, only what differs is written for each.
    """

    def __init__(self, *keys: str) -> None:
        """Fix the keys, which must be names in ASCII, in any order."""
        if not all(key.isascii() and key.isidentifier() for key in keys):
            raise ValueError(f"{keys!r} are not all names in ASCII")
        self._open = frozenset(keys)
        self._template = "{" + ",".join(f'"{key}":%({key})s' for key in sorted(self._open)) + "}"

    def text(self, values: Mapping[str, str]) -> str:
        """Return the canonical text of an object.

        Args:
            values: Canonical texts by key; those of other keys are left out.

        Raises:
            KeyError: A value is missing.
        """
        return self._template % values

    def filled(self, values: Mapping[str, str]) -> "ObjectForm":
        """Return the form that is left when some values are known.

        Args:
            values: Canonical texts by key; those of other keys are left out.
        """
        parts = {key: f"%({key})s" for key in self._open - values.keys()}
        form = ObjectForm(*parts)
        parts |= {key: values[key].replace("%", "%%") for key in self._open & values.keys()}
        # what earlier values were written with stays written like that
        form._template = self._template.replace("%%", "%%%%") % parts
        return form


def plain_text(value: str | int | None) -> str:
    """Return the canonical text of a value that is not composed; the same as `canonical`, sooner.

    Half of a surrogate pair is not noticed here but when the text is hashed.

    Raises:
        TypeError: It is a float.
        ValueError: It is an integer that a double cannot hold.
    """
    if value is None:
        return "null"
    if isinstance(value, str):
        return encode_basestring(value)
    return str(value) if type(value) is int and -_SAFE_INTEGER < value < _SAFE_INTEGER else canonical(value)


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
