"""The way of every text from data onto a screen: made safe, never parsed as markup, cut to whole cells."""

from typing import Final

from rich.cells import set_cell_size
from rich.text import Text

from tools.safe_text import safe_line, safe_text

_TAB: Final = "    "


def shown(text: str, style: str = "") -> Text:
    """Return a text on one line."""
    return Text(safe_line(text), style=style, end="")


def brief(text: str, style: str = "", *, most: int = 400) -> Text:
    """Return a text on one line; of a very long one only the start, and how long it is."""
    if len(text) <= most:
        return shown(text, style)
    return shown(text[:most], style).append(f"… ({len(text):,} characters)", style="dim")


def shown_block(text: str, style: str = "") -> Text:
    """Return a text with its line breaks; tabs become spaces."""
    return Text(safe_text(text).replace("\t", _TAB), style=style)


def clipped(text: str, width: int, style: str = "") -> Text:
    """Return a text on one line in exactly `width` cells; what is cut off ends in an ellipsis.

    Only as much of the text is looked at as can be shown, so that a very long one costs nothing.
    """
    if width <= 0:
        return Text("", end="")
    # a letter may carry marks that take no cell, and white space may go
    start = text[: 8 * width + 64]
    line = safe_line(start)
    fitted = set_cell_size(line, width)
    cut = fitted.rstrip() != line or len(start) < len(text)
    if cut:
        fitted = set_cell_size(set_cell_size(line, width - 1).rstrip() + "…", width)
    return Text(fitted, style=style, end="", no_wrap=True)
