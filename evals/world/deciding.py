"""What decides in a run: playbooks, limits, texts and model; a change of one of them is what a run is for."""

import copyreg
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

from agent.bootstrap import MakeModel
from agent.canonical import canonical, text_hash
from agent.clock import Clock
from agent.llm.rules import RULES, RulesModel, WordReader, load_word_reader
from agent.review_desk.proposals.folders import Folders
from evals.cases.model import Case
from evals.models.asking import Asking, Tier
from policies.loader import (
    LIMITS_FILE,
    PLAYBOOK_FOLDER,
    REVIEW_FILE,
    load_limits,
    load_playbooks,
    load_review_rules,
)
from policies.model import Holdout, Limits
from policies.review_rules import ReviewRules
from policies.triggers import CompiledPlaybook, compile_playbook
from prompts.folders import TEMPLATE_FOLDER
from prompts.templates import TemplateStore
from tools.errors import InputError
from tools.yaml_file import did_you_mean

_EVERYBODY: Final = Holdout.model_validate({"share": "100%", "salt": "evals"})


@dataclass(frozen=True)
class Deciding:
    """The parts of a system that cases judge, read from their files once."""

    playbook_folder: Path = PLAYBOOK_FOLDER
    limits_file: Path = LIMITS_FILE
    template_folder: Path = TEMPLATE_FOLDER
    asking: Asking | None = None
    """None for the offline rules model."""

    @classmethod
    def from_folder(cls, policies: Path | None) -> "Deciding":
        """Return the shipped parts with the playbooks, and perhaps the limits, of another folder."""
        if policies is None:
            return cls()
        limits = policies / LIMITS_FILE.name
        return cls(policies, limits if limits.is_file() else LIMITS_FILE)

    def asked_by(self, asking: Asking | None) -> "Deciding":
        """Return the same with another model."""
        return replace(self, asking=asking)

    def prepared(self) -> "Deciding":
        """Read everything now and return itself, so that mistakes show before the first case.

        Raises:
            InputError: A file is wrong.
        """
        _ = (self.treating, self.limits, self.review_rules, self.words, self.policies_hash)
        return self

    @cached_property
    def shipped(self) -> dict[str, CompiledPlaybook]:
        """The playbooks as they stand in their folder."""
        return load_playbooks(self.playbook_folder)

    @cached_property
    def treating(self) -> Mapping[str, CompiledPlaybook]:
        """The playbooks without a holdout: who is kept back must not depend on a customer's id."""
        return self._with(None)

    @cached_property
    def holding_out(self) -> Mapping[str, CompiledPlaybook]:
        """The playbooks with everybody in the holdout."""
        return self._with(_EVERYBODY)

    @cached_property
    def limits(self) -> Limits:
        """The limits over all playbooks."""
        return load_limits(self.limits_file)

    @cached_property
    def review_rules(self) -> ReviewRules:
        """The rules of review without planted drafts: the simulated reviewer's attention is not judged."""
        return load_review_rules(REVIEW_FILE).model_copy(update={"seeds": 0})

    @cached_property
    def folders(self) -> Folders:
        """Where texts are read from."""
        return replace(Folders(), playbooks=self.playbook_folder, templates=self.template_folder)

    @cached_property
    def templates(self) -> TemplateStore:
        """The texts, read when they are needed first and then kept for all cases."""
        return TemplateStore(self.template_folder)

    @cached_property
    def words(self) -> WordReader:
        """What the rules model reads by."""
        return load_word_reader()

    @property
    def model_name(self) -> str:
        """The model's name; `rules` for the offline rules model."""
        return self.asking.model if self.asking else RULES

    @property
    def tier(self) -> Tier:
        """Whom a run asks."""
        return self.asking.tier if self.asking else Tier.RULES

    def make_model(self, case: str, clock: Clock) -> MakeModel:
        """Return what builds the model of a case that has this clock."""
        if self.asking is not None:
            return self.asking.make_model(case, clock)
        words = self.words
        return lambda _store, templates: RulesModel(templates, words)

    @cached_property
    def policies_hash(self) -> str:
        """SHA-256 over playbooks, limits and templates, hex."""
        files = {
            **{name: compiled.content_hash for name, compiled in self.shipped.items()},
            "limits": text_hash(self.limits.model_dump_json()),
            **{
                str(path.relative_to(self.template_folder)): text_hash(path.read_text("utf-8"))
                for path in sorted(self.template_folder.glob("*/*.j2"))
            },
        }
        return text_hash(canonical(files))

    def _with(self, holdout: Holdout | None) -> dict[str, CompiledPlaybook]:
        return {
            scenario: compile_playbook(
                compiled.playbook.model_copy(update={"holdout": holdout}),
                content_hash=compiled.content_hash,
                path=compiled.path,
            )
            for scenario, compiled in self.shipped.items()
        }


def _without_what_was_read(deciding: Deciding) -> tuple[type[Deciding], tuple[object, ...]]:
    return Deciding, (
        deciding.playbook_folder,
        deciding.limits_file,
        deciding.template_folder,
        deciding.asking,
    )


copyreg.pickle(Deciding, _without_what_was_read)  # compiled conditions cannot go to another process


def check_decided(cases: Iterable[Case], deciding: Deciding) -> None:
    """Check that there is a playbook for the scenario of every case.

    Raises:
        InputError: There is none; without it nothing is ever seen, and every silence would pass.
    """
    known = sorted(deciding.shipped)
    for case in cases:
        if case.scenario not in known:
            raise InputError(
                f"case {case.id}: no playbook decides {case.scenario!r}",
                path=deciding.playbook_folder,
                field="scenario",
                remedy=did_you_mean(case.scenario, known)
                or f"write one, name its folder with --policies, or choose from these with --scenario: "
                f"{', '.join(known)}",
            )
