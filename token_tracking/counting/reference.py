"""The provider's own count, over the network: only for who asks for it and has a key."""

import os
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

from token_tracking.counting.count import TokenCount
from token_tracking.counting.errors import CountingError

_TIMEOUT_SECONDS: Final = 5.0
_METHOD: Final = "anthropic count_tokens, as a message of its own"


class AnthropicCounter:
    """Asks Anthropic's `count_tokens`: free of charge, limited in requests a minute.

    It counts a message that holds only this text, so a few tokens around it are part of the count.
    The key is `api_key` or else `ANTHROPIC_API_KEY`; `base_url` is for gateways.

    Raises:
        CountingError: there is no key, or the package `anthropic` is not installed.
    """

    def __init__(
        self,
        model: str,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        given = os.environ if environment is None else environment
        key = api_key or given.get("ANTHROPIC_API_KEY", "").strip()
        if not key:
            raise CountingError(
                "Anthropic's own count needs a key: set ANTHROPIC_API_KEY, or count offline."
            )
        self._model = model
        self._errors, self._client = _connect(key, base_url)

    def count(self, text: str) -> TokenCount:
        """The count of the API.

        Raises:
            CountingError: it did not answer within 5 seconds, or refused.
        """
        if not text:  # the API refuses an empty message
            return TokenCount(tokens=0, method=_METHOD, exact=True, error_p95=0.0)
        sent = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        message = {"role": "user", "content": sent}
        try:
            found = self._client.messages.count_tokens(model=self._model, messages=[message])
        except self._errors as error:
            raise CountingError(
                f"Anthropic's count_tokens for {self._model} failed: {error}. Check the key, the"
                " model's name and the connection, or count offline."
            ) from error
        return TokenCount(tokens=found.input_tokens, method=_METHOD, exact=False, error_p95=None)


def _connect(key: str, base_url: str | None) -> tuple[type[Exception], Any]:
    try:
        anthropic: Any = import_module("anthropic")  # not a dependency, and takes 1.2 s
    except ImportError as error:
        raise CountingError(
            "Anthropic's own count needs the package anthropic: pip install anthropic."
        ) from error
    client: Any = anthropic.Anthropic(
        api_key=key, base_url=base_url, timeout=_TIMEOUT_SECONDS, max_retries=0
    )
    return anthropic.AnthropicError, client
