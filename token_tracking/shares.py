"""Who paid for the prompts: the values in which attribution is stored and asked for.

Money is integer pico-USD, times are milliseconds since 1970 UTC, and a quarter is a quarter of an
hour since 1970 UTC. All sums are additive: those of parts of a period make up those of the period.
"""

import re
from operator import add, sub
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import astuple

Metric = Literal["cost", "tokens", "efficiency", "carried"]
METRICS: Final[tuple[Metric, ...]] = ("cost", "tokens", "efficiency", "carried")

QUARTER_MS: Final = 15 * 60 * 1000

SKILL_STEM: Final = "skill:"
AGENT_STEM: Final = "agent:"
PATH_STEM: Final = "/"
_LIBRARY: Final = "content://"


class ShareLabel(Struct, frozen=True, order=True):
    """What an item is, wherever it was carried: items of one label are one row of a report.

    `kind` is that of the content item (`tool`, `user`, `attachment`, ...), or `base` (system
    prompt, tool definitions, memory files), `answer` (of a model, which is `name`) or `unlisted`
    (what no line shows). `agent` is the subagent in whose chain it stood, '' in the main one.
    """

    kind: str
    name: str | None = None
    server: str | None = None
    uri: str | None = None
    agent: str = ""


class ShareSums(Struct, frozen=True):
    """What some items cost the requests of a period.

    `loads` entered the context in it, with `tokens` together. `carried` counts an item once for
    each request that carried it; `prompt_tokens` and `cost_pico` are over these requests, and
    `no_cache_pico` is what the same would have cost uncached. `first_pico` is the part of the cost
    that fell on the first request of each item: the rest is for carrying it.
    """

    loads: int = 0
    tokens: int = 0
    carried: int = 0
    prompt_tokens: int = 0
    cost_pico: int = 0
    no_cache_pico: int = 0
    first_pico: int = 0

    @property
    def carry_pico(self) -> int:
        """What it cost to send them again."""
        return self.cost_pico - self.first_pico

    def __add__(self, other: "ShareSums") -> "ShareSums":
        return ShareSums(*map(add, astuple(self), astuple(other)))

    def __sub__(self, other: "ShareSums") -> "ShareSums":
        return ShareSums(*map(sub, astuple(self), astuple(other)))


SHARE_FIELDS: Final = ShareSums.__struct_fields__


class ItemRecord(Struct, frozen=True, kw_only=True):
    """One item of a session, from the moment it entered to the end.

    `id` is the item's (`base`, `toolu_...`, a message's key for an answer). `entered_at` is the
    time of the first own request that carried it, `entered_with` that request's message; both are
    `None` where none did. `tokens` is its size at its largest; `cost_pico` is `None` where no
    request that carried it has a price.
    """

    id: str
    label: ShareLabel
    entered_at: int | None
    entered_with: str | None
    tokens: int | None
    requests: int
    prompt_tokens: int
    cost_pico: int | None
    no_cache_pico: int | None
    first_pico: int | None
    is_measured: bool


