"""Reads the beginning of an answer's body, and gives it back."""

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

from token_tracking.sources.replies.encodings import codings_of, decoder_of
from token_tracking_server.gateway.errors import UpstreamBrokeError, UpstreamTimeoutError
from token_tracking_server.gateway.exchanges import Answer

MOST: Final = 64 * 1024
"""Bytes of an error that are read: those of providers have some hundreds."""


async def peek(answer: Answer) -> bytes:
    """The beginning of a body, decoded; who takes the answer's chunks afterwards gets all of it,
    as it came, and what went wrong with it."""
    chunks, rest, size = list[bytes](), answer.chunks, 0
    broken: Exception | None = None
    try:
        while size < MOST:
            chunk = await anext(rest)
            chunks.append(chunk)
            size += len(chunk)
    except StopAsyncIteration:
        pass
    except (UpstreamBrokeError, UpstreamTimeoutError) as error:
        broken = error
    answer.chunks = _Peeked(chunks, rest, broken)
    return _decoded(b"".join(chunks), answer)


def _decoded(data: bytes, answer: Answer) -> bytes:
    coding = dict(answer.headers).get(b"content-encoding", b"").decode("latin-1")
    decoder = decoder_of(codings_of(coding))
    if decoder is None:
        return data
    found = b""
    with suppress(Exception):  # an error that cannot be read teaches nothing
        for part in decoder.decode(data):
            found += part
            if len(found) > MOST:
                break
    return found


class _Peeked:
    """What was read, then the rest."""

    def __init__(
        self, chunks: list[bytes], rest: AsyncIterator[bytes], broken: Exception | None
    ) -> None:
        self._chunks = chunks
        self._rest = rest
        self._broken = broken

    def __aiter__(self) -> "_Peeked":
        return self

    async def __anext__(self) -> bytes:
        if self._chunks:
            return self._chunks.pop(0)
        if self._broken is not None:
            raise self._broken
        return await anext(self._rest)

    async def aclose(self) -> None:
        close = getattr(self._rest, "aclose", None)
        if close is not None:
            await close()
