"""Summaries by the model that the conversation is with, asked of the same upstream."""

import json
import time
from typing import Any

from msgspec.structs import replace

from token_tracking.errors import TokenTrackingError
from token_tracking.window import SummaryError, SummaryRequest
from token_tracking.window.anthropic_summariser import CUT_OFF, HEADROOM
from token_tracking.window.summaries import summary_prompt
from token_tracking_server.gateway.exchanges import Ask, Send
from token_tracking_server.gateway.managing.assembling import AnswerReader, Assembled, Said
from token_tracking_server.gateway.managing.requests import read_plainly, with_body

_CUT: tuple[str | None, ...] = ("max_tokens", "length", "model_context_window_exceeded")


class UpstreamSummariser:
    """Asks for a summary as the request that needs it would be asked, with its key and limits.

    What is to be asked is told by `asked_by` before a window is prepared, and forgotten with it:
    a window that is kept holds no key.
    """

    def __init__(self) -> None:
        self._ask: Ask | None = None
        self._send: Send | None = None

    def asked_by(self, ask: Ask, send: Send) -> None:
        """From now on summaries are needed for this request."""
        self._ask, self._send = ask, send

    def forget(self) -> None:
        """The request is prepared."""
        self._ask = self._send = None

    async def __call__(self, request: SummaryRequest) -> str:
        """The summary. One that was cut off says so at its end.

        Raises:
            SummaryError: the upstream did not answer with one.
        """
        if self._ask is None or self._send is None:
            raise SummaryError("nobody asks for this request any more")
        try:
            said = await _answered(_summary_ask(self._ask, request), self._send)
        except SummaryError:
            raise
        except TokenTrackingError as error:
            raise SummaryError(str(error)) from error
        return said


async def _answered(ask: Ask, send: Send) -> str:
    answer = await send(ask)
    try:
        reader = AnswerReader(ask.form, answer.status, answer.headers)
        async for chunk in answer.chunks:
            reader.feed(chunk)
    finally:
        await answer.aclose()
    if answer.status != 200:
        raise SummaryError(f"the upstream answered {answer.status}")
    found = reader.finish()
    text = said_text(found)
    if not text:
        raise SummaryError(f"the model wrote no text (stop reason: {_reason(found)})")
    return f"{text} {CUT_OFF}" if _reason(found) in _CUT else text


def _summary_ask(ask: Ask, request: SummaryRequest) -> Ask:
    given: dict[str, Any] = json.loads(ask.body)
    body = json.dumps(_summary_body(given, ask, request)).encode()
    call = replace(ask.call, started_at=time.time_ns() // 1_000_000, request_id=None)
    alone = replace(ask, window=None, is_stream=False, call=call)
    return with_body(read_plainly(alone), body)


def _summary_body(given: dict[str, Any], ask: Ask, request: SummaryRequest) -> dict[str, Any]:
    system, text = (_sendable(each) for each in summary_prompt(request))
    user = {"role": "user", "content": text}
    most = HEADROOM * request.max_tokens
    if ask.form == "anthropic":
        return {"model": ask.model, "max_tokens": most, "system": system, "messages": [user]}
    limit = "max_tokens" if "max_tokens" in given else "max_completion_tokens"
    told = {"role": "system", "content": system}
    return {"model": ask.model, limit: most, "messages": [told, user]}


def said_text(found: Assembled | None) -> str:
    """The text of an answer, without thinking and calls."""
    content: Any = found.message.get("content") if found and found.message else None
    if isinstance(content, str):
        return content.strip()
    said: list[Said] = content or []
    return "".join(
        str(block.get("text", "")) for block in said if block.get("type") == "text"
    ).strip()


def _reason(found: Assembled | None) -> str | None:
    return found.stop_reason if found else None


def _sendable(text: str) -> str:
    """A text without halves of surrogate pairs, which JSON cannot carry."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
