"""What an upstream answered instead of an answer, in this API's words."""

from typing import Any, Final, cast

from token_tracking_server.gateway.config.values import Upstream
from token_tracking_server.gateway.conversations.errors import (
    AnswerFailedError,
    UpstreamLimitError,
    UpstreamOverloadedError,
)
from token_tracking_server.gateway.conversations.texts import error_text
from token_tracking_server.gateway.exchanges import Answer
from token_tracking_server.gateway.managing.assembling.events import read_object

MOST_BYTES: Final = 64 * 1024
"""Of an error's body that are read."""

_LONGEST: Final = 300
_UNTOUCHED: Final = "The conversation is as it was."


async def refusal_of(answer: Answer, upstream: Upstream) -> AnswerFailedError:
    """What a response without an answer says. What the upstream says of a key is not repeated."""
    told = dict(answer.headers)
    after = told.get(b"retry-after", b"").decode("latin-1")
    headers = {"retry-after": after} if after else {}
    status = answer.status
    if status in {401, 403}:
        return AnswerFailedError(_key_refused(upstream, status), headers=headers)
    said = _reason(await _beginning(answer))
    text = f"The upstream {upstream.name} answered {status}{f' ({said})' if said else ''}."
    if status == 429:
        return UpstreamLimitError(f"{text} Wait, then send the message again.", headers=headers)
    if status in {503, 529}:
        return UpstreamOverloadedError(f"{text} Send the message again later.", headers=headers)
    return AnswerFailedError(f"{text} {_UNTOUCHED}", headers=headers)


def broken(upstream: Upstream, problem: str) -> AnswerFailedError:
    """An answer that did not become one."""
    return AnswerFailedError(
        f"The upstream {upstream.name} gave no whole answer: {problem[:_LONGEST]}. {_UNTOUCHED}"
        " Send the message again."
    )


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
    return error_text(cast("object", error))[:_LONGEST] if error else ""
