"""Costs are whole micros, never too low; unknown models and wrong currencies are refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.llm.prices import Price, load_prices, price_of
from agent.store.llm_calls import Usage
from tools.errors import InputError

MINI = Price(prompt=150_000, cached=75_000, completion=600_000, currency="USD")
tokens = st.integers(0, 200_000)


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        (Usage(), 0),
        (Usage(prompt_tokens=1), 1),
        (Usage(prompt_tokens=1_000_000), 150_000),
        (Usage(prompt_tokens=1_000_000, cached_tokens=1_000_000), 75_000),
        (Usage(completion_tokens=1_000_000), 600_000),
        (Usage(prompt_tokens=100, completion_tokens=20), 27),
        (Usage(prompt_tokens=10, cached_tokens=50), 1),
    ],
)
def test_a_cost_is_rounded_up_to_whole_micros(usage: Usage, cost: int) -> None:
    assert MINI.cost(usage) == cost


@given(tokens, tokens, tokens, st.integers(0, 10), st.integers(0, 10))
def test_the_bound_is_never_below_the_cost(
    prompt: int, cached: int, completion: int, more_prompt: int, more_completion: int
) -> None:
    usage = Usage(prompt_tokens=prompt, cached_tokens=min(cached, prompt), completion_tokens=completion)

    bound = MINI.bound(prompt_tokens=prompt + more_prompt, completion_tokens=completion + more_completion)

    assert bound >= MINI.cost(usage)


def test_the_packaged_prices_load_and_name_a_free_entry() -> None:
    prices = load_prices()

    assert prices.prices["free"].is_free
    assert price_of(prices, "gpt-4o-mini", currency="USD") == MINI


def test_a_model_of_ones_own_is_priced_by_the_entry_that_is_named() -> None:
    assert price_of(load_prices(), "my-llama", currency="EUR", priced_as="free").is_free


@pytest.mark.parametrize(
    ("model", "remedy"), [("gpt-4o-mimi", "did you mean `gpt-4o-mini`?"), ("zzz", "`free` for a server")]
)
def test_a_model_without_a_price_is_refused_with_advice(model: str, remedy: str) -> None:
    with pytest.raises(InputError) as caught:
        price_of(load_prices(), model, currency="USD")

    assert remedy in str(caught.value)


def test_a_price_in_another_currency_than_the_budget_is_refused() -> None:
    with pytest.raises(InputError, match="the price is in USD, the budget in EUR"):
        price_of(load_prices(), "gpt-4o", currency="EUR")


def test_a_broken_prices_file_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text("version: 1\nprices:\n  m: {prompt: -1, cached: 0, completion: 0, currency: USD}\n")

    with pytest.raises(InputError, match=r"prices\.yaml:3"):
        load_prices(path)
