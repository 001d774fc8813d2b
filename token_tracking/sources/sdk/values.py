"""Whose calls a client makes."""

from collections.abc import Mapping

from msgspec import Struct


class Caller(Struct, frozen=True, kw_only=True):
    """Who calls with a tracked client: what is recorded with each message, unless a call's own
    headers say otherwise. `metadata` is kept as it is, as JSON."""

    session_id: str | None = None
    user: str | None = None
    agent: str | None = None
    project: str | None = None
    metadata: Mapping[str, object] | None = None
