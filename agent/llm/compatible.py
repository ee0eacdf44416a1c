"""One request to an OpenAI-compatible server: Chat Completions with a JSON schema."""

import math
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Final, Literal

import httpx2
from openai import APIConnectionError, APIError, APIStatusError, AsyncOpenAI, Omit, omit
from openai.types.chat import ChatCompletionMessageParam
from pydantic import BaseModel, ConfigDict, NonNegativeInt, ValidationError
from typing_extensions import override

from agent.clock import Clock
from agent.llm.rules import RULES
from agent.llm.transport import AttemptError, ChatMessage, ChatRequest, Completion
from agent.store.llm_calls import Usage
from tools.errors import InputError
from tools.safe_text import safe_text

LARGEST_REPLY: Final = 1_048_576
"""Bytes of one HTTP body; a server that sends more is cut off."""
_LONGEST_DETAIL: Final = 200
_BODY_TOO_LARGE: Final = 413
_SERVER_ERROR: Final = 500
_RETRYABLE: Final = frozenset({408, 409, 429})
_MAYBE_ANSWERED: Final = frozenset({408, 504})
"""A gateway gave up on a model that may have gone on."""
_PROMPT_TOO_LONG: Final = frozenset({"context_length_exceeded", "exceed_context_size_error"})
"""Codes and types of OpenAI and llama.cpp."""
_OUT_OF_MONEY: Final = "insufficient_quota"
_NEVER_SENT: Final = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)


class _Lenient(BaseModel):
    """Servers add fields of their own, and leave out what the standard has."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _Message(_Lenient):
    content: str | None = None
    refusal: str | None = None


class _Choice(_Lenient):
    message: _Message
    finish_reason: str | None = None


class _Details(_Lenient):
    cached_tokens: NonNegativeInt | None = None


class _Usage(_Lenient):
    prompt_tokens: NonNegativeInt
    completion_tokens: NonNegativeInt
    prompt_tokens_details: _Details | None = None


class _Choices(_Lenient):
    choices: tuple[_Choice, ...]


class _Bill(_Lenient):
    usage: _Usage


class CompatibleTransport:
    """Sends requests through the openai client, which retries nothing here."""

    def __init__(
        self,
        *,
        base_url: str,
        model: str,
        api_key: str,
        clock: Clock,
        timeout: timedelta = timedelta(seconds=30),
        connect_timeout: timedelta = timedelta(seconds=2),
        limit_field: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens",
        temperature_percent: int | None = None,
        seed: int | None = None,
    ) -> None:
        """Build the client once per process; it costs some 100 ms for the TLS context.

        Args:
            base_url: For example `https://api.openai.com/v1` or `http://127.0.0.1:8080/v1`.
            model: The model's name as the endpoint knows it.
            api_key: Secret; servers of one's own take any text.
            clock: For `retry-after` headers that name a date.
            timeout: For one attempt, to connect and between two packets.
            connect_timeout: To connect.
            limit_field: Which field the server knows; Ollama and older ones want `max_tokens`.
            temperature_percent: 100 is a temperature of 1; None leaves it to the server, as reasoning
                models demand.
            seed: For servers that repeat an answer for the same seed.

        Raises:
            InputError: The address is no http address, there is no key, or the model is called like the
                offline rules model.
        """
        _check_arguments(base_url, model, api_key)
        self._model = model
        self._clock = clock
        self._limit_field = limit_field
        self._temperature_percent = temperature_percent
        self._seed = seed
        limits = httpx2.Timeout(timeout.total_seconds(), connect=connect_timeout.total_seconds())
        self._client = AsyncOpenAI(
            base_url=base_url,
            api_key=api_key,
            max_retries=0,  # ours are the only retries: two layers would multiply
            timeout=limits,
            http_client=httpx2.AsyncClient(
                timeout=limits,
                follow_redirects=False,  # a redirect would carry the request to a place nobody chose
                headers={"accept-encoding": "identity"},
                event_hooks={"response": [_limit_size]},
            ),
        )

    @property
    def model(self) -> str:
        """The model's name as the endpoint knows it."""
        return self._model

    @property
    def params(self) -> Mapping[str, object]:
        """What else shapes the answer."""
        return {"temperature_percent": self._temperature_percent, "seed": self._seed}

    async def complete(self, request: ChatRequest) -> Completion:
        """Send once and return the answer.

        Raises:
            AttemptError: There is none.
        """
        by_field: dict[str, int | Omit] = {self._limit_field: request.max_tokens}
        temperature = self._temperature_percent
        try:
            raw = await self._client.chat.completions.with_raw_response.create(
                model=self._model,
                messages=[_param(message) for message in request.messages],
                response_format={
                    "type": "json_schema",
                    "json_schema": {
                        "name": request.schema_name,
                        "schema": dict(request.schema),
                        "strict": True,
                    },
                },
                max_completion_tokens=by_field.get("max_completion_tokens", omit),
                max_tokens=by_field.get("max_tokens", omit),
                temperature=omit if temperature is None else temperature / 100,
                seed=omit if self._seed is None else self._seed,
            )
        except APIStatusError as exc:
            raise self._by_status(exc) from exc
        except APIConnectionError as exc:
            raise _by_connection(exc) from exc
        except APIError as exc:
            raise AttemptError(
                f"the model endpoint failed: {_short(exc.message)}",
                kind="down",
                retryable=True,
                maybe_billed=True,
            ) from exc
        return read_completion(raw.http_response.content)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _by_status(self, exc: APIStatusError) -> AttemptError:
        status = exc.status_code
        said = f"the model endpoint answered {status}: {_short(exc.message)}"
        names = {exc.code, exc.type}
        if _OUT_OF_MONEY in names:
            return AttemptError(said, kind="budget", retryable=False)
        if names & _PROMPT_TOO_LONG or status == _BODY_TOO_LARGE:
            return AttemptError(said, kind="too_long", retryable=False)
        if status in _RETRYABLE or status >= _SERVER_ERROR:
            return AttemptError(
                said,
                kind="down",
                retryable=True,
                retry_after=self._retry_after(exc.response.headers),
                maybe_billed=status in _MAYBE_ANSWERED,
            )
        return AttemptError(said, kind="refused", retryable=False)

    def _retry_after(self, headers: httpx2.Headers) -> float | None:
        """Return the seconds to wait that a response asks for; None when it does not, or makes no sense."""
        for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
            text = headers.get(name)
            if text is None:
                continue
            try:
                seconds = float(text) * scale
            except ValueError:
                try:
                    seconds = (parsedate_to_datetime(text) - self._clock()).total_seconds()
                except (ValueError, TypeError):  # no date, or one without a zone
                    continue
            if math.isfinite(seconds):
                return max(seconds, 0.0)
        return None


