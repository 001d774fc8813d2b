"""What an upstream answered instead of an answer, in this API's words."""

import re
from typing import Any, Final, cast

from token_tracking_server.gateway.config.values import Upstream
from token_tracking_server.gateway.conversations.errors import (
    AnswerFailedError,
    UpstreamLimitError,
    UpstreamOverloadedError,
)
from token_tracking_server.gateway.conversations.texts import error_text
from token_tracking_server.gateway.exchanges import Answer, Ask
from token_tracking_server.gateway.managing.assembling.events import read_object
from token_tracking_server.gateway.security.keys import key_of

MOST_BYTES: Final = 64 * 1024
"""Of an error's body that are read."""

_LONGEST: Final = 300
_HIDDEN: Final = "[key]"
_SHORTEST: Final = 8
"""A shorter key is a word that servers without keys are sent."""

_KEY: Final = re.compile(r"\b(?:sk-|gsk_|AIza|xai-)[\w*.\u2026-]*[\w*]")
"""Providers' keys by how they begin, also those of which the middle is starred out."""

_UNTOUCHED: Final = "The conversation is as it was."


async def refusal_of(answer: Answer, ask: Ask) -> AnswerFailedError:
    """What a response without an answer says. What the upstream says of a key is not repeated."""
    upstream, told = ask.upstream, dict(answer.headers)
    after = told.get(b"retry-after", b"").decode("latin-1")
    headers = {"retry-after": after} if after else {}
    status = answer.status
    if status in {401, 403}:
        return AnswerFailedError(_key_refused(upstream, status), headers=headers)
    said = without_keys(_reason(await _beginning(answer)), ask)[:_LONGEST]
    text = f"The upstream {upstream.name} answered {status}{f' ({said})' if said else ''}."
    if status == 429:
        return UpstreamLimitError(f"{text} Wait, then send the message again.", headers=headers)
    if status in {503, 529}:
        return UpstreamOverloadedError(f"{text} Send the message again later.", headers=headers)
    return AnswerFailedError(f"{text} {_UNTOUCHED}", headers=headers)


def broken(ask: Ask, problem: str) -> AnswerFailedError:
    """An answer that did not become one."""
    said = without_keys(problem, ask)[:_LONGEST]
    return AnswerFailedError(
        f"The upstream {ask.upstream.name} gave no whole answer: {said}. {_UNTOUCHED}"
        " Send the message again."
    )


def without_keys(text: str, ask: Ask) -> str:
    """What an upstream says, without the key that it was asked with, nor anything that looks like
    one."""
    key = key_of(ask.headers)
    if key and len(key) >= _SHORTEST:
        text = text.replace(key.decode("latin-1"), _HIDDEN)
    return _KEY.sub(_HIDDEN, text)


def _key_refused(upstream: Upstream, status: int) -> str:
    if upstream.key_env:
        advice = f"see whether {upstream.key_env} holds a key that may ask this model"
    else:
        advice = (
            "send a key that may ask this model, as x-api-key or as Authorization: Bearer, or name"
            f" the variable that holds one as key_env of [upstreams.{upstream.name}]"
        )
    return f"The upstream {upstream.name} refused the key ({status}): {advice}."


async def _beginning(answer: Answer) -> bytes:
    read = bytearray()
    async for chunk in answer.chunks:
        read += chunk
        if len(read) > MOST_BYTES:
            break
    return bytes(read)


def _reason(body: bytes) -> str:
    said = read_object(body)
    if said is None:
        return ""
    error: Any = said.get("error")
    return error_text(cast("object", error)) if error else ""
