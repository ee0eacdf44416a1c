"""The errors of this package.

OutriderError
├── StoreError             the database cannot be used: newer version, read-only, full, locked
├── ConflictError          somebody else was faster: a claim, a compare-and-set
│   └── LeaseLostError     another worker took the work over while this one still ran
├── NotFoundError          no such case, draft or decision
├── RefusedError           the rules forbid it: a guard, a role, an expired or stale draft
├── ModelError             the model gave no usable answer
└── TamperedError          the audit chain does not verify

Mistakes in what a person wrote are `tools.errors.InputError`.
"""


class OutriderError(Exception):
    """Base of the errors that are shown as one plain message."""


class StoreError(OutriderError):
    """The database cannot be used; the message says why and what to do."""


class ConflictError(OutriderError):
    """Somebody else was faster."""


class LeaseLostError(ConflictError):
    """Another worker took the work over; whatever this one still wanted to write is rolled back."""


class NotFoundError(OutriderError):
    """There is no such thing."""


class RefusedError(OutriderError):
    """The rules forbid it."""


class ModelError(OutriderError):
    """The model gave no usable answer; `kind` says how."""

    def __init__(self, message: str, *, kind: str, retryable: bool = False) -> None:
        super().__init__(message)
        self.kind = kind
        """`down`, `slow`, `budget`, `refused`, `invalid`, `too_long`."""
        self.retryable = retryable


class TamperedError(OutriderError):
    """The audit chain does not verify."""
