"""OpenAI's form tells a stream's usage only to who asks for it: the gateway asks, and hides it
again from callers who did not."""

from msgspec.structs import replace

from token_tracking.sources.replies import (
    REFUSALS,
    UsageHider,
    ask_for_usage,
    refuses_usage,
)
from token_tracking_server.gateway.exchanges.values import Ask
from token_tracking_server.gateway.upstreams.client import ReadResponse, Response


class UsageOption:
    """Asks for usage, but of upstreams that refused to be asked."""

    def __init__(self) -> None:
        self._refusing: set[str] = set()

    def asking(self, ask: Ask) -> Ask | None:
        """The request with the option; `None` where there is nothing to ask for."""
        is_for_it = ask.is_stream and ask.form == "openai" and ask.path.endswith("/completions")
        if not is_for_it or ask.upstream.name in self._refusing:
            return None
        body = ask_for_usage(ask.body)
        if body is None:
            return None
        # What is compressed could not have the usage taken out of it again.
        headers = [header for header in ask.headers if header[0] != b"accept-encoding"]
        return replace(ask, body=body, headers=[*headers, (b"accept-encoding", b"identity")])

    def was_refused(self, ask: Ask, status: int, body: bytes) -> bool:
        """Whether an error is about the option. Its upstream is not asked again."""
        if not refuses_usage(status, body):
            return False
        self._refusing.add(ask.upstream.name)
        return True

    def may_refuse(self, response: Response) -> bool:
        """Whether a response may be about the option: its body decides."""
        return response.status in REFUSALS


def hider_for(response: Response | ReadResponse) -> UsageHider | None:
    """What takes the usage out of such a response, where it can."""
    headers = dict(response.headers)
    is_stream = headers.get(b"content-type", b"").lower().startswith(b"text/event-stream")
    is_plain = headers.get(b"content-encoding", b"identity").lower() == b"identity"
    return UsageHider() if response.status == 200 and is_stream and is_plain else None
