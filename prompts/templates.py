"""The approved message templates: found by scenario, stem and language, and checked against a playbook."""

import difflib
import hashlib
import itertools
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from jinja2 import Template

from prompts.folders import TEMPLATE_FOLDER
from prompts.front_matter import read_document
from prompts.locale import FALLBACK_LANGUAGE, locale_chain
from prompts.render import slots_of
from prompts.template_syntax import named_facts, refuse_stray_braces, sandbox
from tools.errors import InputError
from tools.records.base import Strict

_MOST_BRANCHES: Final = 8
"""More conditions than this cannot be checked for every combination, nor read by a person."""
_FILE_NAME = re.compile(r"(?P<stem>[a-z][a-z0-9_]*)\.(?P<language>[a-z]{2,3}(?:_[A-Z]{2})?)\.j2")


class TemplateHead(Strict):
    """The head of a template file."""

    subject: str = ""
    """Mail subject or push title; a template too. Empty for SMS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlottedTemplate:
    """A template with its branches settled and its slots still open."""

    subject: str
    body: str
    id: str
    """`scenario/stem.language`."""
    version_hash: str
    """SHA-256 of the file, hex."""
    language: str


@dataclass(frozen=True)
class TemplateFile:
    """One template file, read and checked for its form."""

    path: Path
    id: str
    language: str
    version_hash: str
    subject: Template
    body: Template
    conditions: frozenset[str]
    """Facts that branches name."""
    lines: tuple[str, ...]

    def settle(self, available: Collection[str]) -> SlottedTemplate:
        """Return the template with each branch taken or left by whether its facts are available."""
        facts = self.conditions.intersection(available)
        return SlottedTemplate(
            subject=" ".join(self.subject.render(facts=facts).split()),
            body=_tidy(self.body.render(facts=facts)),
            id=self.id,
            version_hash=self.version_hash,
            language=self.language,
        )

    def line_of(self, text: str) -> int:
        """Return the first line that contains a text, counted from 1."""
        return next((number for number, line in enumerate(self.lines, start=1) if text in line), 1)


class TemplateStore:
    """The templates of a folder, laid out as `<scenario>/<stem>.<language>.j2`."""

    def __init__(self, folder: Path = TEMPLATE_FOLDER) -> None:
        """Read nothing yet; files are read when first asked for."""
        self._folder = folder
        self._read: dict[Path, TemplateFile] = {}
        self._settled: dict[tuple[Path, frozenset[str]], SlottedTemplate] = {}

    def slotted(
        self, scenario: str, template: str, language: str, available: Collection[str]
    ) -> SlottedTemplate:
        """Return a template with its branches settled.

        Args:
            scenario: The playbook's scenario.
            template: Stem of the file.
            language: A language or locale; the exact locale is looked for, then its language, then English.
            available: Names of the facts that may be printed, and of the flags that are true.

        Raises:
            InputError: There is no such template in any of these languages, or the file is wrong.
        """
        files = self._files.get((scenario, template), {})
        path = next((files[tag] for tag in locale_chain(language) if tag in files), None)
        if path is None:
            raise self._missing(scenario, template)
        file = self._load(path)
        key = (path, file.conditions.intersection(available))
        if key not in self._settled:
            self._settled[key] = file.settle(available)
        return self._settled[key]

    def languages(self, scenario: str, template: str) -> tuple[str, ...]:
        """Return the languages a template is written in, sorted; empty when there is no such template."""
        return tuple(sorted(self._files.get((scenario, template), {})))

    def check(
        self, scenario: str, template: str, *, facts: Collection[str], required: Collection[str]
    ) -> None:
        """Check every language of a template against the facts of its playbook.

        Args:
            scenario: The playbook's scenario.
            template: Stem of the files.
            facts: Facts that the playbook names.
            required: Those without which no message is written.

        Raises:
            InputError: There is no such template, none in English, a slot that no fact fills, or a slot
                that an optional fact fills outside a branch that asks for it.
        """
        files = self._files.get((scenario, template), {})
        if FALLBACK_LANGUAGE not in files:
            raise self._missing(scenario, template)
        for path in files.values():
            _check_file(self._load(path), facts=facts, required=required)

    @cached_property
    def _files(self) -> Mapping[tuple[str, str], Mapping[str, Path]]:
        found: dict[tuple[str, str], dict[str, Path]] = {}
        for path in sorted(self._folder.glob("*/*.j2")):
            match = _FILE_NAME.fullmatch(path.name)
            if match is None:
                raise InputError(
                    "the name of the template cannot be read",
                    path=path,
                    remedy="name it <stem>.<language>.j2, for example email.pt_BR.j2",
                )
            found.setdefault((path.parent.name, match["stem"]), {})[match["language"]] = path
        return found

    def _load(self, path: Path) -> TemplateFile:
        if path not in self._read:
            self._read[path] = _read_template(path)
        return self._read[path]

    def _missing(self, scenario: str, template: str) -> InputError:
        return InputError(
            f"there is no English template {template!r} for {scenario!r}",
            path=self._folder / scenario,
            remedy=f"write {scenario}/{template}.{FALLBACK_LANGUAGE}.j2",
        )


def _read_template(path: Path) -> TemplateFile:
    document = read_document(path, TemplateHead)
    subject, body = document.head.subject, document.body
    conditions: set[str] = set()
    for source, first_line in ((subject, 2), (body, document.body_line)):
        conditions |= named_facts(source, path=path, first_line=first_line)
        refuse_stray_braces(source, path=path, first_line=first_line)
    if len(conditions) > _MOST_BRANCHES:
        raise InputError(
            f"the template asks for {len(conditions)} facts; {_MOST_BRANCHES} is the most",
            path=path,
            remedy="split it, or make some facts required in the playbook",
        )
    stem = path.name.removesuffix(".j2")
    return TemplateFile(
        path=path,
        id=f"{path.parent.name}/{stem}",
        language=stem.rpartition(".")[2],
        version_hash=hashlib.sha256(document.source.encode()).hexdigest(),
        subject=sandbox().from_string(subject),
        body=sandbox().from_string(body),
        conditions=frozenset(conditions),
        lines=tuple(document.source.split("\n")),
    )


def _check_file(file: TemplateFile, *, facts: Collection[str], required: Collection[str]) -> None:
    for name in sorted(file.conditions):
        _refuse_unknown(file, name, facts)
    optional = sorted(file.conditions.difference(required))
    for size in range(len(optional) + 1):
        for present in itertools.combinations(optional, size):
            available = {*required, *present}
            settled = file.settle(available)
            for slot in slots_of(f"{settled.subject}\n{settled.body}"):
                _refuse_unknown(file, slot, facts)
                if slot not in available:
                    raise InputError(
                        f"the slot {{{slot}}} is not always filled",
                        path=file.path,
                        line=file.line_of(f"{{{slot}}}"),
                        remedy=f"write it inside {{% if '{slot}' in facts %}} … {{% endif %}}, "
                        "or add it to required_facts",
                    )


def _refuse_unknown(file: TemplateFile, name: str, facts: Collection[str]) -> None:
    if name in facts:
        return
    near = difflib.get_close_matches(name, list(facts), n=1)
    advice = f"did you mean {near[0]}? Otherwise " if near else ""
    raise InputError(
        f"no fact fills the slot {{{name}}}",
        path=file.path,
        line=file.line_of(name),
        remedy=f"{advice}add it to `facts` of the playbook",
    )


def _tidy(text: str) -> str:
    """Settle the white space that branches leave: single spaces, at most one empty line."""
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
