"""Addresses of skills and their files: `skill://PATH/OF/THE/SKILL/SKILL.md`."""

from typing import Final
from urllib.parse import quote, unquote

SCHEME: Final = "skill://"

_PLAIN: Final = "-._~!$&'()*+,;="
"""What stands in a host's name and in a path's segment as it is (RFC 3986): the first folder takes
the place of the host."""


def is_skill(uri: str) -> bool:
    """Whether a URI is one of a skill's, or of a file or folder of one."""
    return uri.startswith(SCHEME)


def uri_of(path: str) -> str:
    """The URI of a file or folder, by its path below the library with `/`."""
    return SCHEME + "/".join(quote(part, safe=_PLAIN) for part in path.split("/"))


def same_uri(uri: str) -> str:
    """A URI as `uri_of` writes it, for one that was written in another way (`a b` for `a%20b`).
    What is no path of a skill stays what it is: it is then the URI of nothing."""
    path = uri.removeprefix(SCHEME)
    parts = path.split("/")
    decoded = [unquote(part, errors="strict") if _is_text(part) else "" for part in parts]
    hidden = any("/" in part or "\\" in part or "\0" in part for part in decoded)
    if path == uri or hidden or any(part in {"", ".", ".."} for part in decoded):
        return uri
    return uri_of("/".join(decoded))


def _is_text(part: str) -> bool:
    try:
        unquote(part, errors="strict").encode()
    except UnicodeError:
        return False
    return True
