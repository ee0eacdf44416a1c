"""Instants, amounts and values of facts as a person reads them."""

from datetime import date, datetime
from decimal import Decimal

from babel.numbers import get_currency_precision

from tools.records.base import Money
from tools.records.facts import FactValue


def utc(instant: datetime) -> str:
    """Return an instant to the minute, in UTC."""
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def amount(money: Money) -> str:
    """Return money as digits, with the places of its currency, and currency code."""
    places = get_currency_precision(money.currency)
    return f"{Decimal(money.minor).scaleb(-places):f} {money.currency}"


def value_words(value: FactValue) -> str:
    """Return a fact's value."""
    match value:
        case None:
            return "unknown"
        case bool():
            return "yes" if value else "no"
        case Money():
            return amount(value)
        case datetime():
            return utc(value)
        case date() | int() | str():
            return str(value)
