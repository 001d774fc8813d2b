"""An answer's bytes on their way to the caller, read along for the history."""

from collections.abc import Awaitable, Callable

from token_tracking.sources.replies.values import Form
from token_tracking_server.gateway.exchanges import Answer
from token_tracking_server.gateway.managing.assembling import AnswerReader, Said

Keep = Callable[[Said | None], Awaitable[None]]


class KeptChunks:
    """The chunks of an answer. `keep` is called with its message, once, before the caller has all
    of it: who reads the end can go on from there. Nothing is kept of an answer that is an error,
    was refused or broke off; of one that said nothing only what was asked."""

    def __init__(self, answer: Answer, form: Form, keep: Keep) -> None:
        self._answer = answer
        self._chunks = answer.chunks
        self._reader = AnswerReader(form, answer.status, answer.headers)
        self._keep: Keep | None = keep

    def __aiter__(self) -> "KeptChunks":
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await anext(self._chunks)
        except StopAsyncIteration:
            await self._end()
            raise
        self._reader.feed(chunk)
        if self._answer.is_complete or self._reader.is_whole:
            await self._end()
        return chunk

    async def aclose(self) -> None:
        """Let go of the answer."""
        close = getattr(self._chunks, "aclose", None)
        if close is not None:
            await close()

    async def _end(self) -> None:
        keep, self._keep = self._keep, None
        found = self._reader.finish() if keep else None
        if keep and found is not None and not found.is_refused:
            await keep(found.message)
