"""Recorded replies: a folder with `set.yaml` and one JSON line per question, by the ledger's request hash."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from agent.llm.prices import Price
from agent.store.llm_calls import Usage
from tools.errors import InputError
from tools.records.base import Strict
from tools.yaml_file import load_yaml

RECORDINGS: Final = Path(__file__).parents[1] / "recordings"
SHIPPED: Final = RECORDINGS / "written"
"""The set that is replayed unless another is named."""
HEAD_FILE: Final = "set.yaml"

Count = Annotated[int, Field(ge=0)]


class SetHead(Strict):
    """What all recordings of a set share; the first three are part of every request's hash."""

    model: str
    """The model's name as the endpoint knew it."""
    max_tokens: Annotated[int, Field(ge=1)]
    params: dict[str, int | None] = Field(default_factory=dict)
    """What else shaped the replies, as the transport says it."""
    made_by: str
    """In words: who or what gave these replies, so that nobody takes them for another model's."""
    price: Price = Price(prompt=0, cached=0, completion=0, currency="XXX")
    """What the replies cost when they were recorded."""


class Recording(BaseModel):
    """The reply to one question."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    request: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """The ledger's hash over the canonical request."""
    task: Literal["read", "assess", "compose"]
    prompt: str
    """`id@version:hash`."""
    repair: str
    """The same of the prompt of a second turn."""
    case: str
    """The case that asked first; others may ask the same."""
    question: str = ""
    """What was asked, where somebody is to write the reply."""
    reply: dict[str, JsonValue] | str
    """The JSON object, or the text as it came when it is none."""
    problem: Literal["", "invalid", "too_long", "refused"] = ""
    """Why the reply is no answer; such replies are replayed like the others."""
    prompt_tokens: Count = 0
    completion_tokens: Count = 0
    cached_tokens: Count = 0
    milliseconds: Count = 0
    """How long the model took."""
    source: Literal["model", "written"] = "model"
    """`written` by a person, not by the model that the set names."""

    @property
    def text(self) -> str:
        """The reply as a model sends it."""
        return self.reply if isinstance(self.reply, str) else json.dumps(self.reply, ensure_ascii=False)

    @property
    def usage(self) -> Usage:
        """Tokens of all turns."""
        return Usage(
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
            cached_tokens=self.cached_tokens,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingSet:
    """A folder of recordings, read."""

    folder: Path
    head: SetHead
    replies: Mapping[str, Recording]
    """By request hash."""
    files: Mapping[str, str]
    """Request hash → stem of its file."""


def load_set(folder: Path) -> RecordingSet:
    """Read a folder of recordings.

    Raises:
        InputError: There is no such set, or a line is wrong.
    """
    if not (folder / HEAD_FILE).is_file():
        raise InputError(
            f"there are no recordings: {HEAD_FILE} is missing",
            path=folder,
            remedy="make them with --model live --record DIR",
        )
    head = load_yaml(folder / HEAD_FILE, SetHead)
    replies: dict[str, Recording] = {}
    files: dict[str, str] = {}
    for file in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(file.read_text("utf-8").splitlines(), start=1):
            recording = _recording(line, file, number)
            if recording.request in replies:
                raise InputError(
                    f"{files[recording.request]}.jsonl has a reply to the same request",
                    path=file,
                    line=number,
                    remedy="leave one of them out",
                )
            replies[recording.request] = recording
            files[recording.request] = file.stem
    return RecordingSet(folder=folder, head=head, replies=replies, files=files)


def add_recordings(
    folder: Path, head: SetHead, fresh: Iterable[tuple[str, Recording]], *, prompts: Mapping[str, str]
) -> int:
    """Write recordings into a folder and return how many it holds then.

    A question that was recorded before gets its new reply, in the file where it stood. Replies to prompts
    that are no longer in use are dropped: nothing can ask for them.

    Args:
        folder: Made when it is missing.
        head: What all of them share.
        fresh: (scenario, recording); of several replies to one question the first is kept.
        prompts: Prompt → `version:hash` of those in use.

    Raises:
        InputError: The folder holds another model's recordings, or cannot be written.
    """
    known = load_set(folder) if (folder / HEAD_FILE).is_file() else None
    if known is not None and _shared(known.head) != _shared(head):
        raise InputError(
            f"these are recordings of {known.head.model} with other settings",
            path=folder / HEAD_FILE,
            remedy="record into another folder",
        )
    in_use = {f"{name}@{rest}" for name, rest in prompts.items()}
    kept = dict(known.replies) if known else {}
    files = dict(known.files) if known else {}
    new: dict[str, Recording] = {}
    for scenario, recording in fresh:
        new.setdefault(recording.request, recording)
        files.setdefault(recording.request, scenario)
    kept = {key: one for key, one in (kept | new).items() if {one.prompt, one.repair} <= in_use}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if known is None:
            (folder / HEAD_FILE).write_text(_head_text(head), "utf-8")
        for stem in {*files.values()}:
            lines = sorted((one for key, one in kept.items() if files[key] == stem), key=_order)
            (folder / f"{stem}.jsonl").write_text("".join(map(recording_line, lines)), "utf-8")
    except OSError as exc:
        raise InputError(f"the recordings cannot be written: {exc.strerror}", path=folder) from exc
    return len(kept)


def recording_line(recording: Recording) -> str:
    """Return a recording as one line of a file; what is empty is left out."""
    return json.dumps(recording.model_dump(exclude_defaults=True) | {"reply": recording.reply}) + "\n"


def as_reply(text: str) -> dict[str, Any] | str:
    """Return a reply in the form in which it is kept: the object, or the text when it is none."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, dict) else text  # pyright: ignore[reportUnknownVariableType]  # JSON


def _recording(line: str, file: Path, number: int) -> Recording:
    try:
        return Recording.model_validate_json(line)
    except ValidationError as exc:
        first = exc.errors(include_url=False)[0]
        raise InputError(
            f"this is no recording: {first['msg']}",
            path=file,
            line=number,
            field=".".join(map(str, first["loc"])) or None,
            remedy="correct the line or leave it out; the question is then listed as unrecorded",
        ) from exc


def _shared(head: SetHead) -> tuple[object, ...]:
    return head.model, head.max_tokens, head.params


def _order(recording: Recording) -> tuple[str, str, str]:
    return recording.case, recording.task, recording.request


def _head_text(head: SetHead) -> str:
    """Return the head as YAML; JSON is YAML too."""
    fields = head.model_dump(mode="json")
    return "".join(f"{name}: {json.dumps(value)}\n" for name, value in fields.items())
