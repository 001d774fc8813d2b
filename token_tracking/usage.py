"""Frozen values: what a provider billed (`Usage`), one appearance of it (`UsageEvent`), and what
entered the context (`ContentItem`). A row of the ledger is `store.TokenUsage`.

Times are integers: milliseconds since 1970-01-01 UTC. Counts are tokens unless the name says
otherwise.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal, Self, cast

from msgspec import Struct

from token_tracking.errors import InvalidUsageError

MAX_COUNT: Final = 2 * 10**7
"""No request comes near twenty million tokens: a larger count is a fault of the source. It also
keeps sums of money in 64 bits of pico-dollars, up to 9 million USD."""

MAX_SEARCHES: Final = 10**4
"""The same for web searches and fetches, each of which costs as much as many tokens."""

MAX_TIMESTAMP: Final = 32_503_680_000_000
"""The year 3000, in milliseconds since 1970."""

SYNTHETIC_MODEL: Final = "<synthetic>"
"""What Claude Code writes as the model of a message that no model wrote: it costs nothing."""

OutputQuality = Literal["final", "partial"]


def valid_count(value: object) -> bool:
    """Whether `value` is a count that one message can have: an int (no bool) to `MAX_COUNT`."""
    return type(value) is int and 0 <= value <= MAX_COUNT


class Usage(Struct, frozen=True, kw_only=True, gc=False):
    """The counts that the provider billed for one message.

    `input_tokens` is the uncached part of the prompt, as Anthropic reports it. Usages add up;
    a sum may pass `MAX_COUNT`.

    Raises:
        InvalidUsageError: a count is negative or not an integer.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    web_search_requests: int = 0
    web_fetch_requests: int = 0

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value: object = getattr(self, name)
            if type(value) is not int or value < 0:
                raise InvalidUsageError(f"{name} is {value!r}: it must be a whole number from 0.")

    @property
    def cache_write_tokens(self) -> int:
        """Tokens written to the cache, of both lifetimes."""
        return self.cache_write_5m_tokens + self.cache_write_1h_tokens

    @property
    def prompt_tokens(self) -> int:
        """Everything that was sent: uncached input, cache reads and cache writes."""
        return self.input_tokens + self.cache_read_tokens + self.cache_write_tokens

    @property
    def total_tokens(self) -> int:
        """Prompt and output together."""
        return self.prompt_tokens + self.output_tokens

    def check_size(self) -> None:
        """Refuse what no single request can be.

        Raises:
            InvalidUsageError: more than `MAX_COUNT` tokens of one kind (of cache writes, of both
                lifetimes together) or `MAX_SEARCHES` searches or fetches.
        """
        tokens = max(
            self.input_tokens, self.output_tokens, self.cache_read_tokens, self.cache_write_tokens
        )
        searches = max(self.web_search_requests, self.web_fetch_requests)
        if tokens > MAX_COUNT or searches > MAX_SEARCHES:
            raise InvalidUsageError(
                f"{tokens:,} tokens of one kind, {searches:,} searches: no single request is that"
                " large."
            )

    def __add__(self, other: Self) -> Self:
        return type(self)(
            **{name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__}
        )

    @classmethod
    def from_anthropic(cls, usage: object) -> Self:
        """Read the `usage` of an Anthropic response: its object (pydantic) or its dict.

        `input_tokens` and `output_tokens` must be there; other counts are 0 when absent or null.
        Cache writes whose lifetime is not broken down count as five-minute writes.

        Raises:
            InvalidUsageError: it is not a usage, or a count is not valid.
        """
        dump = getattr(usage, "model_dump", None)
        raw: object = dump() if callable(dump) else usage
        if not isinstance(raw, Mapping):
            raise InvalidUsageError(
                f"usage is {type(usage).__name__}: pass the usage of a response, as an object or"
                " a dict with input_tokens and output_tokens."
            )
        return cls._from_mapping(cast("Mapping[str, Any]", raw))

    @classmethod
    def _from_mapping(cls, raw: Mapping[str, Any]) -> Self:
        for name in ("input_tokens", "output_tokens"):
            if raw.get(name) is None:
                raise InvalidUsageError(f"usage has no {name}.")
        tools = _part(raw, "server_tool_use")
        split = _part(raw, "cache_creation")
        five_minutes, one_hour = split_cache_writes(
            _count(raw, "cache_creation_input_tokens"),
            _count(split, "ephemeral_5m_input_tokens"),
            _count(split, "ephemeral_1h_input_tokens"),
        )
        return cls(
            input_tokens=_count(raw, "input_tokens"),
            output_tokens=_count(raw, "output_tokens"),
            cache_read_tokens=_count(raw, "cache_read_input_tokens"),
            cache_write_5m_tokens=five_minutes,
            cache_write_1h_tokens=one_hour,
            web_search_requests=_count(tools, "web_search_requests"),
            web_fetch_requests=_count(tools, "web_fetch_requests"),
        )


