"""Texts that would take a terminal over, spoof a screen or break its columns."""

from typing import Final

ESC: Final = "\x1b"
CORPUS: Final = {
    "csi": f"{ESC}[2J{ESC}[31mred",
    "osc 0": f"{ESC}]0;owned\x07",
    "osc 8": f"{ESC}]8;;https://evil.example\x07click{ESC}]8;;\x07",
    "osc 52": f"{ESC}]52;c;b3duZWQ=\x07",
    "dcs": f"{ESC}Pq#0;2;0;0;0{ESC}\\",
    "c1": "\x9b2J\x9d0;owned\x9c",
    "unterminated": f"{ESC}]0;never ends",
    "cr": "harmless\rAPPROVED",
    "rlo": "\u202eerobus\u202c \u2066hidden\u2069",
    "markup": "[/foo][b]bold[/b][@click=app.quit]x[/] [link=https://evil.example]y[/link]",
    "long": "x" * 10_000,
    "emoji": "\U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea \u2764\ufe0f",
    "cjk": "漢字かな交じり文",
    "arabic": "مرحبا بالعالم",
    "combining": "Z\u0351\u036b\u0343a\u0300\u0316l\u0320g\u0321o\u0322",
    "bell": "\x07\x08\x00\x7f",
}
"""Name → text; all of them are put into every field."""

FORBIDDEN: Final = (
    b"\x1b[2J\x1b[31mred",
    b"\x1b]0;owned",
    b"\x1b]8;;https://evil.example",
    b"\x1b]52;",
    b"\x1bPq#0",
    b"\x1b]0;never",
    b"\rAPPROVED",
    "\x9b2J".encode(),
    "\x9d0;owned".encode(),
    "\u202e".encode(),
    "\u2066".encode(),
    "\u200d".encode(),
    b"\x00",
)
"""Bytes that only come from the corpus; the application itself has no use for them."""


def everything() -> str:
    """Return the whole corpus as one line."""
    return " ".join(CORPUS.values())
