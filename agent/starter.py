"""What `outrider init` writes: commented settings and a first connector file."""

from pathlib import Path
from typing import Final

from agent.settings import SETTINGS_FILE
from tools.errors import InputError

_SETTINGS: Final = """\
# Outrider's settings. Everything not named here has a default; `outrider doctor` checks the rest.
data: outrider-data            # database, installation key, locks and the file outbox
connectors: [shop.yaml]        # one file per outside system

# database: postgresql+psycopg://outrider@db.internal/outrider   # SQLite in the data folder without it
# playbooks: playbooks         # your own folder instead of the ones that come with Outrider
# templates: templates         # approved texts, <scenario>/<channel>.<language>.j2
# prompts: prompts             # instructions to the model, <task>/v<version>.md
# limits: limits.yaml
# review: review.yaml          # how people review: urgency, two approvers, undo, …

# reviewers:                   # viewer, reviewer, lead, admin or auditor; without them everybody may review
#   ann: {role: reviewer}
#   bob: {role: lead, login: rob}   # his user of the operating system, where it is not his name

model:
  adapter: rules               # offline and free: approved templates
# model:                       # or any OpenAI-compatible endpoint; set OPENAI_API_KEY
#   adapter: openai
#   name: gpt-4.1-mini
#   base_url: https://api.openai.com/v1

# channels:                    # the default writes messages to files; set OUTRIDER_SMTP_PASSWORD for this
#   email: {kind: smtp, host: mail.example.com, sender: service@example.com, user: service}

every: 15s                     # how often the daemon looks at the sources
shadow: true                   # decide and record, send nothing; remove when you trust the decisions
"""

_CONNECTOR: Final = """\
# One system, read through SQL: your words on the right, Outrider's records on the left (docs/connectors.md).
# Give this URL a role that may only read.
connector: sql
name: shop
url: ${SHOP_DB_URL}
streams:
  - record: customer
    query: select id, name, email, phone, locale, country, changed_at from customers
    key: id
    cursor: changed_at
    map:
      id: id
      name: name
      emails: {col: email, type: list}
      phones: {col: phone, type: list}
      locale: locale
      country: country
      status: {const: active}
  - record: order
    query: >-
      select id, number, customer_id, placed_at, promised_at, promised_on, state, total_cents, currency,
      changed_at from orders
    key: id
    cursor: changed_at
    lag: 5s                    # at least as long as your longest writing transaction
    map:
      id: id
      number: number
      customer_id: customer_id
      placed_at: {col: placed_at, type: datetime, tz: UTC}
      promised_at: {col: promised_at, type: datetime, tz: UTC}   # the end of the promised day
      promised_on: {col: promised_on, type: date}
      status: {col: state, enum: {new: open, packed: open, shipped: fulfilled, delivered: delivered}}
      total: {col: total_cents, type: money_minor, currency: currency}
"""


def write_starter(folder: Path) -> list[Path]:
    """Write the two files and return their paths.

    Raises:
        InputError: One of them exists, or the folder cannot be written; then nothing is written.
    """
    files = {folder / SETTINGS_FILE: _SETTINGS, folder / "shop.yaml": _CONNECTOR}
    for path in files:
        if path.exists():
            raise InputError("this file exists", path=path, remedy="move it away, or choose another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in files.items():
            path.write_text(text, encoding="utf-8")
    except OSError as exc:
        raise InputError(
            f"cannot be written: {exc.strerror}", path=folder, remedy="choose a folder that you may write to"
        ) from exc
    return list(files)
