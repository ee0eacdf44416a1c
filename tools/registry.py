"""Opens outside systems by their files; the only place that knows which adapter serves which kind."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, assert_never

from tools.channels.outbox import FileOutbox
from tools.channels.smtp import SmtpSender, SmtpServer
from tools.errors import InputError, ToolError
from tools.ports import Sender
from tools.records.vocabulary import ChannelKind
from tools.sql.config import SqlConnectorConfig
from tools.sql.source import SqlSource
from tools.yaml_file import fit, read_text
from tools.yaml_source import YamlDocument, read_yaml

__all__ = ["SmtpServer", "open_sender", "open_source"]

_VARIABLE: Final = re.compile(r"\$\{([^}]*)\}")


def open_source(
    path: Path,
    *,
    env: Mapping[str, str],
    server_now: Callable[[], datetime] | None = None,
    clock: Callable[[], datetime] | None = None,
) -> SqlSource:
    """Return the source that a connector file describes.

    The queries are put to the database once, so that mistakes show before anything is written. A database
    that cannot be reached now is no mistake: reading it says so.

    Args:
        path: The connector file.
        env: Where `${VAR}` in the URL is looked up.
        server_now: Replaces the server's clock, for companies whose time is simulated.
        clock: Our own clock, for the comparison in `check`.

    Raises:
        InputError: The file or one of its queries cannot be used; the message names file, line and field.
    """
    document = read_yaml(read_text(path), path=path)
    config = fit(document, SqlConnectorConfig)
    url = _substitute(config.url, env, document)
    try:
        source = SqlSource(config, url=url, server_now=server_now, clock=clock, document=document)
    except InputError as exc:
        raise exc if exc.path is not None else _placed(exc, document) from exc
    try:
        source.prove()
    except ToolError:
        source.close()
    except InputError:
        source.close()
        raise
    return source


def open_sender(
    kind: Literal["outbox", "smtp"],
    *,
    channel: ChannelKind,
    folder: Path,
    smtp: SmtpServer | None = None,
    now: Callable[[], datetime],
) -> Sender:
    """Return the sender of one channel; nothing is connected to or written before the first message.

    Args:
        kind: `outbox` writes files, for any channel; `smtp` sends e-mail.
        channel: The channel to serve.
        folder: Where the outbox keeps its files, one folder per channel.
        smtp: The mail server, for `smtp`.
        now: Dates the mails.

    Raises:
        InputError: The kind cannot serve the channel, or the mail server is missing.
    """
    match kind:
        case "outbox":
            return FileOutbox(folder, channel=channel)
        case "smtp":
            if channel is not ChannelKind.EMAIL:
                raise InputError(
                    f"smtp cannot send {channel.value}",
                    field=f"channels.{channel.value}",
                    remedy="use smtp for email and outbox for the others",
                )
            if smtp is None:
                raise InputError(
                    "the mail server is not set",
                    field="smtp",
                    remedy="give host, port and sender of the mail server",
                )
            return SmtpSender(smtp, now=now)
        case _:
            assert_never(kind)


def _substitute(text: str, env: Mapping[str, str], document: YamlDocument) -> str:
    """Return the text with every `${VAR}` replaced; the values are never shown."""
    for name in _VARIABLE.findall(text):
        if not env.get(name):
            place = document.place(("url",))
            raise InputError(
                f"the environment variable {name!r} is not set",
                path=document.path,
                line=place.line,
                column=place.column,
                field="url",
                remedy=f"set {name}, for example: export {name}=sqlite:///shop.db",
            )
    return _VARIABLE.sub(lambda match: env[match[1]], text)


def _placed(error: InputError, document: YamlDocument) -> InputError:
    """Return an error of the URL with its place in the file."""
    place = document.place(("url",))
    return InputError(
        error.problem,
        remedy=error.remedy,
        path=document.path,
        line=place.line,
        column=place.column,
        field=error.field,
    )
