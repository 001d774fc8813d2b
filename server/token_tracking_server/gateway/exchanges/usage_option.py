"""OpenAI's form tells a stream's usage only to who asks for it: the gateway asks, and hides it
again from callers who did not."""

from msgspec.structs import replace

from token_tracking.sources.replies import (
    REFUSALS,
    Refusals,
    UsageHider,
    ask_for_usage,
    plain_path,
)
from token_tracking_server.gateway.exchanges.values import Ask
from token_tracking_server.gateway.upstreams.client import ReadResponse, Response


class UsageOption:
    """Asks for usage, but of upstreams that refused to be asked."""

    def __init__(self) -> None:
        self._refusals = Refusals()

    def asking(self, ask: Ask) -> Ask | None:
        """The request with the option; `None` where there is nothing to ask for."""
        is_for_it = ask.is_stream and ask.form == "openai"
        if not is_for_it or not plain_path(ask.path).endswith("/completions"):
            return None
        if self._refusals.holds(ask.upstream.name, ask.model):
            return None
        body = ask_for_usage(ask.body)
        if body is None:
            return None
        # What is compressed could not have the usage taken out of it again.
        headers = [header for header in ask.headers if header[0] != b"accept-encoding"]
        return replace(ask, body=body, headers=[*headers, (b"accept-encoding", b"identity")])

    def went_without(self, ask: Ask, status: int) -> None:
        """The request was refused with the option, and answered so without it."""
        self._refusals.learn(ask.upstream.name, ask.model, status)

    def may_refuse(self, response: Response) -> bool:
        """Whether a response may be about the option: its body decides."""
        return response.status in REFUSALS


def hider_for(response: Response | ReadResponse) -> UsageHider | None:
    """What takes the usage out of such a response, where it can."""
    headers = dict(response.headers)
    is_stream = headers.get(b"content-type", b"").lower().startswith(b"text/event-stream")
    is_plain = headers.get(b"content-encoding", b"identity").lower() == b"identity"
    return UsageHider() if response.status == 200 and is_stream and is_plain else None
