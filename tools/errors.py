"""The errors of this package.

InputError            something a person wrote is wrong: a file, a setting, an argument
ToolError             an outside system failed or refused
"""

from collections.abc import Sequence
from pathlib import Path


class InputError(Exception):
    """Something a person wrote cannot be used; shown as one message, never as a traceback."""

    def __init__(
        self,
        problem: str,
        *,
        remedy: str | None = None,
        path: Path | str | None = None,
        line: int | None = None,
        column: int | None = None,
        field: str | None = None,
        also: Sequence["InputError"] = (),
    ) -> None:
        """Build the message ``path:line:column: field: problem`` with the remedy on its own line.

        Args:
            problem: What is wrong, in one sentence.
            remedy: What to do about it.
            path: The file at fault.
            line: Line in the file, counted from 1.
            column: Column in the line, counted from 1.
            field: Dotted name of the field at fault.
            also: Further mistakes found in the same reading; their messages follow on their own lines.
        """
        place = ":".join(str(part) for part in (path, line, column) if part is not None)
        head = ": ".join(part for part in (place, field or "", problem) if part)
        message = f"{head}\n  remedy: {remedy}" if remedy else head
        super().__init__("\n".join([message, *map(str, also)]))
        self.problem = problem
        self.remedy = remedy
        self.path = path
        self.line = line
        self.column = column
        self.field = field
        self.also = tuple(also)


class ToolError(Exception):
    """An outside system failed; `retryable` says whether asking again can help."""

    def __init__(self, message: str, *, system: str, retryable: bool) -> None:
        super().__init__(f"{system}: {message}")
        self.system = system
        self.retryable = retryable
