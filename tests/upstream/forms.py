"""What the application asks of each form of API that it serves."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from starlette.responses import Response

from tests.upstream.errors import Refusal
from tests.upstream.received import Received
from tests.upstream.scripts import Script
from tests.upstream.values import Json

Handle = Callable[[Received], Response]


class Form(Protocol):
    """One form of API: its endpoints, who may ask, and what each of its answers tells."""

    @property
    def routes(self) -> Mapping[tuple[str, str], Handle]:
        """The handlers by method and path."""
        ...

    def check_sender(self, received: Received, keys: set[str] | None) -> None:
        """Check the key. Raises `Refusal`."""
        ...

    def refused(self, received: Received, refusal: Refusal) -> tuple[int, Any]:
        """Status and body of a refusal."""
        ...

    def headers(self, received: Received) -> Mapping[str, str]:
        """What every answer tells."""
        ...

    def list_models(self, received: Received) -> Json:
        """`GET /v1/models`."""
        ...

    def model(self, received: Received) -> Json:
        """`GET /v1/models/NAME`. Raises `Refusal` (404)."""
        ...


class State:
    """What a test sets and the forms read."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.compresses = False
