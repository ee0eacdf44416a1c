"""Splits a template or prompt file into its YAML head and the text below."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Generic, TypeVar

from pydantic import BaseModel

from tools.errors import InputError
from tools.yaml_file import parse_yaml, read_text

HeadT = TypeVar("HeadT", bound=BaseModel)
_RULE: Final = "---"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document(Generic[HeadT]):
    """A file with a head between two `---` lines."""

    head: HeadT
    body: str
    body_line: int
    """Line of the file on which the body begins, counted from 1."""
    source: str


def read_document(path: Path, head: type[HeadT]) -> Document[HeadT]:
    """Read a file whose head fits the model `head`.

    Raises:
        InputError: The file cannot be read, has no head, or the head does not fit.
    """
    source = read_text(path)
    lines = source.split("\n")
    end = next((index for index, line in enumerate(lines[1:], start=1) if line.rstrip() == _RULE), None)
    if lines[0].rstrip() != _RULE or end is None:
        raise InputError(
            "the file has no head",
            path=path,
            line=1,
            remedy="begin it with a line ---, then `name: value` lines, then another line ---",
        )
    # an empty first line keeps the line numbers of messages those of the file
    yaml = "\n".join(["", *lines[1:end]])
    return Document(
        head=parse_yaml(yaml if yaml.strip() else "{}", head, path=path),
        body="\n".join(lines[end + 1 :]),
        body_line=end + 2,
        source=source,
    )
