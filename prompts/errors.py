"""The errors of this package.

InputError                (tools.errors) a template or prompt file is wrong, or there is none
RenderError               a text cannot be filled for one customer; the others are not concerned
├── MissingFactError      no fact fills a slot
└── UnprintableFactError  the fact's value cannot stand in a message
"""


class RenderError(Exception):
    """A slotted text cannot be filled for one customer."""

    def __init__(self, slot: str, reason: str) -> None:
        super().__init__(f"slot {{{slot}}}: {reason}")
        self.slot = slot
        self.reason = reason


class MissingFactError(RenderError):
    """No fact fills the slot."""

    def __init__(self, slot: str) -> None:
        super().__init__(slot, "no fact fills it")


class UnprintableFactError(RenderError):
    """The fact is there, but its value cannot stand in a message."""
