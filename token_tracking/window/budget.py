"""How much of a model's window an agent may use, part by part. All amounts are tokens."""

from typing import Final

from msgspec import Struct

from token_tracking.pricing import limits
from token_tracking.window.errors import InvalidBudgetError

UNKNOWN_WINDOW: Final = 200_000
"""Taken for a model whose window no source tells: that of most Claude models."""

DEFAULT_MAX_OUTPUT: Final = 20_000
"""Reserved for the answer where the budget does not say and the model writes as much: the package
`anthropic` wants longer answers streamed, and of those that may have 128,000 tokens hardly any
does."""

_LARGEST_RESERVE: Final = 0.25
"""Of the window."""


class Budget(Struct, frozen=True, kw_only=True):
    """The budget of one agent, in tokens. `None` means: as much as the window has room for.

    `max_context_tokens` is for the whole prompt (system, tools, history, documents and the user's
    message), `max_history_tokens` for the turns before the last, `max_rag_tokens` for documents,
    `max_output_tokens` is kept free for the answer. `summarize_threshold` is the share of the
    context budget (0 to 1) from which on `Summarize` and `Hybrid` act, where
    `enable_summarization` lets them.

    Raises:
        InvalidBudgetError: an amount is no whole number above 0, or a part is larger than
            `max_context_tokens`.
    """

    max_context_tokens: int | None = None
    max_history_tokens: int | None = None
    max_rag_tokens: int | None = None
    max_output_tokens: int | None = None
    enable_summarization: bool = True
    summarize_threshold: float = 0.8

    def __post_init__(self) -> None:
        for name in (
            "max_context_tokens",
            "max_history_tokens",
            "max_rag_tokens",
            "max_output_tokens",
        ):
            _check_tokens(name, getattr(self, name))
        threshold = self.summarize_threshold
        if type(threshold) not in (int, float) or not 0 < threshold <= 1:
            raise InvalidBudgetError(
                f"summarize_threshold is {threshold!r}: give a share above 0 and up to 1."
            )
        self._check_parts()

    def _check_parts(self) -> None:
        """A part is a limit, so that two parts may come to more than the whole; one may not."""
        whole = self.max_context_tokens
        for name in ("max_history_tokens", "max_rag_tokens"):
            part: int | None = getattr(self, name)
            if whole is not None and part is not None and part > whole:
                raise InvalidBudgetError(
                    f"{name} is {part:,}, and max_context_tokens, of which it is a part, only"
                    f" {whole:,}: it would never be reached. Give less, or None."
                )

    @classmethod
    def small(cls) -> "Budget":
        """For chat agents that are to stay cheap: 6,000 tokens of context, of which up to 3,000
        are history and 1,500 documents, and 1,000 for the answer."""
        return cls(
            max_context_tokens=6000,
            max_history_tokens=3000,
            max_rag_tokens=1500,
            max_output_tokens=1000,
        )


class Room(Struct, frozen=True):
    """A budget for a given model: `window` is the model's, `context` what the prompt may take,
    `output` what is kept free."""

    window: int
    context: int
    output: int
    max_output: int | None

    def answer(self, prompt_tokens: int) -> int:
        """The recommended `max_tokens` of a request: what is kept free, or less where the prompt
        leaves less; at least 1."""
        return max(1, min(self.output, self.window - prompt_tokens))


def room_of(budget: Budget, model: str, window: int | None = None) -> Room:
    """What a budget leaves for the prompt of a model. `window` overrides what is known of it.

    Raises:
        InvalidBudgetError: the answer's reserve leaves nothing of the window, or that is no
            number of tokens.
    """
    _check_tokens("window", window)
    known = limits(model)
    size = window or (known and known.context_window) or UNKNOWN_WINDOW
    max_output = known.max_output_tokens if known else None
    output = budget.max_output_tokens
    if output is None:
        reserve = min(max_output or DEFAULT_MAX_OUTPUT, DEFAULT_MAX_OUTPUT)
        output = min(reserve, int(size * _LARGEST_RESERVE))
    if max_output is not None and output > max_output:
        raise InvalidBudgetError(
            f"max_output_tokens is {output:,}, and {model} writes at most {max_output:,}."
        )
    left = size - output
    if left <= 0:
        raise InvalidBudgetError(
            f"max_output_tokens is {output:,} of a window of {size:,} tokens: nothing is left for"
            " the prompt. Give less for the answer."
        )
    context = left if budget.max_context_tokens is None else min(budget.max_context_tokens, left)
    return Room(size, context, output, max_output)


def _check_tokens(name: str, value: object) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidBudgetError(f"{name} is {value!r}: give a whole number of tokens above 0.")
