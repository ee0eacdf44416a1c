"""A text in the person's own editor."""

import os
import shlex
import subprocess
import tempfile
from pathlib import Path

from tools.errors import InputError


def edited(text: str) -> str:
    """Return a text as a person leaves it in `$VISUAL` or `$EDITOR`.

    Raises:
        InputError: There is no editor, or it failed.
    """
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not editor:
        raise InputError(
            "there is no editor", field="EDITOR", remedy="set EDITOR, or give the text with --body FILE"
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "draft.txt"
        path.write_text(text, encoding="utf-8")
        try:
            subprocess.run([*shlex.split(editor), str(path)], check=True)  # noqa: S603  # their own editor
        except (OSError, subprocess.CalledProcessError) as exc:
            raise InputError(
                f"the editor {editor!r} failed", field="EDITOR", remedy="set EDITOR to a program that works"
            ) from exc
        return path.read_text(encoding="utf-8")
