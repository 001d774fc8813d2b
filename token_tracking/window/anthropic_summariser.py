"""Summaries by a Claude model, with the `anthropic` package."""

import inspect
import re
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any, Final, cast

from token_tracking.window.errors import SummaryError
from token_tracking.window.summaries import SummaryRequest, summary_prompt

MODEL: Final = "claude-haiku-5-5"
"""The least dear of the models of its day."""

HEADROOM: Final = 2
"""Times the tokens asked for are allowed: models count their own badly, and a summary that is cut
has lost what it was about to say."""

CUT_OFF: Final = "[cut off here]"

_SENTENCE_END: Final = re.compile(r"[.!?\u3002\uff01\uff1f][\"')\]\u201d]*(?=\s|$)|\n")


class AnthropicSummariser:
    """Asks a Claude model for summaries, each in a request of its own without tools.

    Args:
        client: an `AsyncAnthropic`; by default one is made, with the key of `ANTHROPIC_API_KEY`
            (or wherever the package finds one), and closed by `aclose`. Making it imports the
            package, which takes a second: do it at start-up.
        model: the model that summarises.
        on_usage: called (and awaited, where it can be) with each response, which has `id`,
            `model` and `usage`; also for those whose summary is not used, as they are billed.

    Raises:
        SummaryError: the package `anthropic` is missing, or there is no key.
    """

    def __init__(
        self,
        client: Any = None,
        model: str = MODEL,
        *,
        on_usage: Callable[[Any], object] | None = None,
    ) -> None:
        self.model: Final = model
        self._client: Any = _connect() if client is None else client
        self._is_own = client is None
        self._on_usage = on_usage

    async def __call__(self, request: SummaryRequest) -> str:
        """The summary. One that was cut off ends with its last whole sentence, and says so.

        Raises:
            SummaryError: the model refused, or wrote no text.
            anthropic.AnthropicError: the request failed.
        """
        system, text = (_sendable(each) for each in summary_prompt(request))
        response = await self._client.messages.create(
            model=self.model,
            max_tokens=HEADROOM * request.max_tokens,
            system=system,
            messages=[{"role": "user", "content": text}],
        )
        await self._tell(response)
        return _summary_of(response)

    async def aclose(self) -> None:
        """Close the connections, unless the client was given."""
        if self._is_own:
            await self._client.close()

    async def _tell(self, response: Any) -> None:
        told = self._on_usage(response) if self._on_usage is not None else None
        if inspect.isawaitable(told):
            await cast("Awaitable[object]", told)


def _connect() -> Any:
    try:
        anthropic: Any = import_module("anthropic")
    except ImportError as error:
        raise SummaryError(
            "AnthropicSummariser needs the package anthropic: pip install anthropic."
        ) from error
    client: Any = anthropic.AsyncAnthropic()
    if not (client.api_key or client.auth_token or client.credentials):
        raise SummaryError(
            "AnthropicSummariser needs a key: set ANTHROPIC_API_KEY, or give a client that has one."
        )
    return client


def _summary_of(response: Any) -> str:
    if response.stop_reason == "refusal":
        raise SummaryError(f"{response.model} refused to write the summary")
    texts = [block.text for block in response.content if block.type == "text"]
    text = "".join(texts).strip()
    if not text:
        raise SummaryError(f"{response.model} wrote no text (stop reason: {response.stop_reason})")
    is_cut = response.stop_reason in ("max_tokens", "model_context_window_exceeded")
    return f"{_whole_sentences(text)} {CUT_OFF}" if is_cut else text


def _whole_sentences(text: str) -> str:
    """A text up to the end of its last whole sentence or line; all of it where it has none."""
    ends = [found.end() for found in _SENTENCE_END.finditer(text)]
    return text[: ends[-1]].rstrip() if ends else text


def _sendable(text: str) -> str:
    """A text without halves of surrogate pairs, which JSON cannot carry."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
