"""Callers' and upstreams' keys. Only fingerprints of them are kept or told."""

from hashlib import blake2s

from token_tracking.sources.replies.values import Form
from token_tracking_server.gateway.exchanges.values import Headers

_KEY_HEADERS = (b"x-api-key", b"x-goog-api-key", b"api-key")
_BEARER = b"bearer "
_MAKERS = (
    (b"sk-ant-", "anthropic"),
    (b"sk-", "openai"),
    (b"gsk_", "groq"),
    (b"AIza", "gemini"),
)
"""How providers' keys begin, and the presets they belong to; the first that fits."""

KEY_MAKERS = frozenset(name for _, name in _MAKERS)
"""The presets whose keys have looks of their own."""


def fingerprint(key: bytes) -> str:
    """12 hexadecimal digits that tell keys apart, and tell nothing of them (blake2s)."""
    return blake2s(key, digest_size=6).hexdigest()


def key_of(headers: Headers) -> bytes | None:
    """The provider's key that a request carries."""
    for name, value in headers:
        if name == b"authorization" and value[:7].lower() == _BEARER:
            return value[7:].strip()
        if name in _KEY_HEADERS:
            return value
    return None


def maker_of(key: bytes) -> str | None:
    """The preset that a key belongs to by its looks; `None` where it has none."""
    return next((name for begin, name in _MAKERS if key.startswith(begin)), None)


def without_keys(headers: Headers) -> Headers:
    """The headers but for keys."""
    return [header for header in headers if header[0] not in {b"authorization", *_KEY_HEADERS}]


def with_key(headers: Headers, form: Form, key: str) -> Headers:
    """The headers with this key in place of any other, as the form's API takes it."""
    given = key.encode()
    header = (
        (b"x-api-key", given) if form == "anthropic" else (b"authorization", b"Bearer " + given)
    )
    return [*without_keys(headers), header]
