"""What attribution takes, and what it gives. Times are milliseconds since 1970 UTC."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from token_tracking.efficiency.baselines import Basis
from token_tracking.errors import TokenTrackingError
from token_tracking.pricing import Rates, usd
from token_tracking.shares import Facts, ShareLabel, ShareSums
from token_tracking.usage import Usage

MAIN: Final = ""
"""The main chain (`loads.chain_of`)."""

SUBAGENT: Final = "subagent"
"""The agent of a chain that no line names the type of."""


class NotAttributableError(TokenTrackingError):
    """A session's prompts cannot be shared among items; the text says why."""


class Message(Struct, frozen=True, kw_only=True, gc=False):
    """A message of a session's chain: a request, and its answer.

    `parent` is the message before it in its chain (`loads.chain_of`). `usage` has a prompt of 0
    for what was no request. `is_own` says that the session owns it; the others are inherited, and
    tell what stood in the prompts of its own. `visible_bytes` are those of the answer's text and
    tool calls. `rates` are those of its date and terms, `None` where no price is known.
    `is_linked` says that its source names parents: without one, it opens a conversation.
    """

    key: str
    at: int
    usage: Usage
    parent: str | None = None
    chain: str = ""
    model: str | None = None
    rates: Rates | None = None
    is_final: bool = True
    is_own: bool = True
    is_linked: bool = True
    visible_bytes: int = 0
    thinking_bytes: int = 0


class Entry(Struct, frozen=True, kw_only=True, gc=False):
    """Something that entered a chain's context after the message `after`, or that opened it.

    `bytes` is `None` for a call whose result never came. `call` is the message that called for a
    result. `at` and `chain` are known of what is no result; `chain` is `None` where it is not.
    `servers` are the MCP servers that an attachment tells of.
    """

    key: str
    kind: str
    name: str | None = None
    server: str | None = None
    uri: str | None = None
    bytes: int | None = None
    after: str | None = None
    call: str | None = None
    position: int = 0
    at: int | None = None
    chain: str | None = None
    servers: tuple[str, ...] = ()


class Removal(Struct, frozen=True, kw_only=True, gc=False):
    """Where the client removed something: everything but `kept`, or the entries in `removed`
    alone, by their keys. `kept_lines` is how many lines of the transcript it says it kept."""

    after: str | None
    position: int = 0
    removed: frozenset[str] | None = None
    kept: frozenset[str] = frozenset()
    kept_lines: int = 0


class Conversation(Struct, frozen=True, kw_only=True):
    """A session, as the ledger tells of it: its own messages, those it inherited, and what
    entered. `agents` are the types of subagents, by their chains, where they are known."""

    messages: Sequence[Message]
    entries: Sequence[Entry] = ()
    removals: Sequence[Removal] = ()
    agents: Mapping[str, str] = MappingProxyType({})

    def agent_of(self, chain: str) -> str:
        """Whose chain it is: the type of the subagent, '' for the main one."""
        return "" if chain == MAIN else self.agents.get(chain, SUBAGENT)


class ItemShare(Struct, frozen=True, kw_only=True, gc=False):
    """What one item cost the session's own requests.

    `agent` is the subagent in whose chain it stood, '' for the main chain. `entered_at` and
    `entered_with` are the time and the key of the first own request that carried it, in the order
    of the chain; `None` where none did. `tokens` is the item's own size at its largest, `None`
    where no request ever carried it. `prompt_tokens` and `cost_pico` (pico-USD) are over all
    `requests` that carried it; the cost is `None` where none of them has a price, and so are
    `no_cache_pico`, what the same tokens would have cost at the input rate of each request, and
    `first_pico`, the part of the cost that fell on the first request: 0 for what `is_inherited`,
    which another session loaded and a fork carries from its beginning. `basis` is `measured` where
    billed counts alone give the size, and `estimated` where a billed growth was shared by bytes.
    """

    id: str
    kind: str
    name: str | None
    server: str | None
    uri: str | None
    tokens: int | None
    requests: int
    prompt_tokens: int
    cost_pico: int | None
    basis: Basis
    agent: str = ""
    entered_at: int | None = None
    entered_with: str | None = None
    no_cache_pico: int | None = None
    first_pico: int | None = None
    is_inherited: bool = False

    @property
    def prompt_cost_usd(self) -> Decimal | None:
        """USD, exact; `None` where no price is known."""
        return None if self.cost_pico is None else usd(self.cost_pico)


class Findings(Struct, frozen=True, kw_only=True):
    """What was odd about a session's own requests.

    `unseen_write_tokens` were read from the cache beyond all that any known request wrote: a call
    that stands in no line wrote them. `shrunk` requests have a smaller prompt than the one before
    them; `shrunk_unsaid` of them with no line that says why. `unlisted_tokens` entered, in
    `unlisted` requests, with no line that shows them. `cycles` are messages that hang on
    themselves: each was taken for the start of a conversation. `unpriced` requests have no price.
    """

    requests: int = 0
    unpriced: int = 0
    unseen_writes: int = 0
    unseen_write_tokens: int = 0
    shrunk: int = 0
    shrunk_unsaid: int = 0
    unlisted: int = 0
    unlisted_tokens: int = 0
    cycles: int = 0


class Attribution(Struct, frozen=True, kw_only=True):
    """A session's prompt tokens and their cost, item by item.

    `prompt_tokens` is the sum over the items, exactly, and `prompt_pico` (pico-USD) that of their
    costs: of the requests that have a price, and `None` where there are requests and none has.

    `sums` are the items' by quarter of an hour (`shares.quarter_of` the time of each request) and
    label: over all quarters, they add up to the items exactly. `facts` are those of caching, by
    quarter of an hour: `requests`, `hit_requests`, and what was written unread, lapsed, switched
    and unseen.

    `implied_outputs` are the tokens that answers without a final count took of the billed growth
    of the request after them, by the key of the message: of answers that entered as the only one
    of their kind, in a prompt from which nothing was removed. What entered beside one, such as the
    result of its call, took its estimated size of the growth.
    """

    prompt_tokens: int
    prompt_pico: int | None
    items: list[ItemShare]
    findings: Findings
    sums: dict[tuple[int, ShareLabel], ShareSums] = {}
    facts: dict[int, Facts] = {}
    implied_outputs: dict[str, int] = {}

    @property
    def prompt_cost_usd(self) -> Decimal | None:
        """USD, exact; `None` where no price is known."""
        return None if self.prompt_pico is None else usd(self.prompt_pico)
