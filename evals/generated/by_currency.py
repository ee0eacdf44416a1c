"""Other currencies: the same figures, the same decision, and the message tells that currency."""

import re
from collections.abc import Iterator, Sequence
from decimal import ROUND_UP, Decimal
from typing import Final

from evals.generated.forms import DECIMALS, FORMS, Form
from evals.generated.spelled import Fields, Spelled, mapped

_USUAL: Final = {
    "order": {"total": "49.90 EUR"},
    "invoice": {"amount_due": "120.00 EUR"},
    "subscription": {"price": "29.00 EUR"},
}
_AMOUNT: Final = re.compile(r"(-?\d+(?:\.\d+)?) ([A-Z]{3})")


def other_currencies(spelled: Spelled) -> Sequence[str]:
    """Return the currencies that the amounts could have instead; none without amounts of one currency."""
    _name_amounts(spelled)
    present = {found[2] for found in _amounts(spelled)}
    return [name for name in DECIMALS if name not in present] if len(present) == 1 else ()


def in_currency(spelled: Spelled, currency: str) -> None:
    """Let every amount have its figure in a currency, and expect it told so.

    What is finer than that currency can be is rounded away from nothing, so that a debt stays one.
    """
    _name_amounts(spelled)
    before = {Decimal(found[1]) for found in _amounts(spelled)}

    def exchanged(text: str) -> str:
        found = _AMOUNT.fullmatch(text)
        return f"{_figure(Decimal(found[1]), currency)} {currency}" if found else text

    spelled.fields["records"] = mapped(spelled.fields["records"], exchanged)
    spelled.fields["events"] = mapped(spelled.fields["events"], exchanged)
    first = next(iter(spelled.everywhere("customer")), Fields())
    form = FORMS.get(first.get("locale", "en_US"), FORMS["en_US"])
    expect = spelled.expect
    expect["tells"] = [_told(text, form, before, currency) for text in expect.get("tells", ())]
    omits = [_told(text, form, before, currency) for text in expect.get("omits", ())]
    expect["omits"] = [text for text in omits if not any(text in told for told in expect["tells"])]
    spelled.note(currency.lower(), f"amounts are in {currency}")


def _name_amounts(spelled: Spelled) -> None:
    for record_type, usual in _USUAL.items():
        for values in spelled.records(record_type):
            for name, amount in usual.items():
                values.setdefault(name, amount)


def _amounts(spelled: Spelled) -> Iterator[re.Match[str]]:
    found: list[re.Match[str]] = []

    def kept(text: str) -> str:
        match = _AMOUNT.fullmatch(text)
        found.extend([match] if match else [])
        return text

    mapped([spelled.fields["records"], spelled.fields["events"]], kept)
    return iter(found)


def _figure(amount: Decimal, currency: str) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-DECIMALS[currency]), ROUND_UP)


def _told(text: str, form: Form, before: set[Decimal], currency: str) -> str:
    """Return what is said of an amount after the change; other texts are as before."""
    if (money := form.read_money(text)) is not None:
        return form.write_money(_figure(money[0], currency), currency)
    number = form.read_number(text)
    return form.write_number(_figure(number, currency)) if number in before and number is not None else text
