"""The signature of a thinking block, so that a changed one is noticed."""

import base64
import hashlib


def signature_of(thinking: str) -> str:
    """The signature that this server gives to a text."""
    digest = hashlib.sha256(b"thinking:" + thinking.encode()).digest()
    return base64.b64encode(digest).decode()
