"""Templates that reviewers keep changing in the same way."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from agent.review_desk.proposals.phrases import Replacement, replacements, to_slots
from agent.review_desk.proposals.proposed import Proposed, examples, people, proposal_id
from agent.review_desk.proposals.template_text import replace_in_template
from agent.store.lessons import Edit
from policies.fact_names import fact_kind
from policies.guards.slots import check_slotted
from policies.model import Playbook
from policies.triggers import CompiledPlaybook
from prompts.locale import FALLBACK_LANGUAGE
from prompts.templates import TemplateStore
from tools.errors import InputError

_BY_TEMPLATE: Final = "template"
_LONGEST_SHOWN: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """The edits that made one replacement in the drafts of one template."""

    target: str
    change: Replacement
    edits: tuple[Edit, ...]


def from_edits(
    edits: Sequence[Edit],
    *,
    folder: Path,
    playbooks: Mapping[str, CompiledPlaybook],
    at_least: int,
    accepted: Mapping[str, datetime],
) -> Iterator[Proposed]:
    """Yield a proposal for every replacement that enough edits have in common.

    Args:
        edits: The newest first. Edits of texts that the model wrote have no template to change.
        folder: The templates in use.
        playbooks: Those in force; a template must still fit its playbook's facts and pass the guards.
        at_least: Fewest edits.
        accepted: Proposal → when it was accepted; of these only later edits count.
    """
    for group in _groups(edits, accepted):
        compiled = playbooks.get(group.edits[0].scenario)
        path = folder / group.target
        if len(group.edits) < at_least or compiled is None or not path.is_file():
            continue
        before = path.read_text(encoding="utf-8")
        after = replace_in_template(before, group.change)
        if after is None or not may_be_sent(after, group.target, folder=folder, playbook=compiled.playbook):
            continue
        seen = len(group.edits)
        yield Proposed(
            kind="template",
            key=_key(group.change),
            target=group.target,
            base=group.target,
            title=_short(group.change.words),
            why=f"{seen} edits of drafts from this template made this change",
            count=seen,
            reviewers=people(edit.reviewer for edit in group.edits),
            examples=examples(edit.draft_id for edit in group.edits),
            before=before,
            after=after,
        )


def slotted_change(edit: Edit) -> tuple[list[Replacement], list[Replacement]]:
    """Return what an edit changed in the subject and in the body, with values as slots."""
    used = edit.before.used
    old, new = edit.before.message, edit.after.message
    return (
        replacements(to_slots(old.subject, used), to_slots(new.subject, used)),
        replacements(to_slots(old.body, used), to_slots(new.body, used)),
    )


def may_be_sent(source: str, target: str, *, folder: Path, playbook: Playbook) -> bool:
    """Whether a changed template fits its playbook and passes the guards, with all its facts and with few."""
    scenario, _, name = target.partition("/")
    stem, language = name.removesuffix(".j2").split(".")
    with TemporaryDirectory() as temporary:
        place = Path(temporary) / scenario
        place.mkdir()
        (place / name).write_text(source, encoding="utf-8")
        if language != FALLBACK_LANGUAGE:  # a store without an English text refuses all others
            english = f"{stem}.{FALLBACK_LANGUAGE}.j2"
            (place / english).write_bytes((folder / scenario / english).read_bytes())
        store = TemplateStore(Path(temporary))
        try:
            store.check(scenario, stem, facts=playbook.facts, required=playbook.required_facts)
        except InputError:
            return False
        return all(
            _passes(store, scenario, stem, language, available, playbook)
            for available in (playbook.facts, playbook.required_facts)
        )


def _passes(
    store: TemplateStore,
    scenario: str,
    stem: str,
    language: str,
    available: Collection[str],
    playbook: Playbook,
) -> bool:
    settled = store.slotted(scenario, stem, language, available)
    findings = check_slotted(
        settled.subject,
        settled.body,
        allowed=frozenset(name for name in available if fact_kind(name) != "flag"),
        required=(),
        language=language,
        purpose=playbook.purpose,
    )
    return all(finding.ok for finding in findings)


def _key(change: Replacement) -> str:
    return repr((change.before, change.old, change.new, change.after))


def _groups(edits: Sequence[Edit], accepted: Mapping[str, datetime]) -> Iterator[_Group]:
    found: dict[tuple[str, Replacement], dict[str, Edit]] = defaultdict(dict)
    for edit in edits:
        if edit.before.author != _BY_TEMPLATE:
            continue
        template, _, _ = edit.before.message.template.partition("@")
        for change in {change for part in slotted_change(edit) for change in part}:
            # one case counts once, however often its text was gone over
            found[f"{template}.j2", change].setdefault(edit.before.case_id, edit)
    for (target, change), by_case in sorted(found.items()):
        since = accepted.get(proposal_id("template", target, _key(change)))
        counted = tuple(edit for edit in by_case.values() if since is None or edit.at > since)
        if counted:
            yield _Group(target=target, change=change, edits=counted)


def _short(words: str) -> str:
    return words if len(words) <= _LONGEST_SHOWN else f"{words[: _LONGEST_SHOWN - 1]}…"
