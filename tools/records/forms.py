"""What a text of another system must look like before a message may print it.

Order numbers and carriers' names count as the company's own data, yet sellers, carriers and partners type
many of them. A closed form leaves no room for a sentence. A record with a text of another form is still read:
it can be watched and judged, only its text is not printed.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One closed form of texts."""

    name: str
    words: str
    """What it lets through, for people."""
    pattern: re.Pattern[str]
    longest: int
    """Most characters, inclusive."""
    prefix: int
    """Most letters of a group that does not count as a word, such as `DE`, inclusive."""
    most_words: int
    """Most groups of letters alone that are longer than a prefix, inclusive."""
    digits: tuple[int, int]
    """Fewest and most digits, inclusive."""

    def fits(self, text: str) -> bool:
        """Whether a text is of this form; white space around it does not count."""
        text = text.strip()
        if len(text) > self.longest:
            return False
        # marks belong to the letters under them, as in Hindi
        bare = "".join(
            char for char in unicodedata.normalize("NFC", text) if unicodedata.category(char)[0] != "M"
        )
        least, most = self.digits
        words = [group for group in _SEPARATORS.split(bare) if group.isalpha() and len(group) > self.prefix]
        return (
            self.pattern.fullmatch(bare) is not None
            and least <= sum(map(str.isdecimal, bare)) <= most
            and len(words) <= self.most_words
        )


_SEPARATORS: Final = re.compile(r"[\W_]+")
_GROUPS: Final = re.compile(r"#?[A-Za-z0-9]+(?:[-_/.][A-Za-z0-9]+){0,7}")
_LABEL: Final = re.compile(r"[^\W_]+(?:(?:\.| ?[&'\u2019\u2013/+_-] ?| \(?|\) )[^\W_]+)*[+)]?")

REFERENCE: Final = Form(
    name="reference",
    words="letters and digits in groups parted by one of - _ / . each, with a digit, at most 64 characters "
    "and two words",
    pattern=_GROUPS,
    longest=64,
    prefix=2,
    most_words=2,
    digits=(1, 64),
)
"""Numbers that the company itself gives, and every text whose field declares no other form."""

TRACKING: Final = Form(
    name="tracking number",
    words="letters and digits in groups parted by one of - _ / . each, with a digit, at most 40 characters "
    "and one word",
    pattern=_GROUPS,
    longest=40,
    prefix=2,
    most_words=1,
    digits=(1, 40),
)
"""Numbers that others give and sellers type."""

LABEL: Final = Form(
    name="label",
    words="at most three words and four digits, at most 30 characters",
    pattern=_LABEL,
    longest=30,
    prefix=1,
    most_words=3,
    digits=(0, 4),
)
"""Names of carriers, plans, models and kinds; too few digits for a telephone number."""

UNIT: Final = Form(
    name="unit",
    words="at most two words and one digit, at most 16 characters",
    pattern=_LABEL,
    longest=16,
    prefix=1,
    most_words=2,
    digits=(0, 1),
)

POSTCODE: Final = Form(
    name="postcode",
    words="one or two groups of letters and digits, at most 10 characters",
    pattern=re.compile(r"[A-Za-z0-9]+(?:[ -][A-Za-z0-9]+)?"),
    longest=10,
    prefix=2,
    most_words=1,
    digits=(1, 10),
)
