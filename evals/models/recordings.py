"""Recorded replies: a folder with `set.yaml` and one JSON line per question, by the ledger's request hash.

A case gets the replies that were recorded for it, so that a model that answers differently each time is
replayed as it went once. To a question that was recorded for other cases only, it gets the first of theirs.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from agent.llm.prices import Price
from agent.store.llm_calls import Usage
from tools.errors import InputError
from tools.records.base import Strict
from tools.yaml_file import load_yaml, read_text

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
    """The case that asked."""
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


@dataclass(frozen=True, kw_only=True)
class RecordingSet:
    """A folder of recordings, read."""

    folder: Path
    head: SetHead
    files: Mapping[str, Sequence[Recording]]
    """Stem of a file → its lines."""

    @property
    def recordings(self) -> Iterator[Recording]:
        """All lines."""
        return chain.from_iterable(self.files.values())

    def reply_to(self, request: str, case: str) -> Recording | None:
        """Return the reply to a request of a case: its own, else another case's, else None."""
        return self._own.get((case, request)) or self._first.get(request)

    @cached_property
    def _own(self) -> dict[tuple[str, str], Recording]:
        return {(one.case, one.request): one for one in self.recordings}

    @cached_property
    def _first(self) -> dict[str, Recording]:
        found: dict[str, Recording] = {}
        for one in self.recordings:
            found.setdefault(one.request, one)
        return found


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
    where: dict[tuple[str, str], str] = {}
    files: dict[str, list[Recording]] = {}
    for file in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(read_text(file).splitlines(), start=1):
            recording = _recording(line, file, number)
            first = where.setdefault((recording.case, recording.request), f"{file.name}, line {number}")
            if first != f"{file.name}, line {number}":
                raise InputError(
                    f"{first} has a reply to the same request of the same case",
                    path=file,
                    line=number,
                    remedy="leave one of them out",
                )
            files.setdefault(file.stem, []).append(recording)
    return RecordingSet(folder=folder, head=head, files=files)


def add_recordings(
    folder: Path, head: SetHead, fresh: Iterable[tuple[str, Recording]], *, prompts: Mapping[str, str]
) -> int:
    """Write recordings into a folder and return how many it holds then.

    What a case had is replaced by what it has now. Replies to prompts that are no longer in use are
    dropped: nothing can ask for them.

    Args:
        folder: Made when it is missing.
        head: What all of them share.
        fresh: (scenario, recording); of several replies to one question of a case the first is kept.
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
    new: dict[str, dict[tuple[str, str], Recording]] = {}
    for scenario, one in fresh:
        new.setdefault(scenario, {}).setdefault((one.case, one.request), one)
    again = {case for lines in new.values() for case, _ in lines}
    in_use = {f"{name}@{rest}" for name, rest in prompts.items()}
    files: dict[str, list[Recording]] = {}
    for stem in {*new, *(known.files if known else ())}:
        old = [one for one in (known.files.get(stem, ()) if known else ()) if one.case not in again]
        lines = [*old, *new.get(stem, {}).values()]
        files[stem] = sorted((one for one in lines if {one.prompt, one.repair} <= in_use), key=_order)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if known is None:
            (folder / HEAD_FILE).write_text(_head_text(head), "utf-8")
        for stem, lines in files.items():
            (folder / f"{stem}.jsonl").write_text("".join(map(recording_line, lines)), "utf-8")
    except OSError as exc:
        raise InputError(f"the recordings cannot be written: {exc.strerror}", path=folder) from exc
    return sum(map(len, files.values()))


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
