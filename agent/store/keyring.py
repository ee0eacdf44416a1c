"""Keys of the audit log: one per customer, wrapped by the installation's key."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hmac
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

from agent.canonical import decode_bytes, encode_bytes
from agent.errors import TamperedError

_NONCE_BYTES = 12  # the size AES-GCM is specified for
KEY_BYTES = 32
_CIPHERS_KEPT = 4_096


@dataclass(frozen=True, slots=True)
class Subject:
    """A customer as the audit log knows them: a random reference and a key, wrapped as it is stored.

    Most events have no private fields, so the key is unwrapped when something is encrypted, not before.
    """

    ref: str
    wrapped: str


class Keyring:
    """Wraps and unwraps the customers' keys, and hashes addresses.

    Destroying a customer's wrapped key makes their fields unreadable for ever, while the chain, which is
    built over the ciphertext, still verifies.
    """

    def __init__(self, installation_key: bytes, *, random: Callable[[int], bytes]) -> None:
        if len(installation_key) != KEY_BYTES:
            raise ValueError(f"the installation key has {len(installation_key)} bytes, not {KEY_BYTES}")
        self._installation_key = installation_key
        self._wrapping = AESGCM(installation_key)
        self._random = random
        self._cipher = lru_cache(maxsize=_CIPHERS_KEPT)(self._unwrap)

    def new_subject(self) -> Subject:
        """Return a new subject with a key of its own."""
        ref = encode_bytes(self._random(12))
        key = self._random(KEY_BYTES)
        nonce = self._random(_NONCE_BYTES)
        wrapped = encode_bytes(nonce + self._wrapping.encrypt(nonce, key, ref.encode()))
        return Subject(ref=ref, wrapped=wrapped)

    def encrypt(self, subject: Subject, text: str, *, event_id: str) -> str:
        """Encrypt a customer's fields; the event's id is bound in, so that ciphertexts cannot be swapped.

        Raises:
            TamperedError: The wrapped key is damaged or belongs to another installation key.
        """
        cipher = self._cipher(subject)
        nonce = self._random(_NONCE_BYTES)
        return encode_bytes(nonce + cipher.encrypt(nonce, text.encode(), event_id.encode()))

    def decrypt(self, subject: Subject, sealed: str, *, event_id: str) -> str:
        """Invert `encrypt`.

        Raises:
            TamperedError: The ciphertext is damaged or belongs to another event, or the wrapped key is
                damaged or belongs to another installation key.
        """
        cipher = self._cipher(subject)
        raw = decode_bytes(sealed)
        try:
            return cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], event_id.encode()).decode()
        except InvalidTag as exc:
            raise TamperedError(f"event {event_id!r}: the encrypted fields do not open") from exc

    def draw(self, *words: str) -> int:
        """Return a number below 2**64 that these words always give here, and that nobody outside foresees."""
        mac = hmac.HMAC(self._installation_key, SHA256())
        mac.update("\x1f".join(("draw", *words)).encode())
        return int.from_bytes(mac.finalize()[:8], "big")

    def _unwrap(self, subject: Subject) -> AESGCM:
        raw = decode_bytes(subject.wrapped)
        try:
            key = self._wrapping.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], subject.ref.encode())
        except InvalidTag as exc:
            raise TamperedError(
                f"the key of subject {subject.ref!r} does not open with this installation key"
            ) from exc
        return AESGCM(key)

    def address_hmac(self, address: str) -> str:
        """Return the keyed hash under which an address is suppressed; case and outer blanks do not matter."""
        mac = hmac.HMAC(self._installation_key, SHA256())
        mac.update(address.strip().casefold().encode())
        return encode_bytes(mac.finalize())
