"""A process that asked a model over HTTP closes its connections: no warning is left behind."""

import asyncio
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from agent.starter import write_starter
from tests.scripted_server import Reply, serve

SETTINGS = """\
data: data
connectors: [shop.yaml]
simulation: {{company: shop.db, now: '2026-10-15T14:00:00+00:00'}}
model: {{adapter: openai, name: gpt-4.1-mini, base_url: '{url}'}}
"""
TABLES = """\
create table customers (
    id text, name text, email text, phone text, locale text, country text, changed_at text
);
create table orders (
    id text, number text, customer_id text, placed_at text, promised_at text, promised_on text,
    state text, total_cents int, currency text, changed_at text
);
"""
LATE = """\
insert into customers values (
    'c{0}', 'Ada', 'c{0}@example.com', null, 'de_DE', 'DE', '2026-10-01 00:00:00'
);
insert into orders values (
    'o{0}', '100{0}', 'c{0}', '2026-10-01 00:00:00', '2026-10-15 00:00:00', '2026-10-14',
    'packed', 5900, 'EUR', '2026-10-14 00:00:00'
);
"""


def late_shop(folder: Path, url: str) -> Path:
    """Write a company with late orders, and settings that ask a model about them; return the settings."""
    write_starter(folder)
    connector = folder / "shop.yaml"
    connector.write_text(connector.read_text().replace("name: shop\n", "name: shop\ntz: UTC\n"))
    with closing(sqlite3.connect(folder / "shop.db")) as database:
        database.executescript(TABLES + "".join(LATE.format(number) for number in range(9)))
    settings = folder / "outrider.yaml"
    settings.write_text(SETTINGS.format(url=url))
    return settings


async def test_a_run_leaves_no_connection_open(tmp_path: Path) -> None:
    async with serve([Reply(body=b"{}")]) as server:
        settings = late_shop(tmp_path, server.url)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-X", "dev", "-W", "error", "-m", "agent", "run", "--once"),
            *("--config", str(settings)),
            env=os.environ | {"OPENAI_API_KEY": "none", "SHOP_DB_URL": f"sqlite:///{tmp_path / 'shop.db'}"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        told, said = await process.communicate()

    assert process.returncode == 0, said.decode()
    assert len(server.requests) > 0, told.decode()
    assert "Warning" not in said.decode()
