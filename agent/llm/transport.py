"""One exchange with a chat model: what is sent, what comes back, and how it can fail."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from agent.errors import ModelError
from agent.store.llm_calls import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMessage:
    """One turn."""

    role: Literal["user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """One request to a chat model."""

    messages: tuple[ChatMessage, ...]
    schema_name: str
    schema: Mapping[str, object]
    max_tokens: int
    """Most tokens the reply may have; the price bound rests on it."""
    key: str
    """The ledger's hash of the question: a repair turn has that of the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What a chat model answered."""

    text: str
    usage: Usage | None
    """None when the server does not say."""
    problem: Literal["", "refused", "too_long", "invalid"]
    """Why the text is no answer: the model declined, it was cut off, or there is none."""
    detail: str = ""


class AttemptError(ModelError):
    """One attempt gave nothing; says whether to try again, when, and whether it may be billed."""

    def __init__(
        self,
        message: str,
        *,
        kind: str,
        retryable: bool,
        retry_after: float | None = None,
        maybe_billed: bool = False,
    ) -> None:
        super().__init__(message, kind=kind, retryable=retryable)
        self.retry_after = retry_after
        """Seconds the server asked to wait, if it did."""
        self.maybe_billed = maybe_billed
        """Whether the server may have answered, and billed, although no answer arrived."""


class Transport(Protocol):
    """Sends one request once. Neither retries nor keeps anything."""

    @property
    def model(self) -> str:
        """The model's name as the endpoint knows it."""
        ...

    @property
    def params(self) -> Mapping[str, object]:
        """What else shapes the answer, as JSON without floats; part of the request's hash."""
        ...

    async def complete(self, request: ChatRequest) -> Completion:
        """Return the answer.

        Raises:
            AttemptError: There is none.
        """
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...
