"""What is passed on: byte for byte, as if nobody stood between."""

from token_tracking_server.gateway.passing.asking import form_of
from token_tracking_server.gateway.passing.passing import OWN_HEADER, Passing, respond

__all__ = ["OWN_HEADER", "Passing", "form_of", "respond"]
