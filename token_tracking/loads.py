"""Just-in-time content as the ledger keeps it: which documents entered a session, and how large
the library was that they come from. Names and sizes, never text.

Times are milliseconds since 1970 UTC. Tokens are as `method` counts them, not as billed.
"""

from typing import Final, Literal, get_args

from msgspec import Struct

from token_tracking.errors import InvalidUsageError
from token_tracking.usage import MAX_COUNT, MAX_TIMESTAMP

LoadKind = Literal["load", "search", "notice"]
"""`load` brings content; `search` shows an index of it, and `notice` says why nothing came (it is
held already, does not fit, or is not there): those two are overhead."""

LoadOrigin = Literal["server", "transcript", "both", "metadata"]
"""Who told of a load: the server that answered, the transcript of the session, both, or the
metadata of a tracked message."""

MAX_DOCUMENTS: Final = 10_000
"""No message loads more: a larger number is a fault of who tells it."""

GLOBAL_CALLS: Final = "toolu_"
"""What the ids of calls begin with that Anthropic gave."""

_KINDS: Final = get_args(LoadKind)
_MAX_LIBRARY: Final = 10**12
_LONGEST: Final = 8_192


class Load(Struct, frozen=True, kw_only=True):
    """One document or section that a server gave to a session, or one index that it showed.

    `tokens` are those of the content alone, `overhead_tokens` those of the rest of the answer.
    `tool_use_id` is the id of the call, where the host passed one. `answer` is an id that the
    server gives each of its answers, the same for all that one of them brought: it tells apart two
    calls of one moment. Without either, a load is known by its session, time and URI.

    Raises:
        InvalidUsageError: a field has a wrong type, is negative, or larger than any answer.
    """

    session_id: str
    at: int
    uri: str
    category: str
    tokens: int
    overhead_tokens: int = 0
    method: str = "o200k_base"
    tool_use_id: str | None = None
    kind: LoadKind = "load"
    answer: str = ""

    def __post_init__(self) -> None:
        _check_texts(self, ("session_id", "uri", "category", "method", "answer"))
        if self.tool_use_id is not None:
            _check_texts(self, ("tool_use_id",))
        if not self.uri:
            raise InvalidUsageError("uri is empty: name what was loaded.")
        if self.kind not in _KINDS:
            raise InvalidUsageError(f"kind is {self.kind!r}: it must be load, search or notice.")
        _check_counts(
            self, {"at": MAX_TIMESTAMP, "tokens": MAX_COUNT, "overhead_tokens": MAX_COUNT}
        )


class LibrarySize(Struct, frozen=True, kw_only=True):
    """How large a library was: its documents, their tokens, and the tokens of the definitions of
    the tools that load it, which every request carries.

    `fingerprint` is of its content: it tells one state of a library from another.

    Raises:
        InvalidUsageError: a field has a wrong type, is negative, or absurdly large.
    """

    fingerprint: str
    documents: int
    tokens: int
    overhead_tokens: int
    method: str

    def __post_init__(self) -> None:
        _check_texts(self, ("fingerprint", "method"))
        most = {"documents": _MAX_LIBRARY, "tokens": _MAX_LIBRARY, "overhead_tokens": MAX_COUNT}
        _check_counts(self, most)

    @property
    def mean_tokens(self) -> int | None:
        """The mean size of a document; `None` where there is none."""
        return round(self.tokens / self.documents) if self.documents else None


class SessionLoad(Struct, frozen=True, kw_only=True):
    """A load of a session, as all that is known of it says.

    `uri` holds several with spaces between them where only a transcript shows the call.
    `tokens` is `None` where nothing tells how large it was. It stands in the chain of one agent
    (`chain`, '' for the main one): in the requests from `entered_at` on, and before `left_at`,
    when a compaction removed it. `library` is what it came from, as far as that is known.
    `is_inherited` says that a fork has it from the session that it was forked from.
    """

    session_id: str
    at: int
    kind: LoadKind
    uri: str
    category: str | None
    tokens: int | None
    overhead_tokens: int
    method: str
    origin: LoadOrigin
    entered_at: int
    documents: int = 1
    tool_use_id: str | None = None
    message: str | None = None
    chain: str = ""
    left_at: int | None = None
    library: LibrarySize | None = None
    is_inherited: bool = False


def is_global(tool_use_id: str) -> bool:
    """Whether the id of a call is the same call everywhere: Anthropic's are. Gateways reuse
    theirs, so that those mean a call within one session only."""
    return tool_use_id.startswith(GLOBAL_CALLS)


def chain_of(agent_id: str | None, *, is_sidechain: bool) -> str:
    """Which chain of requests a message stands in: that of its agent, '' for the main one."""
    return agent_id or ("sidechain" if is_sidechain else "")


def _check_texts(record: Struct, names: tuple[str, ...]) -> None:
    for name in names:
        value: object = getattr(record, name)
        if not isinstance(value, str):
            raise InvalidUsageError(f"{name} is {value!r}: it must be a text.")
        if len(value) > _LONGEST or "\x00" in value:
            raise InvalidUsageError(
                f"{name} is no name: it has {len(value):,} characters, or a NUL."
            )
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise InvalidUsageError(f"{name} is {value!r}: it cannot be encoded.") from error


def _check_counts(record: Struct, most: dict[str, int]) -> None:
    for name, limit in most.items():
        value = getattr(record, name)
        if type(value) is not int or not 0 <= value <= limit:
            raise InvalidUsageError(
                f"{name} is {value!r}: it must be a whole number from 0 to {limit:,}."
            )
