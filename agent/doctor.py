"""The health check: settings, connectors, playbooks, database, SQLite, clock, disk, names, zone rules."""

import importlib.metadata
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from sqlalchemy import make_url

from agent.clock import system_clock
from agent.errors import StoreError
from agent.settings import Loaded, open_data_folder
from agent.store.database import free_bytes, open_database
from policies.loader import check_four_eyes, load_limits, load_playbooks, load_review_rules
from policies.zones import use_packaged_zones, zone_rules_version
from prompts.templates import TemplateStore
from tools.errors import InputError
from tools.ports import Finding
from tools.registry import open_source

_SAFE_SQLITE: Final = (3, 51, 3)
"""From this version on the WAL-reset race is fixed; 3.44.6 and 3.50.7 have the fix too."""
_BACKPORTS: Final = {(3, 44): 6, (3, 50): 7}
_NEEDED_DISK: Final = 512 * 1024 * 1024
_PACKAGES: Final = ("agent", "tools", "prompts", "policies", "evals")


def examine(loaded: Loaded) -> list[Finding]:
    """Return what was found, worst news in their place; nothing is written but the data folder."""
    findings: list[Finding] = [_ok(f"settings: {loaded.path or 'defaults, no outrider.yaml here'}")]
    for check in (_folder, _database, _disk, _sqlite, _policies, _connectors, _names, _zones):
        try:
            findings += check(loaded)
        except InputError as exc:
            findings.append(Finding(level="error", what=str(exc).splitlines()[0], remedy=exc.remedy or ""))
        except StoreError as exc:
            findings.append(Finding(level="error", what=str(exc)))
    return findings


def _folder(loaded: Loaded) -> Iterator[Finding]:
    open_data_folder(loaded.data_folder)
    yield _ok(f"data folder: {loaded.data_folder}, installation key present")


def _database(loaded: Loaded) -> Iterator[Finding]:
    writer, reader = open_database(loaded.database_url)
    shown = make_url(loaded.database_url).render_as_string(hide_password=True)
    writer.dispose()
    reader.dispose()
    yield _ok(f"database: {shown}")


def _disk(loaded: Loaded) -> Iterator[Finding]:
    free = free_bytes(loaded.database_url)
    if free is not None and free < _NEEDED_DISK:
        yield Finding(
            level="error",
            what=f"disk: {free // 1024**2} MiB free beside the database, {_NEEDED_DISK // 1024**2} needed",
            remedy="free space or move the data folder",
        )
    elif free is not None:
        yield _ok(f"disk: {free // 1024**3} GiB free")


def _sqlite(loaded: Loaded) -> Iterator[Finding]:
    if make_url(loaded.database_url).get_backend_name() != "sqlite":
        return
    version = sqlite3.sqlite_version_info
    fixed = version >= _SAFE_SQLITE or version[2] >= _BACKPORTS.get(version[:2], sys.maxsize)
    if fixed:
        yield _ok(f"SQLite {sqlite3.sqlite_version}")
    else:
        yield Finding(
            level="warning",
            what=f"SQLite {sqlite3.sqlite_version} has a rare race when several processes write (WAL reset)",
            remedy="run one daemon per database, or use a Python with SQLite 3.51.3 or newer",
        )


def _policies(loaded: Loaded) -> Iterator[Finding]:
    playbooks = load_playbooks(loaded.at(loaded.settings.playbooks))
    load_limits(loaded.at(loaded.settings.limits))
    review_file = loaded.at(loaded.settings.review)
    check_four_eyes(playbooks.values(), load_review_rules(review_file), path=review_file)
    templates = TemplateStore(loaded.at(loaded.settings.templates))
    for compiled in playbooks.values():
        playbook = compiled.playbook
        for template in playbook.templates:
            templates.check(
                playbook.scenario,
                template,
                facts=playbook.facts,
                required=playbook.required_facts,
            )
    yield _ok(f"playbooks: {', '.join(playbooks)}")


def _connectors(loaded: Loaded) -> Iterator[Finding]:
    if not loaded.settings.connectors:
        yield Finding(
            level="warning", what="connectors: none configured", remedy="`outrider init` writes a first one"
        )
    env = dict(loaded.env)
    simulation = loaded.settings.simulation
    if simulation:
        env.setdefault("COMPANY_URL", f"sqlite:///{loaded.at(simulation.company)}")
    for path in loaded.settings.connectors:
        now = (lambda: simulation.now) if simulation else None
        source = open_source(loaded.at(path), env=env, server_now=now, clock=now or system_clock)
        try:
            health = source.check()
        finally:
            source.close()
        for finding in health.findings:
            yield replace(finding, what=f"{source.name}: {finding.what}")


def _names(_loaded: Loaded) -> Iterator[Finding]:
    """Our packages have plain names; another distribution may have installed the same ones."""
    owners = importlib.metadata.packages_distributions()
    for package in _PACKAGES:
        others = sorted(set(owners.get(package, [])) - {"outrider"})
        if others:
            yield Finding(
                level="error",
                what=f"names: {', '.join(others)} also installs a package called {package!r}",
                remedy="install Outrider into an environment of its own",
            )
            return
    yield _ok("names: no other distribution installs packages of these names")


def _zones(_loaded: Loaded) -> Iterator[Finding]:
    use_packaged_zones()
    yield _ok(f"time-zone rules: {zone_rules_version()}")


def _ok(what: str) -> Finding:
    return Finding(level="ok", what=what)
