"""Addresses of content: `content://{category}/{id}#{section}`."""

from typing import Final, NamedTuple
from urllib.parse import quote, unquote_to_bytes

from token_tracking_server.content.errors import BadContentUriError

SCHEME: Final = "content://"
_FORM: Final = "content://CATEGORY/ID, or content://CATEGORY/ID#SECTION; search_content finds them"
_LONGEST: Final = 4_096


class Address(NamedTuple):
    """What a URI names: '' for the parts that it leaves out."""

    category: str
    document_id: str = ""
    anchor: str = ""

    @property
    def uri(self) -> str:
        """As a URI: what is no plain character is percent-encoded."""
        text = SCHEME + quote(self.category, safe="")
        if self.document_id:
            text += "/" + quote(self.document_id, safe="/")
        return f"{text}#{quote(self.anchor, safe='')}" if self.anchor else text


def parse_uri(text: str) -> Address:
    """The address that a URI names: a category, a document or a section. `.md` may end the id.

    Raises:
        BadContentUriError: it is none of these.
    """
    shown = text if len(text) <= 200 else text[:200] + "…"
    if len(text) > _LONGEST or not text[: len(SCHEME)].lower() == SCHEME:
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
