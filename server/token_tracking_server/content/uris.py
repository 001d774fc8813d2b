"""Addresses of content: `content://{category}/{id}#{section}`."""

from typing import Final, NamedTuple
from urllib.parse import quote, unquote_to_bytes

from token_tracking_server.content.errors import BadContentUriError

SCHEME: Final = "content://"
_FORM: Final = "content://CATEGORY/ID, or content://CATEGORY/ID#SECTION; search_content finds them"
_LONGEST: Final = 16_384
"""Characters. A path may have 4,096 bytes, of which each takes three where it is encoded."""


class Address(NamedTuple):
    """What a URI names: '' for the parts that it leaves out."""

    category: str
    document_id: str = ""
    anchor: str = ""

    @property
    def uri(self) -> str:
        """As a URI in which letters and digits of every script stay as they are: encoded, each
        would take several tokens. The rest of what is no plain character is percent-encoded."""
        text = SCHEME + encoded(self.category)
        if self.document_id:
            text += "/" + encoded(self.document_id, "/")
        return f"{text}#{encoded(self.anchor, '.')}" if self.anchor else text

    @property
    def ascii_uri(self) -> str:
        """The same in ASCII, as the protocol's own lists have it."""
        return quote(self.uri, safe=":/#%")


def encoded(part: str, safe: str = "") -> str:
    """A part of a URI: what is no letter, digit or mark of those that URIs allow is encoded."""
    if part.isascii():
        return quote(part, safe=safe)
    return "".join(each if each.isalnum() else quote(each, safe=safe) for each in part)


def parse_uri(text: str) -> Address:
    """The address that a URI names: a category, a document or a section. `.md` may end the id,
    and what people put around a URI is passed over.

    Raises:
        BadContentUriError: it is none of these.
    """
    shown = text if len(text) <= 200 else text[:200] + "…"
    if len(text) > _LONGEST:
        raise BadContentUriError(f"A URI of {len(text):,} characters is too long: write {_FORM}.")
    text = text.strip(" \t\r\n<>\"'`").rstrip("/")
    if text.startswith("skill:"):
        raise BadContentUriError(
            f"{shown!r} is for clients that read skills: search_content names the same file as"
            " content://..."
        )
    if text[: len(SCHEME)].lower() != SCHEME and text.lower() != SCHEME.rstrip("/"):
        raise BadContentUriError(f"{shown!r} is no URI of the library: write {_FORM}.")
    path, _, anchor = text[len(SCHEME) :].partition("#")
    category, _, document_id = path.partition("/")
    address = Address(*(_decoded(each, shown) for each in (category, document_id, anchor)))
    if not address.category:
        raise BadContentUriError(f"{shown!r} names no category: write {_FORM}.")
    segments = [address.category, *address.document_id.split("/")]
    if any(each in {".", ".."} or "\\" in each or "\0" in each for each in segments):
        raise BadContentUriError(
            f"{shown!r} is a path, and only documents of the library are read: write {_FORM}."
        )
    return address


def _decoded(part: str, shown: str) -> str:
    try:
        return unquote_to_bytes(part).decode()
    except UnicodeDecodeError as error:
        raise BadContentUriError(
            f"{shown!r} has percent-encoding that is no UTF-8: copy the URI as it was given."
        ) from error
    except UnicodeEncodeError as error:
        raise BadContentUriError(f"{shown!r} has characters that no URI can have.") from error
