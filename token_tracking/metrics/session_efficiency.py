"""What one session saved, and where its prompts' money went."""

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from token_tracking.attributing.attributed import Book, Source, attributed
from token_tracking.efficiency import Custom, EfficiencyEngine
from token_tracking.efficiency.context import requests
from token_tracking.efficiency.custom import custom_requests
from token_tracking.efficiency.groups import Share
from token_tracking.efficiency.overall import cache_health
from token_tracking.efficiency.snapshot import Against, CacheHealth, GroupRow
from token_tracking.loads import SessionLoad
from token_tracking.pricing import usd
from token_tracking.shares import Facts
from token_tracking.store import SessionChains, SessionData


class SessionEfficiency(Struct, frozen=True, kw_only=True):
    """A session's own messages against each baseline. Money is USD, `None` where no price is
    known. `problem` says why it cannot be attributed: then `no_cache` and what caching did in all
    is what there is."""

    session_id: str
    messages: int
    requests: int
    prompt_tokens: int
    output_tokens: int
    cost_usd: Decimal | None
    prompt_cost_usd: Decimal | None
    baselines: list[Against]
    cache: CacheHealth
    by_category: list[GroupRow]
    problem: str | None = None


def session_efficiency(
    data: SessionData,
    loads: Sequence[SessionLoad],
    chains: SessionChains,
    engine: EfficiencyEngine,
    prices: Book,
    *,
    custom: Custom | None = None,
) -> SessionEfficiency:
    """The figures of a session, from its messages, its loads and what entered between.

    Raises:
        InvalidUsageError: the user's function failed.
    """
    source = Source(chains=chains, data=data if loads else None, loads=loads)
    found = attributed(source, prices, engine.scale)
    facts = sum(found.facts.values(), start=Facts())
    shares: list[Share] = [(data.project, label, sums) for (_, label), sums in found.sums.items()]
    sent = requests(data.messages)
    baselines = engine.calculate_savings(
        data.sums,
        facts,
        error_p95=engine.error_p95({each.model for each in sent}),
        custom=None if custom is None else custom_requests(custom, sent, loads, prices),
    )
    known = found.problem is None and found.prompt_pico is not None
    return SessionEfficiency(
        session_id=data.session_id,
        messages=data.sums.messages,
        requests=len(sent),
        prompt_tokens=data.sums.prompt_tokens,
        output_tokens=data.sums.output_tokens,
        cost_usd=baselines[0].cost_usd,
        prompt_cost_usd=usd(found.prompt_pico or 0) if known else None,
        baselines=baselines,
        cache=cache_health(data.sums, facts),
        by_category=engine.group_by_category(shares),
        problem=found.problem,
    )
