"""`outrider playbooks`: check and list the policies."""

from pathlib import Path
from typing import Annotated

import typer

from agent.cli.opening import Config, loaded_settings
from agent.cli.output import Json, console, narrate, print_json

app = typer.Typer(no_args_is_help=True, help="Check and list playbooks.")


@app.command()
def check(
    folder: Annotated[
        Path | None, typer.Argument(help="Folder of playbooks; the one of the settings without it.")
    ] = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Read playbooks, limits, review rules and templates as the daemon does; exit 2 names what is wrong."""
    from policies.loader import check_four_eyes, load_limits, load_playbooks, load_review_rules
    from prompts.templates import TemplateStore

    loaded = loaded_settings(config)
    playbooks = load_playbooks(folder or loaded.at(loaded.settings.playbooks))
    limits = load_limits(loaded.at(loaded.settings.limits))
    rules = load_review_rules(loaded.at(loaded.settings.review))
    check_four_eyes(playbooks.values(), rules, path=loaded.at(loaded.settings.review))
    store = TemplateStore(loaded.at(loaded.settings.templates))
    templates = 0
    for compiled in playbooks.values():
        playbook = compiled.playbook
        for template in playbook.templates:
            store.check(playbook.scenario, template, facts=playbook.facts, required=playbook.required_facts)
            templates += len(store.languages(playbook.scenario, template))
    found = [
        {
            "scenario": one.playbook.scenario,
            "version": one.playbook.version,
            "hash": one.content_hash,
            "path": str(one.path),
        }
        for one in playbooks.values()
    ]
    if as_json:
        print_json(
            {
                "playbooks": found,
                "limits_version": limits.version,
                "review_version": rules.version,
                "templates": templates,
            }
        )
        return
    for compiled in playbooks.values():
        playbook = compiled.playbook
        console().print(f"ok  {playbook.ref:<28} {playbook.industry:<8} {playbook.title}")
    narrate(
        f"{len(found)} playbooks, {templates} templates, limits version {limits.version}, "
        f"review rules version {rules.version}: all ok."
    )
