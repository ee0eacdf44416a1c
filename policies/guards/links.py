"""Where a message may link to: named hosts, by https, and nothing that only looks like them."""

import re
import unicodedata
from collections.abc import Collection, Iterable
from typing import Final
from urllib.parse import urlsplit

from policies.guards.finding import Finding

_URL: Final = re.compile(r"[a-z][a-z0-9+.-]{0,40}://[^\s<>\"]+", re.IGNORECASE)
"""No scheme is longer; without a bound, a long word without `://` would take quadratic time."""
_PRINTABLE: Final = re.compile(r"[!-~]+")
_HTTPS_PORT: Final = 443
_LOOK_ALIKE: Final = str.maketrans(
    # letters of other scripts, and digits, that pass for Latin letters
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u0261\u03bf\u03b1\u03bd01358",
    "aeopcyxijsdgoavolesb",
)


def urls_in(text: str) -> tuple[str, ...]:
    """Return the links of a text in order, without the punctuation of the sentence around them."""
    return tuple(match[0].rstrip(".,;:!?)'\u2019\u00bb\u201d") for match in _URL.finditer(text))


def link_problem(url: str, *, hosts: Collection[str]) -> str:
    """Return why a link may not stand in a message, empty when it may.

    Args:
        url: The link, complete.
        hosts: Hosts that may be linked to, exact: `example.com` does not cover `www.example.com`.
    """
    if not _PRINTABLE.fullmatch(url) or "\\" in url:
        return _look_alike(url, hosts) or "it has characters other than printable ASCII"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "it cannot be read"
    host = parts.hostname or ""
    unknown = host not in {known.casefold() for known in hosts}
    problems = (
        (parts.scheme != "https", "it is not https"),
        ("@" in parts.netloc, "it names a user"),
        (port not in {None, _HTTPS_PORT}, f"it names port {port}"),
        (unknown, _look_alike(host, hosts) or f"the host {host!r} is not in link_hosts"),
    )
    return next((problem for holds, problem in problems if holds), "")


def check_links(urls: Iterable[str], *, hosts: Collection[str]) -> Finding:
    """Return `links.host`: ok when every link goes to a named host by https."""
    problems = [f"{url}: {problem}" for url in urls if (problem := link_problem(url, hosts=hosts))]
    return Finding(guard="links.host", ok=not problems, detail="; ".join(problems)[:300])


def skeleton(host: str) -> str:
    """Return what a host looks like to a hurried eye: digits and Cyrillic letters give Latin ones."""
    try:
        shown = host.encode("ascii").decode("idna") if "xn--" in host else host
    except UnicodeError:
        shown = host
    folded = unicodedata.normalize("NFKD", shown.casefold())
    plain = "".join(char for char in folded if not unicodedata.combining(char))
    return plain.translate(_LOOK_ALIKE).replace("rn", "m").replace("vv", "w").replace("-", "")


def _look_alike(url: str, hosts: Collection[str]) -> str:
    host = url.partition("://")[2].partition("/")[0] if "://" in url else url
    for known in hosts:
        if host != known.casefold() and skeleton(host) == skeleton(known):
            return f"the host looks like {known} and is another"
    return ""
