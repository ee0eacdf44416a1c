"""The folders whose files are in use, and so the ones that an accepted proposal changes."""

from dataclasses import dataclass
from pathlib import Path

from policies.loader import PLAYBOOK_FOLDER
from prompts.folders import LIBRARY_FOLDER, TEMPLATE_FOLDER


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """Where playbooks, templates and prompts are read from; those that come with the product by default."""

    playbooks: Path = PLAYBOOK_FOLDER
    templates: Path = TEMPLATE_FOLDER
    prompts: Path = LIBRARY_FOLDER
