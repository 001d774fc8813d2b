"""What attribution found of a session, as the ledger keeps it."""

from collections.abc import Iterable

from msgspec.structs import asdict

from token_tracking.efficiency.attribution import Attribution, ItemShare
from token_tracking.shares import Finding, ItemRecord, SessionShares, ShareLabel


def session_shares(
    session_id: str, attribution: Attribution, findings: Iterable[Finding] = ()
) -> SessionShares:
    """A session's items, and their sums by quarter of an hour and label: both add up to its
    prompts, to the token and to the pico-dollar."""
    return SessionShares(
        session_id=session_id,
        prompt_tokens=attribution.prompt_tokens,
        prompt_pico=attribution.prompt_pico,
        items=tuple(map(_record, attribution.items)),
        sums=attribution.sums,
        facts=attribution.facts,
        findings=tuple(findings),
        details=asdict(attribution.findings),
    )


def _record(item: ItemShare) -> ItemRecord:
    return ItemRecord(
        id=item.id,
        label=ShareLabel(item.kind, item.name, item.server, item.uri, item.agent),
        entered_at=item.entered_at,
        entered_with=item.entered_with,
        tokens=item.tokens,
        requests=item.requests,
        prompt_tokens=item.prompt_tokens,
        cost_pico=item.cost_pico,
        no_cache_pico=item.no_cache_pico,
        first_pico=item.first_pico,
        is_measured=item.basis == "measured",
    )
