"""Which language a text is looked up in and which locale its values are written in."""

from functools import lru_cache
from typing import Final

from babel import Locale, UnknownLocaleError

FALLBACK_LANGUAGE: Final = "en"


def language_of(locale: str) -> str:
    """Return the language of a locale in lower case: `pt` for `pt_BR` and for `pt-br`."""
    return locale.replace("-", "_").partition("_")[0].lower()


def locale_chain(locale: str) -> tuple[str, ...]:
    """Return where to look for a text, best first: the exact locale, its language, English.

    `pt_BR` gives `pt_BR`, `pt`, `en`.
    """
    language, _, territory = locale.replace("-", "_").partition("_")
    exact = f"{language.lower()}_{territory.upper()}" if territory else language.lower()
    return tuple(dict.fromkeys((exact, language.lower(), FALLBACK_LANGUAGE)))


@lru_cache(maxsize=512)
def rendering_locale(locale: str, language: str) -> str:
    """Return the locale that values in a text of `language` are written in, for a customer of `locale`.

    The customer's territory is kept where that combination is in use: an English text for a customer
    of `de_DE` gets `en_DE`, for one of `ja_JP` plain `en`, never a Japanese date in an English sentence.
    """
    wanted = language_of(language)
    _, _, territory = locale.replace("-", "_").partition("_")
    for candidate in (f"{wanted}_{territory.upper()}", wanted):
        try:
            parsed = Locale.parse(candidate)
        except (UnknownLocaleError, ValueError):
            continue
        if str(parsed) == candidate:
            return candidate
    return FALLBACK_LANGUAGE


@lru_cache(maxsize=512)
def babel_locale(locale: str) -> Locale:
    """Return Babel's data for a locale; English when Babel does not know it."""
    return Locale.parse(rendering_locale(locale, language_of(locale)))
