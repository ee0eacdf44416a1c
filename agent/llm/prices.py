"""What a model costs: prices per million tokens, kept in a file, in whole micro-units."""

from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from agent.store.llm_calls import Usage
from tools.errors import InputError
from tools.records.base import Currency, Strict
from tools.yaml_file import did_you_mean, load_yaml

PRICES_FILE: Final = Path(__file__).parent / "prices.yaml"
FREE: Final = "free"
"""The entry that prices a model on a server of one's own."""
_MILLION = 1_000_000

PerMillion = Annotated[int, Field(ge=0)]


class Price(Strict):
    """One model's price in micro-units of `currency` per million tokens."""

    prompt: PerMillion
    cached: PerMillion
    """Prompt tokens that the provider had in its cache."""
    completion: PerMillion
    currency: Currency

    @property
    def is_free(self) -> bool:
        """Whether no call can cost anything."""
        return not (self.prompt or self.cached or self.completion)

    def cost(self, usage: Usage) -> int:
        """Return what a call cost in micro-units, rounded up."""
        cached = min(usage.cached_tokens, usage.prompt_tokens)
        total = (
            (usage.prompt_tokens - cached) * self.prompt
            + cached * self.cached
            + usage.completion_tokens * self.completion
        )
        return -(-total // _MILLION)

    def bound(self, *, prompt_tokens: int, completion_tokens: int) -> int:
        """Return the most a call of that size can cost, in micro-units."""
        total = prompt_tokens * max(self.prompt, self.cached) + completion_tokens * self.completion
        return -(-total // _MILLION)


class PriceList(Strict):
    """The prices file."""

    version: Annotated[int, Field(ge=1)]
    prices: dict[str, Price]


def load_prices(path: Path = PRICES_FILE) -> PriceList:
    """Read a prices file.

    Raises:
        InputError: The file cannot be read or does not fit.
    """
    return load_yaml(path, PriceList)


def price_of(
    prices: PriceList, model: str, *, currency: str, priced_as: str | None = None, path: Path = PRICES_FILE
) -> Price:
    """Return a model's price.

    Args:
        prices: The prices file.
        model: The model's name as the endpoint knows it.
        currency: The currency of the budget, which the price must have; a free model fits every budget.
        priced_as: Another entry to use for this model, for example `free` for a server of one's own.
        path: Named in messages only.

    Raises:
        InputError: There is no such entry, or its currency is not the budget's.
    """
    entry = priced_as or model
    price = prices.prices.get(entry)
    if price is None:
        near = did_you_mean(entry, sorted(prices.prices))
        raise InputError(
            f"there is no price for the model {entry!r}, so its budget cannot be kept",
            path=path,
            field="prices",
            remedy=near
            or f"add an entry {entry}, or name the entry that prices it: `{FREE}` for a server of your own",
        )
    if not price.is_free and price.currency != currency:
        raise InputError(
            f"the price is in {price.currency}, the budget in {currency}",
            path=path,
            field=f"prices.{entry}.currency",
            remedy="give both in the same currency",
        )
    return price
