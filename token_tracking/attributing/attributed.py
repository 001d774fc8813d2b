"""One session, attributed: its items and sums, its facts and its findings."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from token_tracking.attributing.conversation import RateBook, conversation
from token_tracking.attributing.shares import session_shares
from token_tracking.efficiency import ScaleOf
from token_tracking.efficiency.advice import find_waste
from token_tracking.efficiency.attribution import (
    Attribution,
    Conversation,
    NotAttributableError,
    attribute,
)
from token_tracking.efficiency.context import requests
from token_tracking.efficiency.partial import partial_estimates, partial_facts
from token_tracking.efficiency.reconcile import client_facts
from token_tracking.efficiency.session import Prices, RequestBaseline, no_jit_requests
from token_tracking.loads import SessionLoad
from token_tracking.reading import ClientTotal
from token_tracking.shares import Facts, SessionShares, quarter_of
from token_tracking.store import SessionChains, SessionData, Sums


class Book(RateBook, Prices, Protocol):
    """What messages cost, and at which rates: `pricing.PriceBook` is one."""


class Source(Struct, frozen=True, kw_only=True):
    """All that the attribution of a session rests on. `data` is given where it has `loads`,
    `models` (its own sums, by model) where the client told totals."""

    chains: SessionChains
    data: SessionData | None = None
    loads: Sequence[SessionLoad] = ()
    models: Mapping[str, Sums] = {}
    client_totals: Sequence[ClientTotal] = ()


def attributed(source: Source, prices: Book, scale_of: ScaleOf) -> SessionShares:
    """What the ledger keeps of a session; its `problem` where it cannot be attributed."""
    name = source.chains.session_id
    given = conversation(source.chains, prices)
    try:
        found = attribute(given, scale_of)
    except NotAttributableError as error:
        return SessionShares(session_id=name, problem=str(error))
    ids = {item.id for item in found.items}
    if len(ids) < len(found.items):
        twice = Counter(item.id for item in found.items).most_common(1)[0][0]
        return SessionShares(session_id=name, problem=f"Two items have the id {twice}.")
    shares = session_shares(name, found, find_waste(given, found))
    facts = dict(shares.facts)
    for more in _more_facts(source, given, found, prices, scale_of):
        for quarter, each in more.items():
            facts[quarter] = facts.get(quarter, Facts()) + each
    return replace(shares, facts=facts)


def _more_facts(
    source: Source, given: Conversation, found: Attribution, prices: Book, scale_of: ScaleOf
) -> Iterator[Mapping[int, Facts]]:
    estimates = partial_estimates(given, found, scale_of)
    yield partial_facts(estimates)
    if source.client_totals and given.messages:
        end = max(message.at for message in given.messages)
        told = client_facts(source.models, source.client_totals, given, found, estimates)
        yield {quarter_of(end): told}
    if source.data is not None:
        yield _jit_facts(source.data, source.loads, prices, scale_of)


def _jit_facts(
    data: SessionData, loads: Sequence[SessionLoad], prices: Prices, scale_of: ScaleOf
) -> dict[int, Facts]:
    """What just-in-time loading saved, by the quarter of an hour of each request; nothing where no
    load tells how large the library is."""
    sent = requests(data.messages)
    quarters = {each.message_id: quarter_of(each.timestamp) for each in sent}
    facts: defaultdict[int, Facts] = defaultdict(Facts)
    if any(load.library for load in loads):
        for row in no_jit_requests(sent, loads, prices, scale_of):
            facts[quarters[row.message_id]] += _jit_fact(row)
    return facts


def _jit_fact(row: RequestBaseline) -> Facts:
    is_priced = row.saved_pico is not None
    return Facts(
        jit_requests=1,
        jit_prompt_tokens=row.prompt_tokens,
        jit_baseline_tokens=row.baseline_tokens,
        jit_priced=int(is_priced),
        jit_saved_pico=row.saved_pico or 0,
        jit_cost_pico=(row.cost_pico or 0) if is_priced else 0,
        jit_uncached_saved_pico=(row.uncached_saved_pico or 0) if is_priced else 0,
    )
