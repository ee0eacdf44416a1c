"""Where a link really leads: its host as the network knows it."""

from typing import Final
from urllib.parse import unquote, urlsplit

import idna

from tools.safe_text import safe_text

UNREADABLE: Final = "no readable host"


def true_host(url: str) -> str:
    """Return the host a browser would ask for, in ASCII (IDNA); `UNREADABLE` when there is none.

    `https://bank.example@evil.example` leads to `evil.example`, and so does a backslash before an `@`; an
    international name is shown as the `xn--` name that is registered. Source: UTS 46 and the URL standard.
    """
    try:
        host = urlsplit(url.replace("\\", "/")).hostname or ""
        host = unquote(host)
        shown = host if host.isascii() else idna.encode(host, uts46=True, transitional=False).decode("ascii")
    except (ValueError, UnicodeError):  # idna's errors are UnicodeErrors
        return UNREADABLE
    return safe_text(shown) if shown else UNREADABLE
