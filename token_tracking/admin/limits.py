"""How much of anything the other side may send, and how long it may take."""

import time
import zlib
from collections.abc import AsyncIterator
from typing import Final, Protocol

from msgspec import Struct

from token_tracking.admin.errors import AdminAnswerError, AdminUnreachableError

_SHORTER: Final = "ask for a shorter period with --period"


class Limits(Struct, frozen=True, kw_only=True):
    """What one answer, one report and all of them together may take. Bytes are those of the text,
    after it is unpacked. A page of a thousand rows has about half a megabyte.

    `seconds` are those of one try, from the connection to the last byte; `all_seconds` those of a
    client, from its first request, with the pauses between tries.
    """

    seconds: float = 30.0
    bytes: int = 32_000_000
    pages: int = 1_000
    all_seconds: float = 600.0
    all_bytes: int = 256_000_000


class Allowance:
    """What is left of the limits of all answers together."""

    def __init__(self, limits: Limits) -> None:
        self._limits: Final = limits
        self._end: float | None = None
        self._bytes = limits.all_bytes

    @property
    def bytes(self) -> int:
        """What the next answer may have."""
        return min(self._limits.bytes, self._bytes)

    def too_large(self) -> AdminAnswerError:
        """What to say of an answer that has more."""
        is_one = self._bytes >= self._limits.bytes
        what, most = ("One answer has", self._limits.bytes) if is_one else (
            "The answers have together", self._limits.all_bytes)  # fmt: skip
        return AdminAnswerError(f"{what} more than {most:,} bytes: {_SHORTER}.")

    def seconds(self, pause: float = 0.0) -> float:
        """What the next try may take, after a pause.

        Raises:
            AdminUnreachableError: nothing is left by then.
        """
        now = time.monotonic()
        if self._end is None:
            self._end = now + self._limits.all_seconds
        left = self._end - now - pause
        if left <= 0:
            raise AdminUnreachableError(
                f"The reports take more than {self._limits.all_seconds:.0f} seconds in all:"
                f" {_SHORTER}, or try again later."
            )
        return min(self._limits.seconds, left)

    def spend(self, size: int) -> None:
        """Count the bytes of an answer."""
        self._bytes -= size


class Answer(Protocol):
    """An answer whose body is still to come."""

    def aiter_raw(self) -> AsyncIterator[bytes]:
        """Its bytes as they are sent."""
        ...


async def body_of(answer: Answer, encoding: str, allowance: Allowance) -> bytes:
    """The text of an answer, unpacked if its `content-encoding` is gzip.

    Raises:
        AdminAnswerError: it has more bytes than are left, is packed otherwise, or is not whole.
    """
    if encoding not in {"", "identity", "gzip"}:
        raise AdminAnswerError("The answer is packed as nobody asked for: report this, please.")
    # Not httpx2's own unpacking: a small packed answer may hold any amount of bytes.
    inflating = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
    most, received, body = allowance.bytes, 0, bytearray()
    async for sent in answer.aiter_raw():
        received += len(sent)
        try:
            body += sent if inflating is None else inflating.decompress(sent, most + 1 - len(body))
        except zlib.error as error:
            raise AdminAnswerError("The answer is no gzip, as it says: try again.") from error
        if max(received, len(body)) > most:
            raise allowance.too_large()
    if inflating is not None and not inflating.eof:
        raise AdminAnswerError("The answer is not whole: try again.")
    allowance.spend(len(body))
    return bytes(body)
