"""A session as the ledger keeps it, request by request, with what entered when."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from token_tracking.efficiency.advice import advise, summed
from token_tracking.efficiency.context import requests
from token_tracking.efficiency.groups import item_row, ranked
from token_tracking.efficiency.overall import partial_output
from token_tracking.efficiency.reconcile import reconciled, reconciled_session
from token_tracking.efficiency.session import Prices
from token_tracking.efficiency.session_timeline import Timeline, TimelineRequest
from token_tracking.efficiency.snapshot import Reconciled
from token_tracking.errors import UnknownModelError
from token_tracking.loads import chain_of
from token_tracking.pricing import usd
from token_tracking.shares import Facts, ItemRecord, SessionShares, ShareSums
from token_tracking.store import SessionData, TokenStore, TokenUsage

NOT_YET: Final = "It is not attributed yet: run token-tracking ingest."


async def session_shares(store: TokenStore, session_id: str) -> SessionShares:
    """A session's items and findings as they are stored, or why there are none.

    Raises:
        UnknownSessionError: the ledger has no such session.
    """
    stored = await store.session_attribution(session_id)
    if stored is None:
        await store.get_session_data(session_id)
        return SessionShares(session_id=session_id, prompt_pico=None, problem=NOT_YET)
    return SessionShares(
        session_id=session_id,
        prompt_tokens=stored.prompt_tokens,
        prompt_pico=stored.prompt_pico,
        items=tuple(await store.item_records(session_id)),
        findings=tuple(await store.session_findings(session_id)),
        details=stored.details,
        problem=stored.problem,
    )


async def timeline(
    store: TokenStore,
    session_id: str,
    *,
    limit: int | None = None,
    items: int | None = None,
) -> Timeline:
    """A session, with its first `limit` requests and its dearest `items`; all of them by default.

    Raises:
        UnknownSessionError: the ledger has no such session.
    """
    data = await store.get_session_data(session_id)
    shares = await session_shares(store, session_id)
    facts = await store.facts_of(session_id)
    sums = data.sums
    whole = ShareSums(cost_pico=shares.prompt_pico or 0)
    dearest = sorted(shares.items, key=lambda each: -(each.cost_pico or 0))[:items]
    rows = [item_row(each, whole, session_id, data.project) for each in dearest]
    sent = _sent(data)
    return Timeline(
        session_id=session_id,
        project=data.project,
        first_at=data.first_at,
        last_at=data.last_at,
        requests=_requests(sent[:limit], shares.items, store.prices),
        total_requests=len(sent),
        items=ranked(rows, "cost"),
        total_items=len(shares.items),
        prompt_tokens=shares.prompt_tokens,
        prompt_cost_usd=None if shares.prompt_pico is None else usd(shares.prompt_pico),
        cost_usd=usd(sums.cost_pico) if sums.messages > sums.unpriced_messages else None,
        findings=advise(summed(session_id, shares.findings), prompt_pico=shares.prompt_pico),
        reconciliation=await _reconciliation(store, data, facts),
        problem=shares.problem,
        partial_output=partial_output(sums, facts),
    )


def _sent(data: SessionData) -> list[TokenUsage]:
    sent = {each.message_id for each in requests(data.messages)}
    return [each for each in data.messages if each.message_id in sent]


def _requests(
    sent: Iterable[TokenUsage], items: Iterable[ItemRecord], prices: Prices
) -> list[TimelineRequest]:
    entered: defaultdict[str | None, list[str]] = defaultdict(list)
    for item in items:
        entered[item.entered_with].append(item.id)
    return [_request(each, entered.get(each.message_id, []), prices) for each in sent]


def _request(message: TokenUsage, entered: list[str], prices: Prices) -> TimelineRequest:
    usage = message.usage
    return TimelineRequest(
        key=message.message_id,
        at=message.timestamp,
        chain=chain_of(message.agent_id, is_sidechain=message.is_sidechain),
        model=message.model,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_5m_tokens=usage.cache_write_5m_tokens,
        cache_write_1h_tokens=usage.cache_write_1h_tokens,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        is_final=message.stop_reason is not None,
        cost_usd=message.cost_usd,
        prompt_cost_usd=_prompt_cost(message, prices),
        entered=entered,
    )


def _prompt_cost(message: TokenUsage, prices: Prices) -> Decimal | None:
    """What the prompt alone cost; `None` where the ledger has no price of the message."""
    if message.cost_pico is None or message.model is None:
        return None
    try:
        cost = prices.cost(
            message.usage,
            message.model,
            message.timestamp,
            speed=message.speed,
            service_tier=message.service_tier,
            inference_geo=message.inference_geo,
        )
    except UnknownModelError:
        return None
    written = cost.cache_write_5m_pico + cost.cache_write_1h_pico
    return usd(cost.input_pico + cost.cache_read_pico + written)


async def _reconciliation(store: TokenStore, data: SessionData, facts: Facts) -> Reconciled:
    """The session against its client's total, where that told one."""
    totals = await store.client_totals(data.session_id)
    if not totals:
        return reconciled(Facts(), 1)
    return reconciled_session(data.models, totals, facts, sum(data.inherited.values()))
