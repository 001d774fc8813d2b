"""What a content store is, and how its handles are made."""

import hashlib
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Final, Protocol

from msgspec import Struct

from token_tracking.window.errors import ContentStoreError

MAX_BYTES: Final = 64 * 1024 * 1024
"""Of text as UTF-8, unless told otherwise."""

_HANDLE: Final = re.compile(r"c-[0-9a-f]{12,64}")
_DIGITS: Final = (12, 24, 64)
"""Of SHA-256. Twelve are short for the model; more only where another text has the same twelve."""


class ContentTooLargeError(ContentStoreError):
    """A text is larger than the whole store, which has room for smaller ones."""


class StoredContent(Struct, frozen=True):
    """A text and where it came from: the tool's name, and what the call was about."""

    handle: str
    text: str
    tool: str | None = None
    subject: str | None = None


class ContentStore(Protocol):
    """Keeps texts by handle. A text may be gone at any time: for its age, or for want of room.

    All calls are synchronous and quick (for usual results far under a millisecond; on disk, some
    for a megabyte, and up to a quarter of a second where another process writes), and may come
    from several threads: who must not hold up an event loop calls them on one, as policies do.
    """

    def put(self, text: str, *, tool: str | None = None, subject: str | None = None) -> str:
        """Keep a text; its handle, which is the same for the same text at any time.

        Raises:
            ContentStoreError: the text cannot be written; `ContentTooLargeError` where it is
                larger than the store.
        """
        ...

    def get(self, handle: str) -> StoredContent | None:
        """The text of a handle; `None` where it is not kept (any more).

        Raises:
            ContentStoreError: the store cannot be read.
        """
        ...

    def delete(self, handle: str) -> bool:
        """Forget a text; whether it was kept.

        Raises:
            ContentStoreError: the store cannot be written.
        """
        ...

    def clear(self) -> None:
        """Forget everything.

        Raises:
            ContentStoreError: the store cannot be written.
        """
        ...

    def expire(self, older_than: timedelta) -> int:
        """Forget what was neither put nor got for longer than this; how many texts that were.

        Raises:
            ContentStoreError: the store cannot be written.
        """
        ...


def encoded(text: str) -> bytes:
    """A text's bytes; halves of surrogate pairs, which tools do return, survive."""
    return text.encode("utf-8", "surrogatepass")


def decoded(data: bytes) -> str:
    """The text of `encoded`."""
    return data.decode("utf-8", "surrogatepass")


def handles_of(data: bytes) -> Iterator[str]:
    """The handles that a text may have, the shortest first: its own is the first that no other
    text has."""
    digest = hashlib.sha256(data).hexdigest()
    return (f"c-{digest[:digits]}" for digits in _DIGITS)


def handle_in(text: str) -> str | None:
    """The first handle in a text: models write `handle=c-...` and quotes."""
    found = _HANDLE.search(text)
    return found[0] if found else None


def check_size(data: bytes, max_bytes: int) -> None:
    """Refuse what has no room at all.

    Raises:
        ContentTooLargeError: it is larger than the whole store.
    """
    if len(data) > max_bytes:
        raise ContentTooLargeError(
            f"A text of {len(data)} bytes does not fit into a content store of {max_bytes} bytes."
            " Give the store a larger max_bytes, or keep the text in the conversation."
        )


def check_max_bytes(max_bytes: int) -> int:
    """A size that a store can have.

    Raises:
        ContentStoreError: it is none.
    """
    if max_bytes < 1:
        raise ContentStoreError(
            f"A content store of {max_bytes} bytes holds nothing. Give max_bytes a positive"
            " number, or use no store."
        )
    return max_bytes
