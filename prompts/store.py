"""The prompts for the model: versioned files with declared inputs."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from jinja2 import Template, TemplateSyntaxError, meta
from pydantic import Field

from prompts.folders import LIBRARY_FOLDER
from prompts.front_matter import read_document
from prompts.template_syntax import sandbox
from tools.errors import InputError
from tools.records.base import Strict

PromptValue = str | int | Sequence[str]
_FILE_NAME = re.compile(r"v([1-9]\d*)\.md")


class PromptInput(Strict):
    """One input of a prompt."""

    kind: Literal["text", "number", "list"]
    """A list is one of texts."""
    about: str


class PromptHead(Strict):
    """The head of a prompt file."""

    id: str
    version: Annotated[int, Field(ge=1)]
    about: str
    output: str
    """Name of the reply type in `agent.domain.model`."""
    inputs: dict[str, PromptInput]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One version of a prompt."""

    id: str
    version: int
    hash: str
    """SHA-256 of the file, hex."""
    output: str
    inputs: Mapping[str, PromptInput]
    path: Path
    template: Template

    @property
    def ref(self) -> str:
        """`id@version`, as decisions record it."""
        return f"{self.id}@{self.version}"

    def render(self, **inputs: PromptValue) -> str:
        """Return the prompt with its inputs, which are data: nothing in them is read as a template.

        Raises:
            InputError: An input is missing, unknown or of another kind than the file declares.
        """
        for name in self.inputs.keys() | inputs.keys():
            self._check(name, inputs)
        return self.template.render(inputs).strip() + "\n"

    def _check(self, name: str, inputs: Mapping[str, PromptValue]) -> None:
        if name not in self.inputs:
            problem = "the prompt declares no such input"
        elif name not in inputs:
            problem = "the input is missing"
        elif kind_of(inputs[name]) != self.inputs[name].kind:
            problem = f"the input is a {kind_of(inputs[name])}, not a {self.inputs[name].kind}"
        else:
            return
        raise InputError(
            problem, path=self.path, field=f"inputs.{name}", remedy="make the file and its caller agree"
        )


def kind_of(value: PromptValue) -> Literal["text", "number", "list"]:
    """Return which kind of input a value is."""
    match value:
        case str():
            return "text"
        case int():
            return "number"
        case _:
            return "list"


class PromptStore:
    """The prompts of a folder, laid out as `<id>/v<version>.md`."""

    def __init__(self, folder: Path = LIBRARY_FOLDER) -> None:
        """Read nothing yet; files are read when first asked for."""
        self._folder = folder
        self._read: dict[Path, Prompt] = {}

    def get(self, prompt_id: str, version: int | None = None) -> Prompt:
        """Return a version of a prompt, the newest when none is named.

        Raises:
            InputError: There is no such prompt or version, or the file is wrong.
        """
        versions = self._files.get(prompt_id, {})
        path = versions.get(max(versions, default=0) if version is None else version)
        if path is None:
            wanted = prompt_id if version is None else f"{prompt_id}@{version}"
            raise InputError(
                f"there is no prompt {wanted!r}",
                path=self._folder,
                remedy=f"write {prompt_id}/v{version or 1}.md",
            )
        if path not in self._read:
            self._read[path] = _read_prompt(path)
        return self._read[path]

    @cached_property
    def _files(self) -> Mapping[str, Mapping[int, Path]]:
        found: dict[str, dict[int, Path]] = {}
        for path in sorted(self._folder.glob("*/v*.md")):
            if match := _FILE_NAME.fullmatch(path.name):
                found.setdefault(path.parent.name, {})[int(match[1])] = path
        return found


def _read_prompt(path: Path) -> Prompt:
    document = read_document(path, PromptHead)
    head = document.head
    if (head.id, f"v{head.version}.md") != (path.parent.name, path.name):
        raise InputError(
            f"the head says {head.id}@{head.version}, the file's name says otherwise",
            path=path,
            line=2,
            remedy="a prompt lies at <id>/v<version>.md; a changed prompt is a new version",
        )
    try:
        template = sandbox().from_string(document.body)
        names = meta.find_undeclared_variables(sandbox().parse(document.body))
    except TemplateSyntaxError as exc:
        raise InputError(
            f"the prompt cannot be read: {exc.message}",
            path=path,
            line=document.body_line + exc.lineno - 1,
            remedy="correct the Jinja syntax",
        ) from exc
    if undeclared := sorted(names - head.inputs.keys()):
        raise InputError(
            f"the prompt uses {undeclared[0]!r}, which its head does not declare",
            path=path,
            field="inputs",
            remedy=f"declare {undeclared[0]} under inputs",
        )
    return Prompt(
        id=head.id,
        version=head.version,
        hash=hashlib.sha256(document.source.encode()).hexdigest(),
        output=head.output,
        inputs=head.inputs,
        path=path,
        template=template,
    )
