"""Other languages: the decision stays, and the message is written as that locale writes."""

from collections.abc import Sequence
from typing import Final

from evals.generated.forms import FORMS, WORDS, Form, in_other_form
from evals.generated.spelled import Fields, Spelled

_USUAL: Final = "en_US"
_WITHOUT_TEXT: Final = "ja_JP"
"""Its customers get the English text."""
_LOCALES: Final = (*FORMS, _WITHOUT_TEXT)


def other_locales(spelled: Spelled) -> Sequence[str]:
    """Return the locales that the judged customer could have instead; none when they change it themselves."""
    if any("locale" in one for one in spelled.changes("customer")):
        return ()
    return [name for name in _LOCALES if name != _present(spelled)]


def in_locale(spelled: Spelled, locale: str) -> None:
    """Let the customers have a locale, and expect what it writes.

    Customers who have one by the case keep it, except the one who is judged.
    """
    before = FORMS.get(_present(spelled))
    for customer in spelled.everywhere("customer"):
        if customer.get("id", "c1") == "c1" or "locale" not in customer:
            customer["locale"] = locale
    after = FORMS.get(locale, FORMS[_USUAL])
    language = locale[:2] if locale in FORMS else "en"
    expect = spelled.expect
    expect["tells"] = [*_translated(expect.get("tells", ()), before, after), *_words(spelled, language)]
    expect["omits"] = _left_out(expect.get("omits", ()), before, after, expect["tells"])
    spelled.note(locale.lower(), f"the customer's locale is {locale}")


def _present(spelled: Spelled) -> str:
    first = next(iter(spelled.everywhere("customer")), Fields())
    return str(first.get("locale", _USUAL))


def _translated(texts: Sequence[str], before: Form | None, after: Form) -> list[str]:
    if before is None:
        return []
    written = [in_other_form(text, before, after) for text in texts]
    return [text for text in written if text is not None]


def _left_out(texts: Sequence[str], before: Form | None, after: Form, tells: Sequence[str]) -> list[str]:
    """Return what must not be said, in both forms, save what is part of what must be."""
    both = [*texts, *_translated(texts, before, after)]
    return [text for text in dict.fromkeys(both) if not any(text in told for told in tells)]


def _words(spelled: Spelled, language: str) -> list[str]:
    """Return the words by which a text of the language is known, where all messages are of one scenario."""
    case, words = spelled.case, WORDS.get(spelled.case.scenario)
    one_each = case.expect.messages in {None, 1} or case.expect.to is not None
    return [words[language]] if words and case.expect.contact and one_each else []