class Facts(Struct, frozen=True):
    """What was remarkable about the requests of a session in a quarter of an hour, or about any
    number of them: sums.

    Caching: `hit_requests` of the `requests` read something from the cache. `unread_write_tokens`
    were written and never read again by the same session (others may have), at a premium over plain
    input of `unread_write_pico`. A
    `lapse` is a request that had to write again what an earlier one had in the cache, since too
    much time went by: `lapse_tokens` in all, for `lapse_pico` more than reading them. `switches`
    are the same for a change of model. `unseen_write_tokens` were read although no known request
    wrote them: a call that stands in no line did, at a premium of `unseen_write_pico`.

    Output: of `partial_messages` the ledger has a lower bound, and they are estimated to have
    `partial_tokens` more, for `partial_pico`; others have no estimate.

    Just-in-time loading, of the `jit_requests` of sessions that loaded from a library: what their
    prompts held, what they would have held with the whole library upfront, and what that saved.
    Money is that of the `jit_priced` of them: what they cost (`jit_cost_pico`), what was saved
    as each was really billed (`jit_saved_pico`), and what would have been had the same tokens been
    plain input, uncached (`jit_uncached_saved_pico`).

    Reconciliation, at the end of each of the `client_sessions` that told a total of their own:
    that total, what the ledger has of these sessions, and what of the difference is explained by
    partial output (`client_partial_pico`) and by unseen calls (`client_unseen_pico`).
    """

    requests: int = 0
    hit_requests: int = 0
    unread_write_tokens: int = 0
    unread_write_pico: int = 0
    lapses: int = 0
    lapse_tokens: int = 0
    lapse_pico: int = 0
    switches: int = 0
    switch_tokens: int = 0
    switch_pico: int = 0
    unseen_writes: int = 0
    unseen_write_tokens: int = 0
    unseen_write_pico: int = 0
    partial_messages: int = 0
    partial_tokens: int = 0
    partial_pico: int = 0
    jit_requests: int = 0
    jit_prompt_tokens: int = 0
    jit_baseline_tokens: int = 0
    jit_priced: int = 0
    jit_saved_pico: int = 0
    client_sessions: int = 0
    client_pico: int = 0
    client_ledger_pico: int = 0
    client_partial_pico: int = 0
    client_unseen_pico: int = 0
    jit_cost_pico: int = 0
    jit_uncached_saved_pico: int = 0

    def __add__(self, other: "Facts") -> "Facts":
        return Facts(*map(add, astuple(self), astuple(other)))

    def __sub__(self, other: "Facts") -> "Facts":
        return Facts(*map(sub, astuple(self), astuple(other)))


FACT_FIELDS: Final = Facts.__struct_fields__


class Finding(Struct, frozen=True, kw_only=True):
    """Money that one session spent and need not have, as far as can be told.

    `kind` is one of `advice.KINDS`; `subject` is what it is about (a server, a path, a model), and
    findings of one kind and subject are one piece of advice over a period. `at` is when. `pico` is
    the money at stake, `tokens` the prompt tokens, `count` how often. `is_measured` says that
    billed counts alone tell the money. `item` is the id of the item it is about, if it is about
    one. Of some kinds (`advice.SIGNED`) `pico` may be negative: in that session it would not have
    paid, and their sum says whether it does over a period.
    """

    kind: str
    subject: str
    at: int
    pico: int
    tokens: int = 0
    count: int = 1
    is_measured: bool = False
    item: str | None = None


class SessionShares(Struct, frozen=True, kw_only=True):
    """A session as attribution leaves it in the store: its items, its sums by label and quarter,
    its facts by quarter, its findings; or why it cannot be attributed (`problem`), with nothing
    else. `prompt_pico` is `None` where there are requests and none has a price."""

    session_id: str
    prompt_tokens: int = 0
    prompt_pico: int | None = 0
    items: tuple[ItemRecord, ...] = ()
    sums: dict[tuple[int, ShareLabel], ShareSums] = {}
    facts: dict[int, Facts] = {}
    findings: tuple[Finding, ...] = ()
    details: dict[str, int] = {}
    problem: str | None = None


def uri_stem(uri: str | None) -> str:
    """What a path or URI begins with: `content://CATEGORY` of what was loaded from a library (that
    of its first document), `skill:`, `agent:`, `/` for any other; empty where there is none."""
    if not uri:
        return ""
    if uri.startswith(_LIBRARY):
        return _LIBRARY + re.split(r"[/ #]", uri.removeprefix(_LIBRARY), maxsplit=1)[0]
    return next((stem for stem in (SKILL_STEM, AGENT_STEM) if uri.startswith(stem)), PATH_STEM)


def quarter_of(at: int) -> int:
    """The quarter of an hour that a moment falls into."""
    return at // QUARTER_MS
