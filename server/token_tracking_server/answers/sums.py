"""What sums say in words: cost, caching, and what keeps a figure from being exact."""

from collections.abc import Mapping, Sequence
from typing import Final

from token_tracking.efficiency import cache_figures
from token_tracking.pricing import usd
from token_tracking.store import Sums
from token_tracking.usage import SYNTHETIC_MODEL
from token_tracking_server.answers.markdown import code
from token_tracking_server.figures import UNKNOWN, money, share, tokens

HEAD: Final = (
    "Messages",
    "Input",
    "Cache read",
    "Cache write",
    "Output",
    "Cost",
    "Saved by caching",
)
BASIS: Final = (
    "_Measured from billed usage, at the API's prices of each message's date. On a subscription,"
    " read dollars as what the API would have charged._"
)
_NAMED: Final = 4


def cost(sums: Sums) -> str:
    """USD; it says where messages without a price are left out, or all are."""
    if not sums.unpriced_messages:
        return money(usd(sums.cost_pico))
    if sums.unpriced_messages == sums.messages:
        return UNKNOWN
    return f"{money(usd(sums.cost_pico))} + {sums.unpriced_messages:,} unpriced"


def cells(sums: Sums) -> list[str]:
    """The columns of `HEAD`."""
    return [
        f"{sums.messages:,}",
        tokens(sums.input_tokens),
        tokens(sums.cache_read_tokens),
        tokens(sums.cache_write_tokens),
        tokens(sums.output_tokens),
        cost(sums),
        money(cache_figures(sums).net_savings_usd) if sums.messages else money(usd(0)),
    ]


def model_name(model: str) -> str:
    """A model as a reader knows it."""
    if model == SYNTHETIC_MODEL:
        return "no model (written by the client)"
    return code(model) if model else "not named"


def caching(sums: Sums) -> str:
    """What caching did, in two sentences."""
    figures = cache_figures(sums)
    net, premium = figures.net_savings_usd, figures.write_premium_usd
    rate = f"Cache hit rate: {share(figures.hit_rate)} of prompt tokens."
    if net is None or premium is None:
        return f"What caching saved in dollars is unknown, as no message has a price. {rate}"
    if not sums.cache_read_tokens and not sums.cache_write_tokens:
        return "Nothing was cached, so caching saved nothing."
    without = f"without it the same tokens would have cost {money(usd(sums.no_cache_pico))}"
    if net < 0:
        return (
            f"Caching **lost {money(-net)}** net: {without}; cache writes cost {money(premium)}"
            f" more than plain input. {rate}"
        )
    return (
        f"Caching **saved {money(net)}** net: {without}; the {money(premium)} that cache writes"
        f" cost above plain input is already taken off. {rate}"
    )


def gaps(sums: Sums, unpriced_models: Mapping[str, int]) -> list[str]:
    """What is not exact in these sums, and what to do about it."""
    notes: list[str] = []
    if sums.partial_messages:
        notes.append(
            f"{sums.partial_messages:,} of {counted(sums.messages, 'message')} never got a final"
            " count of output (old versions of Claude Code, or an answer cut off): output and cost"
            " are lower bounds."
        )
    if sums.unpriced_messages:
        models = named([f"{model_name(name)} ({n:,})" for name, n in unpriced_models.items()])
        notes.append(
            f"{counted(sums.unpriced_messages, 'message')} without a known price: {models}. Their"
            " cost is left out, not zero. Add a `[[price]]` for the model to a TOML file, name it"
            " in TOKEN_TRACKING_PRICES, and run `token-tracking reprice`."
        )
    return notes


def counted(count: int, noun: str) -> str:
    """`1 message`, `1,234 messages`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def named(names: Sequence[str]) -> str:
    """The first few of some names, and how many more there are."""
    shown = ", ".join(names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED:,} more"
