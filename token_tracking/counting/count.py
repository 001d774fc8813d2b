"""`count_tokens`: a text's tokens for a model, and how good that figure is."""

import asyncio
import re
from collections.abc import Mapping
from typing import Final, Protocol, cast

from msgspec import Struct

from token_tracking.counting.encodings import EncodingName
from token_tracking.counting.errors import CountingError
from token_tracking.counting.multipliers import (
    NEWER_CLAUDE,
    Multiplier,
    default_multiplier,
    learned_multiplier,
    multiplier_key,
)
from token_tracking.counting.tokens import count_exactly

_ESTIMATE: Final[EncodingName] = "o200k_base"
"""What a count is estimated from where a model's own tokenizer is not public."""

_PUBLIC: Final[dict[str, EncodingName]] = {
    "o200k_base": "o200k_base",
    "o200k_harmony": "o200k_base",  # the same for text: it has more special tokens
    "cl100k_base": "cl100k_base",
}
"""tiktoken's name of an encoding, and the packed vocabulary that counts it."""


_AFTER: Final = re.compile(r"@.*|(?<!^ft):.*")
"""What providers put behind a model's name: a version, or a price (`:free`)."""

_OTHERS: Final = re.compile(
    r"claude|gemini|gemma|llama|mistral|mixtral|qwen|deepseek|grok|gpt4?all"
)
"""Makers of other models. tiktoken goes by how a name begins, and some of theirs begin as gpt-4."""


class TokenCount(Struct, frozen=True, kw_only=True):
    """How many tokens a text has, and how that is known.

    `exact` says that the model's own tokenizer counted. `error_p95` is relative (0.084: nineteen
    in twenty estimates were within 8.4%), 0 for an exact count, and `None` where no error was
    measured.
    """

    tokens: int
    method: str
    exact: bool
    error_p95: float | None


class Counter(Protocol):
    """Anything that counts the tokens of a text: plug it in with `TokenCounter.plug_in`."""

    def count(self, text: str) -> TokenCount:
        """The tokens of a text. It may block: it is called off the event loop."""
        ...


class TokenCounter:
    """Counts by plugged-in counters, by learned multipliers, and else by the defaults.

    `multipliers` has what was learned, by model (`TokenStore.multipliers()`).
    """

    def __init__(self, multipliers: Mapping[str, Multiplier] | None = None) -> None:
        self._multipliers = multipliers
        self._plugged: dict[str | None, Counter] = {}

    def plug_in(self, counter: Counter, model: str | None = None) -> None:
        """Let `counter` count for a model, or for all that have none of their own."""
        self._plugged[None if model is None else multiplier_key(model)] = counter

    def count_now(self, text: str, model: str | None = None) -> TokenCount:
        """The tokens of a text for a model, counted in this thread. Where no model is named, the
        newest Claude models are meant, which have the most tokens: so a budget is kept.

        Raises:
            CountingError: it is no text, a vocabulary is missing or damaged, or a plugged-in
                counter failed.
        """
        _check_text(text)
        plugged = self._plugged.get(None if model is None else multiplier_key(model))
        counter = plugged or self._plugged.get(None)
        if counter is not None:
            return _plugged_count(counter, text)
        return _count(text, model, self._multipliers)

    async def count(self, text: str, model: str | None = None) -> TokenCount:
        """`count_now` off the event loop."""
        return await asyncio.to_thread(self.count_now, text, model)


def count_tokens(
    text: str, model: str | None = None, *, multipliers: Mapping[str, Multiplier] | None = None
) -> TokenCount:
    """The tokens of a text for a model: exact for OpenAI's models, estimated for others.

    Claude's tokens are those of o200k_base times a multiplier: the learned one of `multipliers`
    where it has one, else the default of the model's family, which is the newest Claude's where no
    model is named. Special tokens in the text are ordinary text. Nothing is sent anywhere.

    Raises:
        CountingError: it is no text, or the vocabulary that came with the package is missing or
            damaged.
    """
    return _count(text, model, multipliers)


async def count_tokens_async(
    text: str, model: str | None = None, *, multipliers: Mapping[str, Multiplier] | None = None
) -> TokenCount:
    """`count_tokens` off the event loop."""
    return await asyncio.to_thread(_count, text, model, multipliers)


def _count(
    text: str, model: str | None, multipliers: Mapping[str, Multiplier] | None
) -> TokenCount:
    _check_text(text)
    if model is None:
        return _estimated(text, NEWER_CLAUDE, "newest Claude, as no model is named")
    if learned := learned_multiplier(model, multipliers):
        return _estimated(text, learned, "learned")
    if default := default_multiplier(model):
        return _estimated(text, default, "default")
    public = public_encoding(model)
    tokens, exact = count_exactly(text, public or _ESTIMATE)
    if public is None:
        method = f"{_ESTIMATE}, as the model's own tokenizer is unknown"
        return TokenCount(tokens=tokens, method=method, exact=False, error_p95=None)
    return TokenCount(tokens=tokens, method=public, exact=exact, error_p95=0.0 if exact else None)


def _check_text(text: object) -> None:
    if not isinstance(text, str):
        raise CountingError(
            f"The text is {type(text).__name__}: give a str (bytes.decode() makes one of bytes)."
        )


def _plugged_count(counter: Counter, text: str) -> TokenCount:
    """What a plugged-in counter says, or what is wrong with it."""
    name = type(counter).__name__
    try:
        found = cast("object", counter.count(text))
    except CountingError:
        raise
    except Exception as error:
        raise CountingError(f"The plugged-in counter {name} failed: {error!r}.") from error
    if not isinstance(found, TokenCount) or type(found.tokens) is not int or found.tokens < 0:
        raise CountingError(
            f"The plugged-in counter {name} returned {found!r}: it must be a TokenCount of a whole"
            " number of tokens from 0."
        )
    return found


def _estimated(text: str, by: Multiplier, source: str) -> TokenCount:
    tokens, _ = count_exactly(text, _ESTIMATE)
    return TokenCount(
        tokens=round(tokens * by.multiplier),
        method=f"{_ESTIMATE} x {by.multiplier:.4g} ({source})",
        exact=False,
        error_p95=by.error_p95,
    )


def public_encoding(model: str) -> EncodingName | None:
    """The encoding of a model whose tokenizer is public: OpenAI's models from GPT-3.5 on; the name
    of an encoding means itself."""
    from tiktoken.model import encoding_name_for_model  # noqa: PLC0415 (start-up)

    name = _AFTER.sub("", model.strip().lower().rpartition("/")[2])
    if name in _PUBLIC:
        return _PUBLIC[name]
    if _OTHERS.search(name):
        return None
    try:
        return _PUBLIC.get(encoding_name_for_model(name))
    except KeyError:
        return None
