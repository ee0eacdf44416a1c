"""Screens as plain text, compared with what was agreed; OUTRIDER_SNAPSHOTS=renew writes them anew."""

import os
from pathlib import Path

from textual.screen import Screen

FOLDER = Path(__file__).parent / "snapshots"


def text_of(screen: Screen[object]) -> str:
    """Return what stands on a screen, line by line, without colours."""
    strips = screen._compositor.render_strips()  # pyright: ignore[reportPrivateUsage]  # the public way is SVG
    return "\n".join(strip.text.rstrip() for strip in strips) + "\n"


def check(screen: Screen[object], name: str) -> None:
    """Compare a screen with its agreed picture."""
    path = FOLDER / f"{name}.txt"
    found = text_of(screen)
    if os.environ.get("OUTRIDER_SNAPSHOTS") == "renew" or not path.exists():
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8"), f"{path.name}: look at the difference, then renew it"
