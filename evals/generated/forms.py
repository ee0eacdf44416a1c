"""How six locales write days, amounts and numbers, written down by hand.

These tables are what right messages are checked against, so they come from no library that writes messages.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cached_property
from typing import Final

DECIMALS: Final[Mapping[str, int]] = {"EUR": 2, "USD": 2, "GBP": 2, "BRL": 2, "JPY": 0, "KWD": 3}
"""Currency → decimals of its smallest unit (ISO 4217)."""


@dataclass(frozen=True, kw_only=True)
class Form:
    """What one locale looks like."""

    months: str
    """Twelve names, divided by blanks."""
    day: str
    """Of a long date, with `d`, `m` and `y` in braces."""
    group: str
    point: str
    money: str
    """With `s` for the sign of the currency and `n` for the number."""
    signs: Mapping[str, str]
    """Currency → its sign here; a sign of letters stands apart from the number."""
    percent: str
    """After the number."""

    @cached_property
    def _months(self) -> list[str]:
        return self.months.split()

    @cached_property
    def _day_pattern(self) -> re.Pattern[str]:
        parts = {"d": r"(?P<d>\d{1,2})", "m": f"(?P<m>{'|'.join(self._months)})", "y": r"(?P<y>\d{4})"}
        return re.compile(re.sub(r"\\\{(.)\\\}", lambda found: parts[found[1]], re.escape(self.day)))

    def read_day(self, text: str) -> date | None:
        """Return the day that a text is; None when it is none."""
        found = self._day_pattern.fullmatch(text)
        if found is None:
            return None
        return date(int(found["y"]), self._months.index(found["m"]) + 1, int(found["d"]))

    def write_day(self, day: date) -> str:
        """Return a long date."""
        return self.day.format(d=day.day, m=self._months[day.month - 1], y=day.year)

    def read_number(self, text: str) -> Decimal | None:
        """Return the number that a text is; None when it is none."""
        pattern = rf"\d{{1,3}}(?:{re.escape(self.group)}\d{{3}})*(?:{re.escape(self.point)}\d+)?"
        if not re.fullmatch(pattern, text):
            return None
        return Decimal(text.replace(self.group, "").replace(self.point, "."))

    def write_number(self, number: Decimal) -> str:
        """Return a number with as many decimals as it has."""
        return "".join({",": self.group, ".": self.point}.get(char, char) for char in f"{number:,}")

    def read_money(self, text: str) -> tuple[Decimal, str] | None:
        """Return (amount, currency) that a text is; None when it is none."""
        for currency in DECIMALS:
            before, _, after = self._money(currency).partition("{n}")
            if text.startswith(before) and text.endswith(after):
                number = self.read_number(text.removeprefix(before).removesuffix(after))
                if number is not None:
                    return number, currency
        return None

    def write_money(self, amount: Decimal, currency: str) -> str:
        """Return an amount with the decimals of its currency."""
        exact = amount.quantize(Decimal(1).scaleb(-DECIMALS[currency]), ROUND_HALF_EVEN)
        return self._money(currency).replace("{n}", self.write_number(exact))

    def read_percent(self, text: str) -> int | None:
        """Return the whole percentage that a text is; None when it is none."""
        number = text.removesuffix(self.percent)
        return int(number) if number != text and number.isdecimal() else None

    def _money(self, currency: str) -> str:
        sign = self.signs.get(currency, currency)
        apart = " " if sign == currency and self.money == "{s}{n}" else ""
        return self.money.replace("{s}", sign + apart)


_ENGLISH: Final = "January February March April May June July August September October November December"
_SIGNS: Final = {"EUR": "€", "USD": "$", "GBP": "£", "BRL": "R$", "JPY": "¥"}
FORMS: Final[Mapping[str, Form]] = {
    "en_US": Form(
        months=_ENGLISH,
        day="{m} {d}, {y}",
        group=",",
        point=".",
        money="{s}{n}",
        signs=_SIGNS,
        percent="%",
    ),
    "en_GB": Form(
        months=_ENGLISH,
        day="{d} {m} {y}",
        group=",",
        point=".",
        money="{s}{n}",
        signs=_SIGNS | {"USD": "US$", "JPY": "JP¥"},
        percent="%",
    ),
    "de_DE": Form(
        months="Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        day="{d}. {m} {y}",
        group=".",
        point=",",
        money="{n} {s}",
        signs=_SIGNS,
        percent=" %",
    ),
    "fr_FR": Form(
        months="janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        day="{d} {m} {y}",
        group=" ",
        point=",",
        money="{n} {s}",
        signs=_SIGNS | {"USD": "$US", "GBP": "£GB", "JPY": "JPY"},
        percent=" %",
    ),
    "es_ES": Form(
        months="enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        day="{d} de {m} de {y}",
        group=".",
        point=",",
        money="{n} {s}",
        signs={"EUR": "€", "USD": "US$"},
        percent=" %",
    ),
    "pt_BR": Form(
        months="janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
        day="{d} de {m} de {y}",
        group=".",
        point=",",
        money="{s} {n}",
        signs=_SIGNS | {"USD": "US$", "JPY": "JP¥"},
        percent="%",
    ),
}
"""Locale → its forms."""
WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "shipping_delay": {
        "en": "running late",
        "de": "verspätet sich",
        "fr": "a du retard",
        "es": "con retraso",
        "pt": "atrasado",
    },
    "payment_due": {
        "en": "Your bill",
        "de": "Ihre Rechnung",
        "fr": "Votre facture",
        "es": "Su factura",
        "pt": "Sua fatura",
    },
    "service_disruption": {
        "en": "that you use",
        "de": "den Sie nutzen",
        "fr": "que vous utilisez",
        "es": "que usted usa",
        "pt": "que você usa",
    },
    "data_threshold": {
        "en": "data allowance",
        "de": "Datenvolumen",
        "fr": "données",
        "es": "datos",
        "pt": "franquia de dados",
    },
}
"""Scenario → language → words that every text in that language has, on every channel."""


def in_other_form(text: str, before: Form, after: Form) -> str | None:
    """Return what a text of one locale is in another; None when it is words, which are not known there."""
    if (day := before.read_day(text)) is not None:
        return after.write_day(day)
    if (money := before.read_money(text)) is not None:
        return after.write_money(*money)
    if (percent := before.read_percent(text)) is not None:
        return f"{percent}{after.percent}"
    if (number := before.read_number(text)) is not None:
        return after.write_number(number)
    return text if _NAME.fullmatch(text) else None


_NAME: Final = re.compile(r"\d+|[A-Z]+-?\d+|https?://\S+|\d+ [A-Z]{2}|[^\w\s]")
"""Numbers of orders, bills and parcels, links, amounts of data, a lone sign: the same everywhere."""