def _check_arguments(base_url: str, model: str, api_key: str) -> None:
    try:
        url = httpx2.URL(base_url)
    except httpx2.InvalidURL as exc:
        raise InputError(f"{base_url!r} is no address: {exc}", field="base_url") from exc
    if url.scheme not in ("http", "https") or not url.host:
        raise InputError(
            f"{base_url!r} is no http address",
            field="base_url",
            remedy="write for example https://api.openai.com/v1 or http://127.0.0.1:8080/v1",
        )
    if not api_key:
        raise InputError(
            "there is no key for the model endpoint",
            field="api_key",
            remedy="set OPENAI_API_KEY; a server of your own takes any text, for example none",
        )
    if model in ("", RULES):
        raise InputError(f"no model of an endpoint may be called {model!r}", field="model")


def read_completion(body: bytes) -> Completion:
    """Return what a 200 response says.

    Raises:
        AttemptError: It is no chat completion.
    """
    try:
        choices = _Choices.model_validate_json(body).choices
    except ValidationError as exc:
        raise AttemptError(
            "the model endpoint sent something that is no chat completion",
            kind="down",
            retryable=True,
            maybe_billed=True,
        ) from exc
    usage = _usage(body)
    if not choices:
        return Completion(text="", usage=usage, problem="invalid", detail="there is no answer in it")
    choice = choices[0]
    text = choice.message.content or ""
    if choice.message.refusal or choice.finish_reason == "content_filter":
        detail = _short(choice.message.refusal or "stopped by the provider's filter")
        return Completion(text=text, usage=usage, problem="refused", detail=detail)
    if choice.finish_reason == "length":
        return Completion(text=text, usage=usage, problem="too_long", detail="the answer was cut off")
    return Completion(text=text, usage=usage, problem="")


def _usage(body: bytes) -> Usage | None:
    try:
        found = _Bill.model_validate_json(body).usage
    except ValidationError:
        return None
    cached = found.prompt_tokens_details.cached_tokens if found.prompt_tokens_details else None
    return Usage(
        prompt_tokens=found.prompt_tokens,
        completion_tokens=found.completion_tokens,
        cached_tokens=cached or 0,
    )


def _by_connection(exc: APIConnectionError) -> AttemptError:
    cause = exc.__cause__
    if isinstance(cause, _NEVER_SENT):
        return AttemptError("the model endpoint cannot be reached", kind="down", retryable=True)
    if isinstance(cause, ReplyTooLargeError):
        return AttemptError(str(cause), kind="too_long", retryable=False, maybe_billed=True)
    if isinstance(cause, httpx2.TimeoutException):
        return AttemptError(
            "the model endpoint did not answer in time", kind="slow", retryable=True, maybe_billed=True
        )
    return AttemptError(
        "the connection to the model endpoint broke", kind="down", retryable=True, maybe_billed=True
    )


def _param(message: ChatMessage) -> ChatCompletionMessageParam:
    if message.role == "user":
        return {"role": "user", "content": message.content}
    return {"role": "assistant", "content": message.content}


def _short(text: str) -> str:
    """Return a server's words in one bounded, harmless line."""
    return " ".join(safe_text(text).split())[:_LONGEST_DETAIL]


class ReplyTooLargeError(httpx2.TransportError):
    """A body is larger than any answer can be."""


class _Limited(httpx2.AsyncByteStream):
    """A body that ends with an error when it grows too large."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._stream:
            size += len(chunk)
            if size > LARGEST_REPLY:
                raise ReplyTooLargeError(f"the model endpoint sent more than {LARGEST_REPLY:,} bytes")
            yield chunk

    @override
    async def aclose(self) -> None:
        await self._stream.aclose()


async def _limit_size(response: httpx2.Response) -> None:  # httpx2 awaits its hooks
    if response.headers.get("content-encoding", "identity") != "identity":
        raise ReplyTooLargeError("the model endpoint sent a compressed reply, whose size nobody can bound")
    if isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = _Limited(response.stream)