def message_key(
    message_id: str, session_id: str | None, request_id: str | None, timestamp: int
) -> str:
    """The identity of a message.

    An id that starts with `msg_` is global. Gateways reuse other ids, so those are scoped:
    (session, id, request id or else timestamp in milliseconds).
    """
    if message_id.startswith("msg_"):
        return message_id
    scope = (session_id or "", message_id, request_id or str(timestamp))
    return "/".join(part.replace("%", "%25").replace("/", "%2F") for part in scope)


def split_cache_writes(total: int, five_minutes: int, one_hour: int) -> tuple[int, int]:
    """Five-minute and one-hour cache writes, given their sum and a breakdown that may be absent.

    What the sum holds beyond the breakdown was written for five minutes, the default lifetime.
    """
    return max(five_minutes, total - one_hour), one_hour


def _part(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value: object = raw.get(name)
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _count(raw: Mapping[str, Any], name: str) -> int:
    value: object = raw.get(name)
    if value is None:
        return 0
    if not valid_count(value):
        raise InvalidUsageError(
            f"{name} is {value!r}: it must be a whole number from 0 to {MAX_COUNT:,}."
        )
    return cast("int", value)


FAILED: Final = '{"is_error":true}'
"""The `detail` of a tool call whose result was an error."""


class ContentItem(Struct, frozen=True, kw_only=True, gc=False):
    """One thing that entered the context; never its text.

    A tool call and its result are one item: `input_bytes` is what the model wrote, `bytes` what
    came back. Sizes are bytes of UTF-8 text, or of base64 data for an image.

    `message` is the key of the message that holds the block; `after` that of the last message
    before it, for what entered from the user's side; an item that opens a chain has neither.
    `sessions` are those that it stands in, where no message tells: of what is no tool result, and
    of what opens a chain. `position` orders the items of one message.
    """

    key: str
    kind: str
    name: str | None = None
    server: str | None = None
    uri: str | None = None
    bytes: int | None = None
    input_bytes: int | None = None
    message: str | None = None
    after: str | None = None
    position: int | None = None
    detail: str | None = None
    sessions: tuple[str, ...] = ()


def project_session(project: str) -> str:
    """The session of a project's messages that name no session of their own."""
    return f"@{project}"


class Place(Struct, frozen=True, kw_only=True, gc=False):
    """What one session says of a message that stands in it. A fork rewrites all of this.

    `parent` is the key of the message before it in its chain. `cwd` is the working directory, or
    the name that a caller gave the project.
    """

    session_id: str
    timestamp: int
    cwd: str | None = None
    git_branch: str | None = None
    parent: str | None = None

    @property
    def standing(self) -> int:
        """What the session is: 2 for one of a client, 1 for `project_session`, 0 for none."""
        return 2 - self.session_id.startswith("@") if self.session_id else 0


def is_folder(cwd: str) -> bool:
    """Whether this is a working directory, of any system, and not just a project's name."""
    return cwd[:1] in {"/", "\\"} or cwd[1:3] in {":\\", ":/"}


class UsageEvent(Struct, frozen=True, kw_only=True, gc=False):
    """A sighting of a message, or the join of several: as one line of a transcript, one response
    or one call showed it.

    `key` is the message's identity (`message_key`). `timestamp` is milliseconds since 1970 UTC.
    `places` holds at most one place a session, sorted by session. `attribution` and `metadata`
    are JSON objects with sorted keys. `terms_final` says that a final sighting told the terms of
    billing: model, tier, speed and place. `text_bytes` and `thinking_bytes` are the sizes of what
    is visible of the answer, tool calls apart. `extra` is a JSON list of `extra_usage.ExtraUsage`:
    its cost is part of the message's, its tokens are not part of `usage`.

    Raises:
        InvalidUsageError: a count is above `MAX_COUNT`, or the time is out of range.
    """

    key: str
    usage: Usage
    timestamp: int
    source: str
    model: str | None = None
    terms_final: bool = False
    stop_reason: str | None = None
    service_tier: str | None = None
    speed: str | None = None
    inference_geo: str | None = None
    version: str | None = None
    entrypoint: str | None = None
    agent_id: str | None = None
    is_sidechain: bool = False
    attribution: str | None = None
    category: str | None = None
    metadata: str | None = None
    text_bytes: int = 0
    thinking_bytes: int = 0
    extra: str | None = None
    places: tuple[Place, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.timestamp <= MAX_TIMESTAMP:
            raise InvalidUsageError(
                f"timestamp is {self.timestamp}: give milliseconds since 1970, to the year 3000."
            )
        self.usage.check_size()

    @property
    def output_quality(self) -> OutputQuality:
        """`final` once a sighting has a stop reason; until then the output is a lower bound."""
        return "final" if self.stop_reason is not None else "partial"
