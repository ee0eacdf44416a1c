"""Opens outside systems by their files; the only place that knows which adapter serves which kind."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from tools.errors import InputError, ToolError
from tools.sql.config import SqlConnectorConfig
from tools.sql.source import SqlSource
from tools.yaml_file import fit, read_text
from tools.yaml_source import YamlDocument, read_yaml

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
