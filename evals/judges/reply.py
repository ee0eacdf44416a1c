"""What a judge says about one text, in closed words."""

from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

QUESTIONS: Final = ("what_happened", "why", "what_it_means", "what_we_do", "what_to_do", "what_next")
"""The six questions that a good message answers, in its order."""


class Tone(StrEnum):
    """How a text sounds."""

    WARM = "warm"
    MATTER_OF_FACT = "matter_of_fact"
    COLD = "cold"
    PUSHY = "pushy"


class Empathy(StrEnum):
    """How a text meets the customer's trouble."""

    FITTING = "fitting"
    MISSING = "missing"
    OVERDONE = "overdone"


class Clarity(StrEnum):
    """How a text reads the first time."""

    CLEAR = "clear"
    PARTLY_CLEAR = "partly_clear"
    UNCLEAR = "unclear"


class TextJudgement(BaseModel):
    """A judge's answer."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    what_happened: bool
    why: bool
    what_it_means: bool
    what_we_do: bool
    what_to_do: bool
    what_next: bool
    tone: Tone
    empathy: Empathy
    clarity: Clarity

    @property
    def answered(self) -> int:
        """How many of the six questions the text answers."""
        return sum(bool(getattr(self, name)) for name in QUESTIONS)
