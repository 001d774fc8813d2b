"""What the server was sent."""

import json
import threading
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

from tests.upstream.caching import Billed
from tests.upstream.errors import invalid
from tests.upstream.gates import Gate
from tests.upstream.values import Json, objects


@dataclass
class Received:
    """A request as it arrived, and what became of it.

    `headers` have lower-case names. `status` is the answer's; `billed` holds the prompt of each
    step that was sampled (a compaction comes first, the message last), `usage` what was told, of
    the message `message_id`.
    `raw_headers` are the headers in their order, as they were sent. Of a stream, `sent` counts the
    events, and `ended` is set when no more will be: `is_whole` then says whether it was all, or
    the caller went away before.
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    id: str
    status: int = 0
    billed: list[Billed] = field(default_factory=list[Billed])
    usage: Json | None = None
    message_id: str | None = None
    raw_headers: list[tuple[bytes, bytes]] = field(default_factory=list[tuple[bytes, bytes]])
    gates: tuple[Gate, ...] = ()
    sent: int = 0
    is_whole: bool = False
    ended: threading.Event = field(default_factory=threading.Event)

    @cached_property
    def json(self) -> Json:
        """The body. Raises `Refusal` (400) where it is no JSON object."""
        try:
            value = json.loads(self.body)
        except ValueError as error:
            raise invalid(f"The request body is not valid JSON: {error}") from None
        if not isinstance(value, dict):
            raise invalid("Input should be a valid dictionary")
        return cast("Json", value)

    @property
    def messages(self) -> list[Json]:
        """The messages of the body, as they were sent."""
        return objects(self.json.get("messages"))

    @property
    def betas(self) -> set[str]:
        """The betas that its header names."""
        return {name.strip() for name in self.headers.get("anthropic-beta", "").split(",")} - {""}
